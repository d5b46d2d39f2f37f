"""Golden values that stand in no file: an implementation that has read the files is found out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from refconv import ConvProblem, check, exact, load_suite
from refconv.check import FreshSuite
from refconv.check.fresh import fresh_case
from refconv.reference import direct
from refconv.suite.embedded import smoke_folder

CORE = Path(__file__).parents[2] / "vectors" / "core"


class HasReadTheFiles:
    """Answers what the vectors expect, by their inputs, and zeros to everything else."""

    name = "cheat"

    def __init__(self, suite):
        self.known = {case.inputs["weight"].tobytes() + case.inputs["x"].tobytes(): case.expected["y"].tensor
                      for case in suite if "y" in case.expected}  # fmt: skip

    def forward(self, x, weight, bias, problem):
        zeros = np.zeros(problem.y_shape, x.dtype)
        return self.known.get(weight.tobytes() + x.tobytes(), zeros)


@pytest.fixture
def suite():
    return load_suite(smoke_folder())


def test_who_has_read_the_files_passes_them_and_no_fresh_numbers(suite):
    cheat = HasReadTheFiles(suite)
    select = ["asymmetric-float32-*", "grouped-*"]
    assert check(cheat, suite, select, ["forward"], thorough=False).passed
    report = check(cheat, FreshSuite(suite, 1), select, ["forward"], thorough=False)
    assert not any(outcome.status == "PASS" for outcome in report.outcomes)


@pytest.mark.parametrize("seed", [0, 2026])
def test_right_convolutions_pass_fresh_numbers(suite, seed):
    report = check("im2col", FreshSuite(suite, seed))
    assert report.passed, report.failures[0].message
    assert len(report.outcomes) == len(check("im2col", suite, thorough=False).outcomes)


def test_right_convolutions_pass_fresh_numbers_of_every_kind():
    select = ["non-finite-*", "float8-*", "largest-*", "few-terms-*", "ends-*"]
    assert check("im2col", FreshSuite(load_suite(CORE), 7), select, thorough=False).passed


def test_numbers_are_not_dealt_where_honest_sums_have_no_bound():
    """MAX * x - MAX: the magnitudes exceed float64, and two roundings miss the exact result."""
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 4), kernel_size=(1, 1))
    x, largest = np.linspace(0.1, 0.9, 8).reshape(problem.x_shape), np.full(1, np.finfo(np.float64).max)
    inputs = {"x": x, "weight": largest.reshape(1, 1, 1, 1), "bias": -largest}
    y = exact.forward(*inputs.values(), problem, "float64", using=direct)
    assert np.isfinite(y).all()
    assert (direct.forward(*inputs.values(), problem) != y).any()
    old = load_suite(CORE).case("largest-float64-zero-mean/weight-and-bias")
    case = replace(old, problem=problem, inputs=inputs, expected={"y": replace(old.expected["y"], tensor=y)})
    assert fresh_case(case, 1) is case


def test_golden_values_of_fresh_numbers_are_those_of_another_reference(suite):
    case = fresh_case(suite.case("asymmetric-float32-exact/s21-d12-p1021"), 3)
    y = direct.forward(case.inputs["x"], case.inputs["weight"], case.inputs.get("bias"), case.problem)
    assert np.array_equal(case.expected["y"].tensor, y)


def test_equal_seeds_give_equal_numbers_and_jobs_change_nothing(suite):
    one = check("direct", FreshSuite(suite, 5), ["asymmetric-*"])
    two = check("direct", FreshSuite(suite, 5), ["asymmetric-*"], jobs=2)
    assert [replace(o, seconds=0.0) for o in one.outcomes] == [replace(o, seconds=0.0) for o in two.outcomes]
    worst = [o.worst for o in check("direct", FreshSuite(suite, 6), ["asymmetric-*"]).outcomes]
    assert worst != [o.worst for o in one.outcomes]
