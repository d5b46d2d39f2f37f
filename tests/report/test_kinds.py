from __future__ import annotations

from refconv.report.kinds import kinds_of


def test_failures_of_one_group_operation_and_status_are_one_kind(mixed):
    found = [(kind.smallest.operation, kind.smallest.status, len(kind.outcomes)) for kind in kinds_of(mixed)]
    assert found == [("forward", "FAIL", 2), ("grad_input", "REJECTED", 1), ("grad_weight", "ERROR", 1)]


def test_the_smallest_problem_of_a_kind_comes_first(mixed):
    assert [outcome.case_id for outcome in kinds_of(mixed)[0].outcomes] == ["grouped/small", "grouped/large"]


def test_a_problem_that_cannot_be_read_comes_last(report_of, outcome, failure):
    strange = outcome("grouped/strange", status="FAIL", descriptor="?")
    (kind,) = kinds_of(report_of(strange, failure("grouped/g2")))
    assert kind.smallest.case_id == "grouped/g2"
