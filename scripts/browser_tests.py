"""Run the browser tests: get chromium and axe-core if this machine can, else say what was not run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

AXE = "axe-core@4.14.1"
PACKAGES = ("chromium", "chromium-driver", "fonts-dejavu-core")


def main() -> int:
    """Prepare the machine, then hand over to pytest; 0 where there can be no browser, with the reason on the screen."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing and not installed():
        print(f"SKIPPED: the browser tests were not run: no {' and no '.join(missing)}, and apt-get cannot install it.")
        return 0
    environment = os.environ | {"REFCONV_AXE": str(axe(Path.cwd()) or "")}
    return subprocess.run([sys.executable, "-m", "pytest", *sys.argv[1:]], env=environment, check=False).returncode


def installed() -> bool:
    """Install chromium by apt-get, as root."""
    if shutil.which("apt-get") is None or os.name != "posix" or os.geteuid() != 0:
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return all(
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
        for command in commands()
    )


def commands() -> Iterator[list[str]]:
    """Yield what apt-get is asked to do."""
    yield ["apt-get", "update", "-qq"]
    yield ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]


def axe(folder: Path) -> Path | None:
    """Get axe-core by npm; without it one test says that it was skipped."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    subprocess.run([npm, "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", AXE], check=False)
    found = folder / "node_modules" / "axe-core" / "axe.min.js"
    return found if found.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
