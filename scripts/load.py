"""What a long run leaves behind: memory for each case, and what a child that crashes again and again costs.

Usage::

    python scripts/load.py --cases 100000                   # a layer that knows the answers
    python scripts/load.py --cases 100000 --wrong           # one all of whose results are wrong
    python scripts/load.py --cases 100000 --isolate         # im2col in a process of its own
    python scripts/load.py --restarts 10000 --command       # a program that dies at every call
    python scripts/load.py --restarts 10000                 # Python and NumPy that die

Prints, as it goes on, the resident memory of this process and of its children, and the processes, descriptors, mapped
files and temporary files that there are.  Ends with 1 if at the end there are more of these than at the beginning.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import refconv
from refconv.diagnosis import with_causes
from refconv.implementations import Call, open_session
from refconv.problem import OPERATIONS
from refconv.report import write_report
from refconv.suite.embedded import smoke_folder

PYTHON = """\
import os

def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    os.abort()
"""
COMMAND = """\
#!/bin/sh
read line
echo '{"seq":'$(echo "$line" | sed 's/.*"seq":\\([0-9]*\\).*/\\1/')',"status":"ok","protocol":1,"transport":"file"}'
read line
kill -9 $$
"""


class Knowing:
    """A layer that computes nothing, so that it is the check that takes the time."""

    def __init__(self, case, error):
        self.answers = {name: expected.tensor + error for name, expected in case.expected.items()}

    def forward(self, x, weight, bias, problem):
        """Return y."""
        return self.answers["y"].copy()

    def grad_input(self, grad_output, weight, problem):
        """Return grad_input."""
        return self.answers["grad_input"].copy()

    def grad_weight(self, x, grad_output, problem):
        """Return grad_weight."""
        return self.answers["grad_weight"].copy()

    def grad_bias(self, grad_output, problem):
        """Return grad_bias."""
        return self.answers["grad_bias"].copy()


class Repeated:
    """A suite that gives one small case under as many names as asked for."""

    name, version = "repeated", "0"

    def __init__(self, count):
        suite = refconv.load_suite(smoke_folder())
        self.folder, self.manifest = suite.folder, suite.manifest
        self.one = suite.case("worked-example-float32-iota/x3x3-w2x2")
        self.ids = tuple(f"worked-example-float32-iota/{number}" for number in range(count))

    def select(self, patterns):
        """Return all ids."""
        return list(self.ids)

    def case(self, case_id):
        """Return the one case under another name."""
        return replace(self.one, id=case_id)


def state():
    """Return what may grow: MiB here and in children; processes, descriptors, mapped and temporary files."""
    family = [process for process in Path("/proc").glob("[0-9]*") if _parent(process) == os.getpid()]
    ours = tempfile.gettempdir()
    return {
        "MiB": _mebibytes(Path("/proc/self")),
        "MiB of children": sum(map(_mebibytes, family)),
        "processes": len(family),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "mapped files": Path("/proc/self/maps").read_text().count(ours),
        "files": len(os.listdir(ours)),
    }


def _parent(process):
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return 0


def _mebibytes(process):
    try:
        return round(int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except OSError:
        return 0


def many_cases(count, wrong, isolate, operations):
    """Check so many cases and write the reports."""
    suite = Repeated(count)
    begin, shown = time.perf_counter(), {}

    def progress(done, total):
        if 10 * done // total not in shown:
            used = f"{time.process_time():.0f} s of processor time"
            shown[10 * done // total] = print(done, "cases", used, state(), flush=True)

    layer = "im2col" if isolate else Knowing(suite.one, error=float(wrong))
    report = refconv.check(layer, suite, ["*"], operations, progress, thorough=False, isolate=isolate)
    print(report.summary(), f"{time.perf_counter() - begin:.0f} s", state(), flush=True)
    report = with_causes(report, suite)
    print("causes", *report.causes, report.not_looked_at, state(), flush=True)
    for suffix in ("html", "json", "xml", "md"):
        begin, path = time.perf_counter(), Path(tempfile.gettempdir()) / f"report.{suffix}"
        write_report(report, path, command="refconv check im2col")
        size = path.stat().st_size / 2**20
        path.unlink()
        print(suffix, f"{size:.2f} MiB, {time.perf_counter() - begin:.1f} s", state(), flush=True)


def many_restarts(count, command):
    """Call what dies, so many times."""
    case = Repeated(1).one
    call = Call(case.id, "forward", case.inputs, case.problem)
    path = Path(tempfile.gettempdir()) / "crashes.py"
    path.write_text(COMMAND if command else PYTHON)
    path.chmod(0o700)
    with open_session(f"-- {path}" if command else f"{path}:conv2d") as session:
        begin = time.perf_counter()
        for number in range(count):
            answer = session.call(call)
            if answer.status != "CRASH":
                raise SystemExit(f"call {number} gave {answer.status}: {answer.message}")
            if number % max(1, count // 5) == 0 or number == count - 1:
                print(number + 1, "restarts", f"{time.perf_counter() - begin:.0f} s", state(), flush=True)
    path.unlink()


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--isolate", action="store_true")
    parser.add_argument("--ops", default=",".join(OPERATIONS))
    parser.add_argument("--restarts", type=int, default=0)
    parser.add_argument("--command", action="store_true")
    wanted = parser.parse_args()
    if not wanted.cases and not wanted.restarts:
        parser.error("--cases or --restarts must say how many.")
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        before = state()
        print("before", before, flush=True)
        if wanted.cases:
            many_cases(wanted.cases, wanted.wrong, wanted.isolate, wanted.ops.split(","))
        if wanted.restarts:
            many_restarts(wanted.restarts, wanted.command)
        after = state()
        print("after", after)
    left = [name for name in before if not name.startswith("MiB") and after[name] > before[name]]
    print(f"left behind: {', '.join(left) or 'nothing'}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
