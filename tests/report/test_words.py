from __future__ import annotations

import numpy as np
import pytest

from refconv.check import STATUSES
from refconv.judge import judge_tensor
from refconv.report.words import (
    MARKS,
    compare,
    describe_failure,
    describe_problem,
    facts,
    headline,
    hint,
    ordered_flags,
    plain,
    reproduce,
    usually_means,
)  # fmt: skip


def test_every_status_has_a_mark_of_its_own():
    assert list(MARKS) == list(STATUSES)
    assert len(set(MARKS.values())) == len(STATUSES)


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\u202eb", "a\ud800b", "a\uffffb", "a\x7fb"])
def test_what_cannot_be_seen_is_written_as_an_escape(text):
    assert plain(text) == f"a{ascii(text[1])[1:-1]}b"


def test_a_long_message_is_shortened():
    assert plain("x" * 5000) == "x" * 600 + " ..."
    assert plain("x" * 600) == "x" * 600


def test_what_is_at_its_default_is_not_said():
    assert describe_problem("n1c1i3x4-k2w2x3-s1x1-d1x1-p0+0x0+0-g1-o2x2") == (
        "x (1, 1, 3, 4), weight (2, 1, 2, 3), y (1, 2, 2, 2)"
    )


def test_a_descriptor_of_nothing_is_quoted():
    assert describe_problem("no problem\x00") == "no problem\\x00"


@pytest.mark.parametrize("flags", [("Basic", "RealValued", "Grouped"), ("Grouped", "RealValued", "Basic")])
def test_indexing_comes_before_numeric_before_basic(report_of, outcome, flags):
    alone = outcome(status="FAIL", flags=flags)
    assert ordered_flags(report_of(alone), alone) == ["Grouped", "RealValued", "Basic"]


def test_flags_whose_other_cases_pass_come_last(report_of, outcome):
    failing = outcome(status="FAIL", flags=("Grouped", "Dilated", "NewFlag"))
    others = [outcome(flags=("Grouped",)), outcome(status="UNSUPPORTED", flags=("Dilated",))]
    assert ordered_flags(report_of(failing, *others), failing) == ["Dilated", "NewFlag", "Grouped"]


def test_a_flag_that_nobody_explained_means_nothing():
    assert usually_means("Grouped").startswith("channels are interleaved")
    assert usually_means("NoSuchFlag") == ""


def test_the_command_selects_one_case(passing):
    assert reproduce(passing, "grouped/g2", "refconv check x --vectors v") == (
        "refconv check x --vectors v --select grouped/g2"
    )


def test_a_shell_sees_a_hostile_id_as_one_word(passing):
    assert reproduce(passing, "a; rm *", "refconv check x").endswith(" --select 'a; rm *'")


def test_an_exact_failure_tells_expected_and_got_without_a_bound(failure):
    (row,) = compare(failure())
    assert (row.place, row.expected, row.got, row.allowed, row.error) == ("y[0, 0, 0, 5]", "2", "2.75", "", "")


def test_a_failure_with_a_bound_tells_first_and_worst_in_units_of_it(failure):
    first, worst = compare(failure(interval=True))
    assert (first.label, first.place, first.allowed, first.error) == (
        "first wrong", "y[0, 0, 0, 5]", "1.5 to 2.5", "1.5 times the bound",
    )  # fmt: skip
    assert (worst.label, worst.place, worst.error) == ("largest error", "y[0, 0, 0, 7]", "3 times the bound")


def test_a_nan_is_beyond_any_bound(outcome):
    verdict = judge_tensor(np.array([np.nan]), np.array([1.0]), np.array([0.0]), np.array([2.0]))
    (row,) = compare(outcome(status="FAIL", rule="standard:float32, n <= 4", verdict=verdict))
    assert (row.got, row.error) == ("nan", "beyond any bound")


def test_right_values_of_a_failure_leave_the_word_to_its_message(report_of, outcome):
    verdict = judge_tensor(np.ones(2), np.ones(2))
    failing = outcome(status="FAIL", verdict=verdict, message="the call changed its input x")
    rows = facts(failing, report_of(failing))
    assert ("message", "the call changed its input x") in rows
    assert "wrong" not in dict(rows)


def test_a_failure_is_told_like_a_colleague_would(report_of, failure):
    assert describe_failure(failure(), report_of(failure()), "again") == [
        "flags          Grouped, RealValued, Basic",
        "problem        x (2, 4, 7, 9), weight (6, 2, 3, 2), stride (2, 1), dilation (1, 2), "
        "padding ((1, 0), (2, 1)), groups 2, y (2, 6, 3, 10)",
        "wrong          2 of 360 elements; float32, judged exact",
        "first wrong    y[0, 0, 0, 5]: expected 2, got 2.75",
        "reproduce      again",
    ]


def test_a_flag_hints_where_all_its_cases_fail_and_others_pass(report_of, failure, outcome):
    passing, grouped = outcome(flags=("Basic",)), outcome(flags=("Grouped",))
    assert hint(failure(), report_of(failure(), passing)).startswith("channels are interleaved")
    assert hint(failure(), report_of(failure(), passing), "RealValued").startswith("the accumulator is narrower")
    assert hint(failure(), report_of(failure(), passing, grouped), "Grouped") == ""
    assert hint(failure(), report_of(failure())) == ""


def test_a_flag_says_nothing_of_a_crash(report_of, outcome):
    crash = outcome(status="CRASH", message="its process died of SIGSEGV")
    assert hint(crash, report_of(crash, outcome(flags=("Basic",)))) == ""


def test_what_raises_on_all_cases_of_a_flag_alone_may_not_be_offered(report_of, outcome):
    text = "raised ValueError at mine.py:7 on a legal problem: too many values to unpack"
    refused = outcome("a/b", status="REJECTED", message=text, flags=("AsymmetricPadding",))
    told = hint(refused, report_of(refused, outcome(flags=("Basic",))))
    assert told.startswith("this is not offered: raise NotImplementedError")
    assert told.endswith("it comes as ((top, bottom), (left, right)).")
    assert hint(refused, report_of(refused)) == ""  # where nothing passes, something else is wrong


def test_how_functions_are_called_is_said_where_every_call_is_a_type_error(report_of, outcome):
    text = "raised TypeError at mine.py:7 on a legal problem: unsupported operand type(s) for //: 'int' and 'tuple'"
    refused = outcome("a/b", status="REJECTED", message=text)
    assert "as pairs such as (1, 1)" in hint(refused, report_of(refused))
    assert hint(refused, report_of(refused, outcome(flags=("Basic",)))) != hint(refused, report_of(refused))


def test_headline_never_calls_an_empty_run_a_success(report_of, outcome, passing, mixed):
    assert headline(report_of(outcome(status="UNSUPPORTED"))) == "Nothing was executed"
    assert headline(passing) == "Passed"
    assert headline(mixed) == "4 of 5 operations failed"
