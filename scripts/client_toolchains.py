"""Say which toolchains of other languages are there, and install from Debian what is missing, where that is possible.

Usage: ``python scripts/client_toolchains.py``.  C and JavaScript must be there; without the others, the tests of
those clients are not run, and the end of the run says so.  Only what is small is installed.
"""

import os
import shutil
import subprocess
import sys

REQUIRED = {"gcc": "gcc", "node": "nodejs"}
SMALL = {"g++": "g++", "iverilog": "iverilog"}  # program: package of Debian
LARGE = ("rustc", "go", "octave")
APT = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60"]


def missing(programs):
    """List the programs that are not there."""
    return [program for program in programs if shutil.which(program) is None]


def install(packages):
    """Install packages of Debian, if this is one and we may."""
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    quiet = {"stdout": subprocess.DEVNULL, "check": False, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run([*APT, "update"], timeout=120, **quiet)
    subprocess.run([*APT, "install", "-y", "--no-install-recommends", *packages], timeout=240, **quiet)


def main():
    """Install, report, and return the exit status."""
    if wanted := missing(REQUIRED | SMALL):
        try:
            install([(REQUIRED | SMALL)[program] for program in wanted])
        except subprocess.TimeoutExpired as error:
            print(f"gave up after {error.timeout:.0f} seconds: {' '.join(error.cmd)}")
    for program in (*REQUIRED, *SMALL, *LARGE):
        print(f"{program}: {shutil.which(program) or 'MISSING, its client is not tested'}")
    if lost := missing(REQUIRED):
        print(f"the clients need {', '.join(lost)}, which could not be installed")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
