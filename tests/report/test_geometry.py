from __future__ import annotations

import pytest

from refconv.problem import ConvProblem
from refconv.report.geometry import Box, draw, marked

PADDED = ConvProblem.from_descriptor("n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10")


def one_tap(**fields):
    defaults = {"batch": 1, "in_channels": 1, "out_channels": 1, "input_size": (3, 4), "kernel_size": (1, 1)}
    return ConvProblem(**(defaults | fields)).descriptor


def test_a_forward_failure_shows_input_and_output(failure):
    picture, output = draw(failure())  # y[0, 0, 0, 5]: oh = 0, ow = 5
    assert (picture.whole, picture.inner) == (Box(0, 0, 8, 12), Box(1, 2, 7, 9))
    assert picture.windows == (Box(0, 5, 3, 3), Box(2, 6, 3, 3))
    assert picture.dots == "M5.5 0.5h0M7.5 0.5h0M5.5 1.5h0M7.5 1.5h0M5.5 2.5h0M7.5 2.5h0"
    assert (output.whole, output.dots) == (Box(0, 0, 3, 10), "M5.5 0.5h0")


def test_the_last_window_has_no_next_one(outcome):
    (picture,) = draw(outcome(status="ERROR", descriptor=one_tap(input_size=(1, 1))))
    assert len(picture.windows) == 1


@pytest.mark.parametrize(
    ("operation", "index", "rows", "columns"),
    [
        ("forward", (2, 9), [4, 5, 6], [9, 11]),
        ("grad_weight", (2, 1), [2, 4, 6], list(range(2, 12))),
        ("grad_input", (0, 0), [1], [2]),
    ],
)
def test_what_an_element_reads_is_marked(operation, index, rows, columns):
    assert marked(PADDED, operation, index) == [rows, columns]


@pytest.mark.parametrize(
    "descriptor",
    ["?", one_tap(input_size=(41, 3)), one_tap(input_size=(38, 3), padding=((2, 1), (0, 0))), one_tap(batch=0),
     one_tap(input_size=(4,), kernel_size=(2,)), one_tap(input_size=(4, 4, 4), kernel_size=(2, 2, 2))],
)  # fmt: skip
def test_a_picture_that_would_not_help_is_not_drawn(outcome, descriptor):
    assert draw(outcome(status="ERROR", descriptor=descriptor)) == []


def test_a_bias_has_no_place_in_the_input(outcome):
    assert draw(outcome(operation="grad_bias", status="ERROR")) == []


def test_the_largest_picture_is_drawn(outcome):
    (picture,) = draw(outcome(status="ERROR", descriptor=one_tap(input_size=(40, 3))))
    assert picture.cell * 40 <= 320
