from __future__ import annotations

from refconv.problem import ConvProblem
from refconv.report.kinds import kinds_of

SMALL = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(3, 4), kernel_size=(2, 3))


def test_failures_of_one_group_operation_and_status_are_one_kind(mixed):
    found = [(kind.smallest.operation, kind.smallest.status, len(kind.outcomes)) for kind in kinds_of(mixed)]
    assert found == [("forward", "FAIL", 2), ("grad_input", "REJECTED", 1), ("grad_weight", "ERROR", 1)]


def test_the_smallest_problem_of_a_kind_comes_first(mixed):
    assert [outcome.case_id for outcome in kinds_of(mixed)[0].outcomes] == ["grouped/small", "grouped/large"]


def test_a_problem_that_cannot_be_read_comes_last(report_of, outcome, failure):
    strange = outcome("grouped/strange", status="FAIL", descriptor="?")
    (kind,) = kinds_of(report_of(strange, failure("grouped/g2")))
    assert kind.smallest.case_id == "grouped/g2"


def test_wrong_results_come_before_refusals_and_small_problems_before_large_ones(report_of, outcome, failure):
    refused = outcome("basic/a", status="REJECTED", descriptor=SMALL.descriptor)
    kinds = kinds_of(report_of(refused, failure("grouped/b"), failure("basic/c", SMALL)))
    assert [kind.smallest.case_id for kind in kinds] == ["basic/c", "grouped/b", "basic/a"]
