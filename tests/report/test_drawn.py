"""The drawing of one case, and its forms."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from refconv.errors import ReportError
from refconv.report.drawn import DRAWN, drawing, panels_of
from refconv.report.geometry import drawable
from refconv.suite import load_suite
from refconv.suite.embedded import smoke_folder

SUITE = load_suite(smoke_folder())
WORKED = "worked-example-float32-iota/x3x3-w2x2"


def read(panel):
    return {place: panel.cells[place[0]][place[1]] for place, kind in panel.kinds.items() if kind == "read"}


def test_the_drawing_shows_the_products_whose_sum_is_the_marked_result():
    x, weight, y = panels_of(SUITE.case(WORKED), "forward", (0, 0, 0, 1))
    assert list(read(x).values()) == ["2", "3", "5", "6"]
    assert list(read(weight).values()) == ["1", "2", "3", "4"]
    assert [y.cells[i][j] for (i, j), kind in y.kinds.items() if kind == "mark"] == ["47"]  # 2 + 6 + 15 + 24


def test_a_drawing_that_is_opened_alone_lies_on_paper_of_its_own():
    (_, style, paper, *_) = ElementTree.fromstring(drawing(SUITE.case(WORKED), "forward", (0, 0, 0, 1)))
    assert (paper.get("class"), paper.get("width"), paper.get("height")) == ("paper", "100%", "100%")
    light, dark = style.text.split("@media(prefers-color-scheme:dark)")
    assert ".paper{fill:#fff}" in light
    assert ".paper{fill:#14181d}" in dark


@pytest.mark.parametrize("operation", DRAWN)
def test_what_is_marked_adds_up_to_the_golden_value_everywhere(operation):
    case = SUITE.case(WORKED)  # one channel, one filter, one image: there is no other plane
    for index in np.ndindex(*case.problem.shape_of(operation)):
        first, second, result = panels_of(case, operation, index)
        numbers = (
            float(a or 0) * float(b or 0) for a, b in zip(read(first).values(), read(second).values(), strict=True)
        )
        (marked,) = (result.cells[i][j] for (i, j), kind in result.kinds.items() if kind == "mark")
        assert sum(numbers) == float(marked)


def test_padding_is_drawn_around_the_input():
    problem = SUITE.case("asymmetric-float32-exact/s21-d12-p1021").problem
    x = panels_of(SUITE.case("asymmetric-float32-exact/s21-d12-p1021"))[0]
    (top, bottom), (left, right) = problem.padding
    H, W = problem.input_size
    assert (len(x.cells), len(x.cells[0])) == (top + H + bottom, left + W + right)
    assert sum(kind == "padding" for kind in x.kinds.values()) == len(x.cells) * len(x.cells[0]) - H * W


def test_the_svg_is_a_document_with_a_title_that_needs_nothing_else():
    text = drawing(SUITE.case(WORKED))
    root = ElementTree.fromstring(text)
    assert root.find("{http://www.w3.org/2000/svg}title").text == f"{WORKED}, forward: what one element is made of"
    assert "37" in [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "", 1)


@pytest.mark.parametrize(
    ("operation", "index", "words"),
    [
        ("grad_bias", None, "a drawing is of forward, grad_input, grad_weight, got 'grad_bias'"),
        ("forward", (0, 0, 2, 0), "must lie within (1, 1, 2, 2), got (0, 0, 2, 0)"),
        ("forward", (0, 0), "must lie within (1, 1, 2, 2), got (0, 0)"),
        ("forward", (0, 0, -1, 0), "must lie within (1, 1, 2, 2), got (0, 0, -1, 0)"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(operation, index, words):
    with pytest.raises(ReportError) as error:
        panels_of(SUITE.case(WORKED), operation, index)
    assert words in str(error.value)


def test_every_case_that_comes_along_has_a_drawing():
    refused = [case_id for case_id in SUITE.select(("*",)) if not drawable(SUITE.case(case_id).problem)]
    for case_id in set(SUITE.select(("*",))) - set(refused):
        ElementTree.fromstring(drawing(SUITE.case(case_id)))
    assert refused == [
        "batch-float32-exact/n0",  # nothing to draw
        "compact-float32-exact/n1c3i2x41-k3w3x12-s3x2-d1x2-p1.1x0.0-g3",  # the others are too wide or too high
        "compact-float32-exact/n1c2i66x3-k1w2x2-s1x1-d1x1-p0.0x0.0-g1",
        "corners-int8-exact/row-of-1027",
    ]
