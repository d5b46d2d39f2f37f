"""What a long run leaves behind: memory for each case, and what a child that crashes again and again costs.

Usage::

    python scripts/load.py --cases 100000 --restarts 10000

Prints, as it goes on, the resident memory, and the processes, descriptors and temporary files of this process.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import refconv
from refconv.implementations import Call, open_session
from refconv.report import write_report
from refconv.suite.embedded import smoke_folder

CRASHES = """\
import os

def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    os.abort()
"""


class Repeated:
    """A suite that gives one small case under as many names as asked for."""

    name, version = "repeated", "0"

    def __init__(self, count):
        suite = refconv.load_suite(smoke_folder())
        self.folder, self.one = suite.folder, suite.case("worked-example-float32-iota/x3x3-w2x2")
        self.ids = tuple(f"worked-example-float32-iota/{number}" for number in range(count))

    def select(self, patterns):
        """Return all ids."""
        return list(self.ids)

    def case(self, case_id):
        """Return the one case under another name."""
        return replace(self.one, id=case_id)


def state():
    """Return resident MiB, descriptors, children and temporary files of ours."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "pid="], capture_output=True, text=True)
    files = len(list(Path(tempfile.gettempdir()).glob("refconv-*")))
    return {"MiB": round(resident, 1), "descriptors": len(os.listdir("/proc/self/fd")),
            "children": len(children.stdout.split()) - 1, "files": files}  # fmt: skip


def many_cases(count):
    """Check so many cases and write the reports."""
    print("before", state(), flush=True)
    begin, shown = time.perf_counter(), max(1, count // 5)

    def progress(done, _):
        if done and done % shown == 0:
            print(done, "cases", state(), flush=True)

    report = refconv.check("im2col", Repeated(count), thorough=False, progress=progress)
    print(report.summary(), f"{time.perf_counter() - begin:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("html", "json", "xml", "md"):
            begin, path = time.perf_counter(), Path(folder) / f"report.{suffix}"
            write_report(report, path, command="refconv check im2col")
            print(suffix, f"{path.stat().st_size / 2**20:.2f} MiB, {time.perf_counter() - begin:.1f} s", state())


def many_restarts(count):
    """Call what aborts, so many times."""
    case = Repeated(1).one
    call = Call(case.id, "forward", case.inputs, case.problem)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crashes.py"
        path.write_text(CRASHES)
        with open_session(f"{path}:conv2d") as session:
            for number in range(count):
                answer = session.call(call)
                if answer.status != "CRASH":
                    raise SystemExit(f"call {number} gave {answer.status}: {answer.message}")
                if number % max(1, count // 5) == 0:
                    print(number + 1, "restarts", state(), flush=True)
    print("after the session", state())


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--restarts", type=int, default=0)
    wanted = parser.parse_args()
    if wanted.cases:
        many_cases(wanted.cases)
    if wanted.restarts:
        many_restarts(wanted.restarts)
    return 0 if wanted.cases or wanted.restarts else parser.error("--cases or --restarts must say how many.")


if __name__ == "__main__":
    sys.exit(main())
