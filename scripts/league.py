"""Run engines over a suite, each operation where it can crash alone, and set out what came of it.

Usage::

    python scripts/league.py run ENGINE... --out part.json     # in an environment that has these engines
    python scripts/league.py table part*.json --out docs/league.md

Engines live in environments of their own, because they conflict; parts are merged by ``table``, which also
writes the figures beside the table, as JSON.  An engine runs in a child process, which writes down what it
is about to do; a child that dies or stalls there is replaced by one that goes on with the next operation.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import league_table

import refconv
from refconv.implementations import load_implementation
from refconv.problem import OPERATIONS

CORE = Path(__file__).parents[1] / "vectors" / "core"


def run_engine(name, suite_folder, seconds):
    """Return the record of one engine; what its children did not live to tell is CRASH or TIMEOUT."""
    suite = refconv.load_suite(suite_folder)
    todo = [[case_id, operation] for case_id in suite.ids for operation in OPERATIONS]
    version, outcomes = "", []
    with tempfile.TemporaryDirectory() as folder:
        while todo:
            version, told, loss = run_child(name, suite_folder, todo, seconds, Path(folder))
            outcomes += told
            if loss is None:
                break
            (case_id, operation), status, message = loss
            outcomes.append(lost(suite.case(case_id), operation, status, message))
            todo = todo[todo.index([case_id, operation]) + 1 :]
    return {"engine": name, "version": version, **surroundings(suite), "outcomes": outcomes}


def run_child(name, suite_folder, todo, seconds, folder):
    """Let a child work until it is done, dead or silent; return the version, what it told, and where it was lost."""
    plan, diary, noise = folder / "plan.json", folder / "diary.jsonl", folder / "noise.txt"
    plan.write_text(json.dumps(todo))
    diary.write_text("")
    command = [sys.executable, __file__, "child", name, str(suite_folder), str(plan), str(diary)]
    with noise.open("wb") as sink:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        silent = wait(child, diary, seconds)
    lines = [json.loads(line) for line in diary.read_text().splitlines() if line.endswith("}")]
    started = [line for line in lines if "version" in line]
    if not started:
        raise SystemExit(f"{name} did not start: {noise.read_text(errors='replace')[-1500:]}")
    told = [line["outcome"] for line in lines if "outcome" in line]
    if lines[-1] == {"end": True}:
        return started[0]["version"], told, None
    place = next(line["begin"] for line in reversed(lines) if "begin" in line)
    cause = ("TIMEOUT", f"did not return within {seconds} s") if silent else ("CRASH", death(child.returncode))
    return started[0]["version"], told, (place, *cause)


def wait(child, diary, seconds):
    """Wait for a child to end; end it when its diary has not grown for so many seconds, and say so."""
    size = -1
    while True:
        try:
            child.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            if diary.stat().st_size == size:
                child.kill()
                child.wait()
                return True
            size = diary.stat().st_size


def death(code):
    """Say how a process ended in the middle of a call."""
    return f"ended the process with signal {-code}" if code < 0 else f"ended the process with exit code {code}"


def work(name, suite_folder, plan, diary):
    """Be the child: check one operation after the other and keep a diary."""
    runner, suite = load_implementation(name), refconv.load_suite(suite_folder)
    with Path(diary).open("a") as book:

        def note(**line):
            book.write(json.dumps(line) + "\n")
            book.flush()

        note(version=getattr(getattr(runner, "implementation", None), "version", f"refconv {refconv.__version__}"))
        for case_id, operation in json.loads(Path(plan).read_text()):
            note(begin=[case_id, operation])
            for outcome in refconv.check(runner, suite, [case_id], [operation]).outcomes:
                note(outcome=record(outcome, suite.case(case_id)))
        note(end=True)
        book.close()
        os._exit(0)  # some engines crash when they are taken down


def record(outcome, case):
    """Return what the table needs of an outcome."""
    verdict = outcome.verdict
    judged = {} if verdict is None else {"rounded": verdict.correctly_rounded, "use": min(verdict.interval_use, 1e30)}
    told = lost(case, outcome.operation, outcome.status, outcome.message, outcome.seconds)
    return {**told, "rule": outcome.accuracy_class, **judged}


def lost(case, operation, status, message, seconds=0.0):
    """Return what is known of an operation also if nobody lived to tell."""
    return {
        "case": case.id, "operation": operation, "dtype": dtype_of(case), "status": status,
        "descriptor": case.problem.descriptor, "size": size_of(case), "message": message, "seconds": seconds,
    }  # fmt: skip


def dtype_of(case):
    """Name the formats of a case in short: of the image, of another weight, of a quantised layer."""
    x, weight = (case.inputs.get(name, next(iter(case.inputs.values()))).dtype.name for name in ("x", "weight"))
    mixed = x if x == weight else f"{x} × {weight}"
    return f"{mixed} quantised" if case.quantization else mixed


def size_of(case):
    """Count the elements of x, weight and y."""
    shapes = (case.problem.shape_of(name) for name in ("x", "weight", "y"))
    return sum(math.prod(shape) for shape in shapes)


def surroundings(suite):
    """Say where and when, so that a figure can be repeated."""
    return {
        "suite": f"{suite.name} {suite.version}",
        "python": platform.python_version(),
        "machine": league_table.processor(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def main():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run engines over a suite")
    run.add_argument("engines", nargs="+", metavar="ENGINE")
    run.add_argument("--suite", default=CORE, type=Path)
    run.add_argument("--seconds", default=60, type=float, help="of silence after which an operation is given up")
    run.add_argument("--out", required=True, type=Path)
    child = commands.add_parser("child")
    for name in ("engine", "suite", "plan", "diary"):
        child.add_argument(name)
    table = commands.add_parser("table", help="merge parts into a page")
    table.add_argument("parts", nargs="+", type=Path)
    table.add_argument("--notes", type=Path, help="TOML with what is known about the findings")
    table.add_argument("--keep", type=Path, help="figures of an earlier run, for engines that are in no part")
    table.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    if options.command == "child":
        work(options.engine, options.suite, options.plan, options.diary)
    elif options.command == "run":
        parts = [run_engine(name, options.suite, options.seconds) for name in options.engines]
        options.out.write_text(json.dumps(parts, indent=1))
    else:
        league_table.write(options.parts, options.notes, options.out, options.keep)


if __name__ == "__main__":
    main()
