"""Counters of 16 bits, found by a small case that is repeated."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from refconv import check, load_suite
from refconv.check.many_images import COUNTED, SLOW, TRIAL
from refconv.diagnosis.defects import every_defect
from refconv.implementations.references import Reference
from refconv.problem import ConvProblem
from refconv.reference import im2col
from refconv.suite import Case, Expected, Group, Judge, note_for, write_group, write_manifest

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


class Wraps(Reference):
    """Counts the images in 11 bits, so that its results have another shape than they must."""

    def __init__(self):
        super().__init__(im2col)

    def forward(self, x, weight, bias, problem):
        return super().forward(x, weight, bias, problem)[: problem.batch % TRIAL]


def test_another_number_of_images_is_a_wrong_shape(core):
    report = check(Wraps(), core, CASES[1:], ["forward"])
    assert [failure.message for failure in report.failures] == [
        "the result is right, but not with 2052 images that repeat those of the case: y must have shape "
        "(2052, 1, 1, 2), got (4, 1, 1, 2)"
    ]


@pytest.mark.parametrize("extents", [{"in_channels": 0}, {"out_channels": 0}])
def test_cases_without_elements_are_repeated_too(extents, tmp_path):
    problem = replace(ConvProblem(batch=2, in_channels=1, out_channels=1, input_size=(1, 1), kernel_size=(1, 1),
                                  padding=((0, 0), (0, 1))), **extents)  # fmt: skip
    tensors = {name: np.zeros(problem.shape_of(name), np.float32) for name in ("x", "weight", "bias", "grad_output")}
    expected = {name: Expected(np.zeros(problem.shape_of(name), np.float32), Judge("exact"))
                for name in ("y", "grad_input", "grad_weight", "grad_bias")}  # fmt: skip
    case = Case("empty/one", "", ("Basic",), "valid", problem, tensors, expected)
    group = Group("empty", "core", ("One case.",), {"Basic": note_for("Basic")}, (case,))
    write_manifest(tmp_path, "core", "2026.1.31", [write_group(tmp_path, group)], {})
    report = check(Reference(im2col), load_suite(tmp_path))
    assert {outcome.status for outcome in report.outcomes} == {"PASS"}, [o.message for o in report.outcomes]


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
