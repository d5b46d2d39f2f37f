"""Counters of 16 bits, found by a small case that is repeated."""

import time
from pathlib import Path

import pytest

from refconv import check, load_suite
from refconv.check.many_images import COUNTED, SLOW, TRIAL
from refconv.diagnosis.defects import every_defect
from refconv.implementations.references import Reference
from refconv.reference import im2col

CORE = Path(__file__).parents[2] / "vectors" / "core"

CASES = ["basic-float32-exact/one-by-one", "pairs-float32-exact/n3c2i1x1-k1w1x1-s7x3-d1x2-p0.2x3.0-g1"]


class Counts(Reference):
    def __init__(self, seconds=0.0):
        super().__init__(im2col)
        self.name, self.seconds, self.batches = "counts", seconds, []

    def forward(self, x, weight, bias, problem):
        self.batches.append(problem.batch)
        if problem.batch > TRIAL:
            time.sleep(self.seconds)
        return super().forward(x, weight, bias, problem)


@pytest.mark.parametrize(
    ("slug", "operations"),
    [
        ("images-beyond-grid-forward", {"forward"}),
        ("images-beyond-grid-of-gradient", {"grad_weight"}),
        ("offset-in-sixteen-bits", {"forward", "grad_weight"}),
    ],
)
def test_what_no_small_case_shows_is_found(core, slug, operations):
    report = check(every_defect()[slug](), core, CASES)
    assert {failure.operation for failure in report.failures} == operations
    assert all("images that repeat those of the case" in failure.message for failure in report.failures)
    assert not check(every_defect()[slug](), core, CASES, thorough=False).failures


def test_a_right_layer_passes_and_was_asked_for_so_many(core):
    layer = Counts()
    assert not check(layer, core, CASES).failures
    assert max(layer.batches) > COUNTED


def test_a_slow_layer_is_not_asked_for_so_many(core):
    layer = Counts(seconds=2 * SLOW)
    assert not check(layer, core, CASES).failures
    assert TRIAL < max(layer.batches) < COUNTED


def test_cases_of_many_products_are_not_repeated(core):
    layer = Counts()
    check(layer, core, ["basic-float32-exact/stride"])
    assert max(layer.batches) < TRIAL


@pytest.fixture(scope="module")
def core():
    return load_suite(CORE)
