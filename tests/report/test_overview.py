from __future__ import annotations

import pytest

from refconv.judge import EDGES
from refconv.report.distribution import HEADINGS, distributions
from refconv.report.overview import closest, family_of, holes, matrix_of


@pytest.mark.parametrize(
    ("case_id", "element", "family"),
    [
        ("asymmetric-float32-zero-mean/a", "float32", "asymmetric"),
        ("padding-over-kernel-bfloat16-to-float32-zero-mean/a", "bfloat16", "padding-over-kernel"),
        ("grouped-uint8-by-int8-exact/a", "uint8", "grouped"),
        ("mine/a", "float32", "mine"),
    ],
)
def test_the_family_is_the_group_without_format_and_fill(outcome, case_id, element, family):
    assert family_of(outcome(case_id, element=element)) == family


def test_the_matrix_counts_by_family_format_and_operation(report_of, outcome, failure):
    report = report_of(
        outcome("a-float32-exact/1"), failure("a-float32-exact/2"), failure("a-float32-zero-mean/2"),
        outcome("a-float16-exact/1", "grad_bias", "UNSUPPORTED", element="float16"),
    )  # fmt: skip
    matrix = matrix_of(report, [("kind-1", report.failures[1:]), ("kind-2", report.failures)])
    assert matrix.formats == {"float32": ["forward"], "float16": ["grad_bias"]}
    cell = matrix.rows["a"]["float32", "forward"]
    assert (cell.failed, cell.executed, cell.total, cell.anchor) == (2, 3, 3, "kind-1")
    cell = matrix.rows["a"]["float16", "grad_bias"]
    assert (cell.failed, cell.executed, cell.total, cell.anchor) == (0, 0, 1, "")


def test_what_was_not_executed_is_listed_by_its_reason(report_of, outcome):
    said = ["no batch of 3", "no batch of 4", "no gradients", ""]
    outcomes = [outcome(f"a/{i}", "forward", "UNSUPPORTED", message=text) for i, text in enumerate(said)]
    found = [(hole.reason, hole.count) for hole in holes(report_of(outcome(), *outcomes))]
    assert found == [("no batch of 3", 2), ("no gradients", 1), ("no reason given", 1)]


def test_the_distribution_has_a_bar_for_each_bin(report_of, outcome, failure):
    (row,) = distributions(report_of(failure(interval=True), outcome()))
    assert len(row.bars) == len(HEADINGS) == len(EDGES) + 2
    assert row.elements == 360
    assert (row.bars[0][1], row.bars[-1][1]) == ("99.4 %", "0.6 %")


def test_the_closest_results_come_first_and_are_right(report_of, outcome, failure):
    import numpy as np

    from refconv.judge import judge_tensor

    def using(name, share):
        verdict = judge_tensor(np.array([share]), np.zeros(1), -np.ones(1), np.ones(1))
        return outcome(name, verdict=verdict, rule="standard:float32, n <= 3")

    report = report_of(using("a/1", 0.25), using("a/2", 0.75), using("a/3", 0.0), failure(interval=True))
    assert [found.case_id for found in closest(report)] == ["a/2", "a/1"]
