"""Checking in several processes gives the report of one, and no crash ends the rest."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from refconv import check, conv2d, load_suite
from refconv.check import together
from refconv.check.case_judge import CaseJudge
from refconv.check.together import usual_jobs
from refconv.errors import CatalogueError, ImplementationError
from refconv.implementations import open_session
from refconv.suite.embedded import smoke_folder

ZOO = Path(__file__).parents[1] / "support" / "zoo.py"
VICTIM = "worked-example-float32-iota/x3x3-w2x2"


@pytest.fixture
def suite():
    return load_suite(smoke_folder())


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(together, "BLOCK", 4)


def timeless(report):
    return [replace(outcome, seconds=0.0) for outcome in report.outcomes]


@pytest.mark.parametrize("name", ["im2col", "refconv.example.faulty_conv2d:conv2d"])
def test_the_report_is_the_same_however_many_jobs_there_are(suite, name):
    ticks = []
    one = check(name, suite, isolate=True)
    two = check(name, suite, isolate=True, jobs=2, progress=lambda done, total: ticks.append((done, total)))
    assert timeless(two) == timeless(one)
    assert two.implementation == one.implementation
    assert ticks[-1] == (len(suite), len(suite))
    assert len(ticks) > 2


@pytest.mark.slow
def test_a_case_that_kills_its_worker_is_reported_and_the_others_go_on(suite):
    select = ["arithmetic-guide-*", "batch-*", "grouped-*", "worked-example-*"]
    report = check(f"{ZOO}:segfault", suite, select, ["forward"], jobs=2)
    (failure,) = report.failures
    assert (failure.case_id, failure.status) == (VICTIM, "ERROR")
    assert "the worker died" in failure.message
    forward = [case_id for case_id in suite.select(select) if "y" in suite.case(case_id).expected]
    assert [outcome.case_id for outcome in report.outcomes] == forward


def test_an_executor_of_the_user_gives_the_same_report(suite):
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        report = check("direct", suite, ["asymmetric-*"], executor=executor)
    assert timeless(report) == timeless(check("direct", suite, ["asymmetric-*"]))


def test_what_refconv_itself_cannot_judge_is_one_error(suite, monkeypatch):
    find = CaseJudge.find

    def sick(self, got, case, operation, *rest):
        if (case.id, operation) == (VICTIM, "forward"):
            raise IndexError("no such thing")
        return find(self, got, case, operation, *rest)

    monkeypatch.setattr(CaseJudge, "find", sick)
    (failure,) = check("im2col", suite).failures
    assert (failure.case_id, failure.status) == (VICTIM, "ERROR")
    assert failure.message == "refconv itself broke down on it: IndexError: no such thing"


def test_what_ends_a_run_ends_it_with_its_own_sentence(suite):
    with pytest.raises(ImplementationError, match="must be a known engine"):
        check("nobody", suite, isolate=True, jobs=2)
    with (
        open_session("im2col", isolate=False) as session,
        pytest.raises(ImplementationError, match="one job only"),
    ):
        check(session, suite, jobs=2)
    with pytest.raises(CatalogueError, match="contradict"):
        check("im2col", load_suite(Path(__file__).parents[2] / "vectors/core"), ["choice-padding-*"], jobs=2,
              policies=["padding-is-zero", "padding-is-absent"])  # fmt: skip


def test_nobody_starts_two_of_what_there_may_be_one_of(monkeypatch):
    monkeypatch.setattr(together, "cores", lambda: 16)
    assert usual_jobs(2000, "torch", isolate=True) == 4
    assert usual_jobs(250, "torch", isolate=True) == 2
    assert usual_jobs(19, "torch", isolate=True) == 1
    assert usual_jobs(2000, "-- ./harness", isolate=True) == 1
    assert usual_jobs(2000, "torch", isolate=False) == 1
    assert usual_jobs(2000, conv2d, isolate=True) == 1
    monkeypatch.setattr(together, "cores", lambda: 2)
    assert usual_jobs(2000, "torch", isolate=True) == 2
