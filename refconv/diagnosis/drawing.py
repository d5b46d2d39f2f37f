"""Draw what a wrong result reads: the padded input, the taps that are right, missing and wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from refconv.diagnosis.difference import Difference
from refconv.diagnosis.products import ABSENT, ROLES
from refconv.diagnosis.views import View
from refconv.implementations import RESULT_NAMES
from refconv.problem import ConvProblem

SIGNS = {"right": "o", "missing": "-", "wrong": "+", "inside": ".", "padding": ":"}
COLOURS = {"right": "#2a7", "missing": "#fff", "wrong": "#d33", "inside": "#eee", "padding": "#ccc"}
BORDERS = {"missing": 'stroke="#d33" stroke-width="2" stroke-dasharray="3 2"', "wrong": 'stroke="#811"'}
USUAL = 'stroke="#999"'
MARKED = ("missing", "wrong", "right")
LARGEST = 60
CELL = 16


@dataclass(frozen=True)
class Drawing:
    """A plane of cells: what one element of a result reads there, and what it should.

    Attributes
    ----------
    title : str
    cells : tuple of tuple of str
        Of ``right``, ``missing``, ``wrong``, ``inside`` and ``padding``.
    """

    title: str
    cells: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Return it for a terminal."""
        rows = ["  " + " ".join(SIGNS[cell] for cell in row) for row in self.cells]
        key = "o read as it must be, - must be read and is not, + is read and must not be, : padding"
        return "\n".join([self.title, *rows, key])

    def svg(self) -> str:
        """Return it for a web page."""
        height, width = len(self.cells) * CELL + 2, len(self.cells[0]) * CELL + 2
        placed = [(cell, row, column) for row, line in enumerate(self.cells) for column, cell in enumerate(line)]
        placed.sort(key=lambda box: box[0] in MARKED)  # their borders lie above those of their neighbours
        boxes = "".join(
            f'<rect class="{cell}" x="{column * CELL + 1}" y="{row * CELL + 1}" width="{CELL}" height="{CELL}" '
            f'fill="{COLOURS[cell]}" {BORDERS.get(cell, USUAL)}/>'
            for cell, row, column in placed
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img"><title>{self.title}</title>{boxes}</svg>'
        )


def draw(difference: Difference, problem: ConvProblem) -> Drawing | None:
    """Draw the first element of the result that differs; None where there is no plane to draw.

    The plane is that of x for forward and grad_weight, and that of grad_output for grad_input.
    """
    view = difference.view
    if view is None or difference.tensor == "bias" or len(problem.input_size) != 2:
        return None
    roles = ROLES[difference.operation]
    tensor = "y" if roles.result == "x" else "x"
    truth, met = (set(pairs) for pairs in _pairs(view, roles.result, tensor))
    if truth == met:
        return None
    first = min(element for element, _ in truth ^ met)
    should, does = ({place for element, place in some if element == first} for some in (truth, met))
    size = problem.input_size if tensor == "x" else problem.output_size
    plane = min(should ^ does) // math.prod(size)
    padding = problem.padding if tensor == "x" else ((0, 0), (0, 0))
    if max(length + sum(pads) for length, pads in zip(size, padding, strict=True)) > LARGEST:
        return None
    cells = np.pad(np.full(size, "inside", dtype="<U8"), padding, constant_values="padding")
    inner = cells[padding[0][0] :, padding[1][0] :]
    for place in should | does:
        if place // math.prod(size) == plane:
            verdict = "right" if place in should & does else ("missing" if place in should else "wrong")
            inner[np.unravel_index(place % math.prod(size), size)] = verdict
    name = RESULT_NAMES[difference.operation]
    index = ", ".join(map(str, np.unravel_index(first, problem.shape_of(roles.result))))
    image, channel = np.unravel_index(plane, problem.shape_of(tensor)[:2])
    source = "x" if tensor == "x" else "grad_output"
    title = f"What {name}[{index}] reads of {source}[{image}, {channel}]:"
    return Drawing(title, tuple(tuple(map(str, row)) for row in cells))


def _pairs(view: View, result: str, source: str) -> Iterator[list[tuple[int, int]]]:
    """Yield (element of the result, element that it reads) of all slots: as it must be, and as it is."""
    columns = {name: view.known[name] for name in ("y", "x", "weight") if name != view.tensor}
    for target in (view.truth, *(layer.target for layer in view.layers[:1])):
        columns[view.tensor] = target
        there = (columns[result] != ABSENT) & (columns[source] != ABSENT) & (target < view.size) & (target != ABSENT)
        yield list(zip(columns[result][there].tolist(), columns[source][there].tolist(), strict=True))
