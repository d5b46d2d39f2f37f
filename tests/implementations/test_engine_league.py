"""The league script: what an engine does to its process becomes the outcome of one operation."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from refconv.catalogue import cases
from refconv.generate import generate

LEAGUE = Path(__file__).parents[2] / "scripts" / "league.py"
SELECT = [
    "worked-*", "arithmetic-*", "grouped-*", "asymmetric-float32-*", "asymmetric-int8-*", "leftover-float64-*",
    "batch-*", "pointwise-*",
]  # fmt: skip
UNRULY = """
import os, time
import numpy as np
from refconv.implementations.references import im2col

class Unruly:
    name = "unruly"

    def forward(self, x, weight, bias, problem):
        if problem.groups > 1 and x.dtype == np.float32:
            os.abort()
        if problem.batch > 1 and x.dtype == np.float32:
            os._exit(0)
        if x.dtype == np.float64:
            time.sleep(60)
        return im2col().forward(x, weight, bias, problem) + (x.dtype == np.int8)
"""


def league(*arguments):
    done = subprocess.run([sys.executable, LEAGUE, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    folder = tmp_path_factory.mktemp("league")
    (folder / "unruly.py").write_text(UNRULY)
    path = folder / "part.json"
    # Few cases: each crash starts a process.  A process may take some seconds to start where others work beside it.
    generate(folder / "suite", "smoke", SELECT)
    league("run", f"{folder / 'unruly.py'}:Unruly", "--suite", folder / "suite", "--seconds", 10, "--out", path)
    return path


def test_the_run_goes_on_after_a_crash_and_a_silence(part):
    (engine,) = json.loads(part.read_text())
    counts = Counter(outcome["status"] for outcome in engine["outcomes"] if outcome["operation"] == "forward")
    assert counts["CRASH"] >= 2
    assert counts["TIMEOUT"] >= 1
    assert counts["PASS"] >= 5
    assert counts["FAIL"] >= 1
    messages = {outcome["message"] for outcome in engine["outcomes"] if outcome["status"] == "CRASH"}
    assert messages == {"ended the process with exit code 0", "ended the process with signal 6"}


def test_no_operation_is_lost_or_told_twice(part):
    (engine,) = json.loads(part.read_text())
    told = [(outcome["case"], outcome["operation"]) for outcome in engine["outcomes"]]
    assert len(told) == len(set(told))
    assert {case for case, _ in told} == {spec.id for spec in cases("smoke", SELECT)}


def test_the_table_names_the_smallest_problem_and_what_is_known(part, tmp_path):
    notes, page = tmp_path / "notes.toml", tmp_path / "league.md"
    notes.write_text('[[note]]\nmatch = "* forward CRASH *"\nverdict = "bug"\ntext = "It leaves."\n')
    league("table", part, "--notes", notes, "--out", page)
    text = page.read_text()
    assert "**The engine's bug.** It leaves. forward; float32:" in text
    assert "Not looked into. forward; float64: 1 timeout" in text
    assert json.loads(page.with_suffix(".json").read_text())[0]["total"]["CRASH"] >= 2


def test_engines_that_have_not_run_again_stay_as_they_were_and_suites_are_added_up(tmp_path):
    def part(engine, suite, case):
        told = {"operation": "forward", "dtype": "float32", "status": "PASS", "seconds": 0.0, "size": 1}
        return {"engine": engine, "version": "1", "suite": suite, "python": "3", "machine": "m", "date": "d",
                "outcomes": [{"case": case, **told}]}  # fmt: skip

    old, new, again = (tmp_path / name for name in ("old.json", "new.json", "again.md"))
    old.write_text(json.dumps([part("a", "core 1", "x"), part("b", "core 1", "x")]))
    league("table", old, "--out", tmp_path / "old.md")
    new.write_text(json.dumps([part("b", "core 2", "x"), part("b", "regress 2", "y")]))
    league("table", new, "--keep", tmp_path / "old.json", "--out", again)
    found = {engine["engine"]: engine for engine in json.loads(again.with_suffix(".json").read_text())}
    assert [(e["suite"], e["total"]["PASS"]) for e in found.values()] == [("core 1", 1), ("core 2, regress 2", 2)]
    assert "| a | 1 | core 1 | 1 |" in again.read_text()
