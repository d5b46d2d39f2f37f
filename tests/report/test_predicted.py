from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refconv.diagnosis.defects import every_defect
from refconv.diagnosis.layer import Layer
from refconv.judge import judge_tensor
from refconv.problem import OPERATIONS, ConvProblem
from refconv.report.geometry import Mark
from refconv.report.predicted import draw_predicted

PROBLEM = ConvProblem.from_descriptor("n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10")
PLAIN = ConvProblem.from_descriptor("n1c1i4x5-k2w2x3-s1x1-d1x1-p0+0x0+0-g1-o3x3")


def failing(outcome, slug, operation="forward", problem=PROBLEM):
    rng = np.random.default_rng(1)
    x, weight, y = (rng.integers(-9, 9, problem.shape_of(name)).astype(float) for name in ("x", "weight", "y"))
    tensors = {"forward": (x, weight, None), "grad_input": (y, weight), "grad_weight": (x, y), "grad_bias": (y,)}
    got, truth = (
        getattr(layer, operation)(*tensors[operation], problem) for layer in (every_defect()[slug](), Layer())
    )
    return outcome(operation=operation, status="FAIL", descriptor=problem.descriptor, verdict=judge_tensor(got, truth))


def test_a_flipped_kernel_reads_the_same_pixels_with_other_taps(outcome):
    picture = draw_predicted(failing(outcome, "kernel-flipped", problem=PLAIN), "kernel-flipped")
    assert picture.marks == tuple(
        Mark(row, column, str(5 - (3 * row + column)), "wrong") for row in (1, 0) for column in (2, 1, 0)
    )
    assert picture.caption == (
        "What y[0, 0, 0, 0] reads if it is kernel-flipped. Crossed: read there, and must not be: 0, 1, 2, 3, 4, 5."
    )


def test_exchanged_strides_are_read_from_the_wrong_window(outcome):
    picture = draw_predicted(failing(outcome, "stride-axes-swapped"), "stride-axes-swapped")  # y[0, 0, 0, 1]
    wrong = {(mark.label, mark.row, mark.column) for mark in picture.marks if mark.kind == "wrong"}
    # ow = 1 begins at 2 instead of at 1; taps 0 and 1 lie in the padding either way
    assert wrong == {("2", 1, 2), ("3", 1, 4), ("4", 2, 2), ("5", 2, 4)}


def test_taps_in_the_padding_that_must_read_nothing_are_right(outcome):
    picture = draw_predicted(failing(outcome, "last-tap-dropped"), "last-tap-dropped")
    kinds = {mark.label: mark.kind for mark in picture.marks}
    assert kinds == {"0": "right", "1": "right", "2": "right", "3": "right", "4": "right", "5": "missing"}


def test_what_is_read_of_another_channel_is_said(outcome):
    picture = draw_predicted(failing(outcome, "group-offset-ignored"), "group-offset-ignored")
    assert "On other channels or images, or more than one element: 3, 5." in picture.caption


@pytest.mark.parametrize("operation", ["grad_input", "grad_weight"])
def test_gradients_are_asked_too(outcome, operation):
    picture = draw_predicted(failing(outcome, "kernel-flipped", operation), "kernel-flipped")
    assert any(mark.kind == "wrong" for mark in picture.marks)


def test_a_bias_is_read_nowhere(outcome):
    wrong = failing(outcome, "grad-bias-of-first-image", "grad_bias")
    assert draw_predicted(wrong, "grad-bias-of-first-image") is None


def test_a_large_problem_is_not_asked(outcome, failure):
    large = ConvProblem(batch=1, in_channels=200, out_channels=4, input_size=(30, 30), kernel_size=(3, 3))
    assert draw_predicted(replace(failure(), descriptor=large.descriptor), "kernel-flipped") is None


@pytest.mark.slow
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "grad_bias"])
def test_no_defect_model_breaks_the_drawing(outcome, operation):
    drawn = 0
    for slug, model in every_defect().items():
        if operation in model.operations:
            try:
                found = failing(outcome, slug, operation)
            except (ValueError, IndexError):
                continue
            drawn += found.first is not None and draw_predicted(found, slug) is not None
    assert drawn > 50
