from __future__ import annotations

from dataclasses import replace

import pytest

from refconv.problem import ConvProblem
from refconv.report.geometry import Box, Mark, draw, marked, reads

PADDED = ConvProblem.from_descriptor("n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10")


def one_tap(**fields):
    defaults = {"batch": 1, "in_channels": 1, "out_channels": 1, "input_size": (3, 4), "kernel_size": (1, 1)}
    return ConvProblem(**(defaults | fields)).descriptor


def test_a_forward_failure_shows_what_its_taps_must_read(failure):
    picture = draw(failure())  # y[0, 0, 0, 5]: oh = 0, ow = 5
    assert (picture.whole, picture.inner) == (Box(0, 0, 8, 12), Box(1, 2, 7, 9))
    assert picture.windows == (Box(0, 5, 3, 3), Box(2, 6, 3, 3))
    places = [(0, 5), (0, 7), (1, 5), (1, 7), (2, 5), (2, 7)]
    assert picture.marks == tuple(Mark(*place, str(tap)) for tap, place in enumerate(places))


def test_an_input_gradient_is_drawn_on_the_gradient_of_the_output(failure):
    first = replace(failure().first, index=(1, 2, 4, 8))
    verdict = replace(failure().verdict, first=first)
    picture = draw(replace(failure(), operation="grad_input", verdict=verdict))
    assert (picture.title, picture.windows) == ("grad_output 3 × 10", ())
    # kh: 4 + 1 - kh = 2 oh for kh = 1, oh = 2;  kw: 8 + 2 - 2 kw = ow for kw = 1, ow = 8
    assert reads(PADDED, "grad_input", (4, 8)) == {(1, 1): (2, 8)}
    assert picture.marks == (Mark(2, 8, "3"),)


def test_more_taps_than_can_be_read_carry_no_numbers(outcome):
    picture = draw(
        outcome(status="ERROR", descriptor=one_tap(input_size=(8, 8), kernel_size=(5, 10), padding=((0, 0), (1, 1))))
    )
    assert {mark.label for mark in picture.marks} == {""}


def test_the_last_window_has_no_next_one(outcome):
    picture = draw(outcome(status="ERROR", descriptor=one_tap(input_size=(1, 1))))
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
    assert draw(outcome(status="ERROR", descriptor=descriptor)) is None


def test_a_bias_has_no_place_in_the_input(outcome):
    assert draw(outcome(operation="grad_bias", status="ERROR")) is None


def test_the_largest_picture_is_drawn(outcome):
    picture = draw(outcome(status="ERROR", descriptor=one_tap(input_size=(40, 3))))
    assert picture.cell * 40 <= 320
