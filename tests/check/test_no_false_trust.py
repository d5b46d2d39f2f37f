"""What is judged has no hand in the verdict, and does not learn which case it is asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from refconv import check, load_suite
from refconv.suite.embedded import smoke_folder

CHEATS = Path(__file__).parents[1] / "support" / "cheats.py"
SELECT = ["worked-example-float32-iota", "asymmetric-float32-exact"]


def judged(name: str) -> list[str]:
    report = check(f"{CHEATS}:{name}", load_suite(smoke_folder()), SELECT, ["forward"], isolate=True)
    assert report.outcomes
    return [outcome.message if outcome.status == "PASS" else outcome.status for outcome in report.outcomes]


@pytest.mark.parametrize("name", ["patches_the_judge", "patches_numpy", "answers_from_the_frames"])
def test_a_cheat_in_the_child_passes_nothing(name: str) -> None:
    assert set(judged(name)) == {"FAIL"}


def test_a_forged_answer_passes_nothing() -> None:
    assert set(judged("forges_its_answer")) == {"CRASH"}


def test_who_reads_the_golden_values_is_found_out_by_other_numbers() -> None:
    report = check(f"{CHEATS}:reads_the_golden_values", load_suite(smoke_folder()), SELECT, ["forward"], isolate=True)
    assert {outcome.status for outcome in report.outcomes} == {"FAIL"}
    said = [outcome.message for outcome in report.outcomes]
    assert all(words.startswith("the result is right, but not with other values of") for words in said)


def test_nothing_that_the_child_holds_names_the_case() -> None:
    assert set(judged("looks_for_the_case")) == {""}
