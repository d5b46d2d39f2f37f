"""Every legal pair of factor values occurs in core, every legal triple in extended; the counter counts rightly."""

import itertools
import random
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

from refconv import ConvProblem, GeometryError, TransposedProblem
from refconv.catalogue import CaseSpec, Row, cases
from refconv.catalogue.coverage import AXIS, axis_values, blocks, coverage, legal
from refconv.catalogue.operators import (
    OPERATORS,
    TRANSPOSED_AXIS,
    convolution_values,
    factors_of,
    operator_of,
    transposed_values,
)
from refconv.reference import direct
from refconv.reference.transposed import direct as transposed_direct

TABLE = Path(__file__).parents[2] / "scripts" / "coverage.py"


def test_every_legal_pair_occurs_in_the_pairs_of_core():
    assert coverage(cases("core", ["pairs-*"]), 2).missing == ()


@pytest.mark.slow
def test_every_legal_triple_occurs_in_the_triples_of_extended():
    found = coverage(cases("extended", ["triples-*"]), 3)
    assert found.missing == ()
    assert found.covered == found.legal > 60_000


def test_a_row_taken_away_is_noticed():
    specs = cases("core", ["pairs-*"])
    padded = [spec for spec in specs if spec.problem.padding[0][0] < 2]
    assert any(("height-begin", "2+") in pair for pair in coverage(padded, 2).missing)


def test_cases_that_leave_something_open_do_not_count():
    [spec] = cases("core", ["basic-float32-exact/stride"])
    assert coverage([spec], 1).covered == 23
    assert coverage([replace(spec, row=replace(spec.row, policies=("padding-is-zero",)))], 1).covered == 0


def test_the_values_of_an_axis():
    said = dict(zip(AXIS, axis_values(length=9, kernel=4, stride=3, dilation=2, begin=1, end=2), strict=True))
    assert said == {"length": "odd", "kernel": "4+", "stride": "3+", "dilation": "2", "begin": "1", "end": "2+",
                    "leftover": "yes", "outputs": "2-4"}  # fmt: skip


@pytest.mark.parametrize(
    ("length", "kernel", "size"), [(1, 1, "one"), (1, 3, "one"), (2, 3, "under"), (3, 3, "fit"), (4, 3, "even")]
)
def test_lengths_are_told_by_what_the_kernel_reaches(length, kernel, size):
    assert axis_values(length, kernel, 1, 1, 2, 2)[0] == size


@pytest.mark.slow
def test_no_small_convolution_has_a_pair_of_values_that_is_called_illegal():
    known, [height, *_] = set(legal(2)), blocks()
    ranges = (range(1, 9), range(1, 5), range(1, 10), range(1, 4), range(4), range(4))
    for length, kernel, stride, dilation, begin, end in product(*ranges):
        try:
            problem = ConvProblem.from_shapes(
                (1, 1, length, 1), (1, 1, kernel, 1), (stride, 1), ((begin, end), (0, 0)), (dilation, 1)
            )
        except GeometryError:
            continue
        reads = (o * stride + t * dilation for o in range(problem.output_size[0]) for t in range(kernel))
        if any(begin <= place < begin + length for place in reads):
            values = axis_values(length, kernel, stride, dilation, begin, end)
            found = combinations(zip(height.factors, values, strict=True), 2)
            assert set(found) <= known, problem


def test_values_beyond_the_factors_are_no_coverage():
    problem = ConvProblem(batch=0, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(3, 3))
    found = coverage([CaseSpec("g", Row("s", "", problem), "float8_e5m2", "narrow")], 1)
    assert found.covered == 23 - 3  # batch, element and fill


def specs_of(operator):
    return cases("axes", [f"{operator.replace('_', '-')}-pairs-*"])


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_legal_pair_of_an_operator_occurs_in_the_pairs_of_axes(operator):
    found = coverage(specs_of(operator), 2, factors_of(operator))
    assert found.missing == ()
    assert {operator_of(spec.problem) for spec in specs_of(operator)} == {operator}


