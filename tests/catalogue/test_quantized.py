"""Quantised cases: what they hold, against rational arithmetic, and whom they tell apart."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from refconv import DisagreementError
from refconv.catalogue import cases
from refconv.exact import ROUNDINGS
from refconv.generate import consult, golden_case
from refconv.implementations import as_runner
from refconv.reference import direct
from refconv.suite import lint_case

SPECS = {spec.id: spec for spec in cases("core", ["quantized*"])}
CASES = {name: golden_case(spec) for name, spec in SPECS.items()}
CHOICES = [name for name, case in CASES.items() if case.alternatives]


def golden(case):
    """Return refconv's own y: half to even."""
    return (case.alternatives.get("half-to-even") or case.expected)["y"].tensor


def rational(case, early=0):
    """Compute y as fractions from the definition; ``early`` is added before the rounding instead of after."""
    q = case.quantization
    offsets = np.resize(q.weight_zero_point, case.problem.out_channels).reshape(-1, 1, 1, 1)
    x = (case.inputs["x"].astype(int) - q.x_zero_point).astype(object)
    weight, bias = (case.inputs["weight"].astype(int) - offsets).astype(object), case.inputs.get("bias")
    sums = direct.forward(x, weight, None if bias is None else bias.astype(object), case.problem)
    low, high = np.iinfo(q.out_format).min, np.iinfo(q.out_format).max
    result = np.empty(sums.shape, int)
    for index in np.ndindex(sums.shape):
        scale = q.weight_scale[index[1] % len(q.weight_scale)]
        real = sums[index] * Fraction(q.x_scale) * Fraction(scale) / Fraction(q.y_scale)
        result[index] = min(max(round(real + early) + q.y_zero_point - early, low), high)
    return result


@pytest.mark.parametrize("name", CASES)
def test_the_golden_is_the_rational_number_rounded_half_to_even(name):
    np.testing.assert_array_equal(golden(CASES[name]), rational(CASES[name]))


@pytest.mark.parametrize("name", CASES)
def test_the_lint_finds_nothing_and_a_float64_oracle_agrees_on_the_sums(name):
    assert list(lint_case(CASES[name])) == []
    assert consult(as_runner(direct), SPECS[name]) == {"forward": "equal"}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_hold_every_way_to_round(name):
    assert list(CASES[name].alternatives) == list(ROUNDINGS)


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("/ties")])
def test_the_zero_point_before_the_rounding_matches_no_policy(name):
    early = rational(CASES[name], early=7)
    assert all((results["y"].tensor != early).any() for results in CASES[name].alternatives.values())


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("/double-rounding")])
def test_two_roundings_are_told_from_one(name):
    alternatives = CASES[name].alternatives
    assert (alternatives["fixed-point-double-rounding"]["y"].tensor != golden(CASES[name])).sum() > 5
    assert (alternatives["fixed-point-single-rounding"]["y"].tensor == golden(CASES[name])).all()


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("/saturation")])
def test_results_saturate_both_ways(name):
    ends = np.iinfo(CASES[name].quantization.out_format)
    y = golden(CASES[name])
    assert (y == ends.min).sum() >= 3
    assert (y == ends.max).sum() >= 3


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("/padded")])
def test_padding_with_zeros_instead_of_the_zero_point_shows(name):
    case = CASES[name]
    filled = np.pad(case.inputs["x"], ((0, 0), (0, 0), *case.problem.padding))  # stored zeros, not zero points
    wrong = replace(case.problem, input_size=filled.shape[2:], padding=())
    assert (rational(replace(case, problem=wrong, inputs=case.inputs | {"x": filled})) != golden(case)).any()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if len(case.quantization.weight_scale) > 1])
def test_the_scale_of_the_first_channel_for_all_shows(name):
    case = CASES[name]
    first = replace(case.quantization, weight_scale=case.quantization.weight_scale[:1])
    assert (rational(replace(case, quantization=first)) != golden(case)).any()


def test_ways_to_round_that_differ_must_be_stated():
    spec = SPECS[CHOICES[0]]
    with pytest.raises(DisagreementError, match="the row must state its policies"):
        golden_case(replace(spec, row=replace(spec.row, policies=())))
