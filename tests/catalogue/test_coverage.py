"""Every legal pair of factor values occurs in core, every legal triple in extended; the counter counts rightly."""

import subprocess
import sys
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import pytest

from refconv import ConvProblem, GeometryError
from refconv.catalogue import CaseSpec, Row, cases
from refconv.catalogue.coverage import AXIS, axis_values, blocks, coverage, legal

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


def test_one_command_prints_the_table():
    done = subprocess.run([sys.executable, TABLE, "--pairs-only"], capture_output=True, text=True, check=True)
    assert "100.00 %" in done.stdout