@pytest.mark.parametrize("operator", OPERATORS)
def test_rows_that_crop_are_missed_where_they_are_taken_away(operator):
    kept = [spec for spec in specs_of(operator) if min(map(min, spec.problem.padding)) >= 0]
    factors = factors_of(operator)
    cropping = {pair for pair in legal(2, factors) if "<0" in dict(pair).values()}
    assert cropping
    assert cropping <= set(coverage(kept, 2, factors).missing)


@pytest.mark.parametrize(
    ("axis", "said"),
    [((4, 3, 2, 1, (0, 1)), "same-upper"), ((4, 3, 2, 1, (1, 0)), "same-lower"), ((5, 3, 2, 1, (1, 1)), "same"),
     ((4, 3, 2, 1, (0, 0)), "valid"), ((4, 3, 2, 1, (2, 2)), "symmetric"), ((4, 3, 2, 1, (2, 1)), "asymmetric"),
     ((4, 3, 2, 1, (-1, -1)), "symmetric")],
)  # fmt: skip
def test_the_rule_by_which_an_axis_is_padded(axis, said):
    assert convolution_values(*axis)[-1] == said


def _problems(transposed):
    """Draw small layers along one axis that read their input: (values, problem)."""
    draw = random.Random(20261125)
    while True:
        axis = dict(length=draw.randint(1, 9), kernel=draw.randint(1, 8), stride=draw.randint(1, 9),
                    dilation=draw.randint(1, 4), pads=(draw.randint(-3, 9), draw.randint(-3, 9)))  # fmt: skip
        extra = {"extra": draw.randint(0, 3)} if transposed else {}
        fields = dict(batch=1, in_channels=1, out_channels=1, input_size=(axis["length"],),
                      kernel_size=(axis["kernel"],), stride=(axis["stride"],), dilation=(axis["dilation"],),
                      padding=(axis["pads"],))  # fmt: skip
        try:
            problem = TransposedProblem(**fields, output_padding=(extra["extra"],)) if transposed else ConvProblem(
                **fields)  # fmt: skip
        except GeometryError:
            continue
        yield (transposed_values if transposed else convolution_values)(**axis, **extra), problem


@pytest.mark.slow
@pytest.mark.parametrize("operator", ["conv1d", "conv_transpose1d"])
def test_no_layer_along_one_axis_has_a_pair_of_values_that_is_called_illegal(operator):
    factors = factors_of(operator)
    known, names = set(legal(2, factors)), factors.blocks[0].factors
    module = transposed_direct if "transpose" in operator else direct
    for values, problem in itertools.islice(_problems("transpose" in operator), 4000):
        y = module.forward(np.ones(problem.x_shape), np.ones(problem.weight_shape), None, problem)
        if y.any():
            assert set(combinations(zip(names, values, strict=True), 2)) <= known, problem


def test_how_many_products_meet_is_counted_as_a_layer_of_ones_does():
    for values, problem in itertools.islice(_problems(transposed=True), 300):
        p = replace(problem, input_size=(40,), padding=((0, 0),), output_padding=(0,))
        y = transposed_direct.forward(np.ones(p.x_shape), np.ones(p.weight_shape), None, p)
        inside = set(y.ravel()[20 * p.stride[0] :][: p.stride[0]].tolist())
        kind = "gaps" if 0 in inside else "uneven" if len(inside) > 1 else "single" if inside == {1.0} else "equal"
        assert dict(zip(TRANSPOSED_AXIS, values, strict=True))["overlap"] == kind, problem


def test_one_command_prints_the_table():
    done = subprocess.run([sys.executable, TABLE, "--pairs-only"], capture_output=True, text=True, check=True)
    assert done.stdout.count("100.00 %") == 6  # images, and the five operators of axes
