"""The picture of a failure: the padded input and what the first wrong element reads of it, in cells of one unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from refconv.check import Outcome
from refconv.problem import ConvProblem
from refconv.report.words import place, problem_of

LARGEST = 40  # rows or columns; a larger picture shows nothing that its numbers do not


@dataclass(frozen=True)
class Box:
    """A rectangle, in cells."""

    row: int
    column: int
    height: int
    width: int


@dataclass(frozen=True)
class Grid:
    """A field of cells.

    Attributes
    ----------
    title, caption : str
        What it is, and what is marked.
    whole, inner : Box
        All cells, and those that are no padding.
    dots : str
        The marked cells, as the data of an SVG path: a point in the middle of each.
    windows : tuple of Box
        The reach of the kernel, and the same one stride on where there is such a place.
    """

    title: str
    caption: str
    whole: Box
    inner: Box
    dots: str
    windows: tuple[Box, ...] = ()

    @property
    def cell(self) -> int:
        """The size of a cell, in pixels."""
        return max(7, min(16, 320 // max(self.whole.height, self.whole.width)))


def draw(outcome: Outcome) -> list[Grid]:
    """Draw the input of a two-dimensional problem, and the output where an element of it is wrong.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    list of Grid
        Empty where a picture would not help.
    """
    problem = problem_of(outcome.descriptor)
    if problem is None or len(problem.input_size) != 2 or outcome.operation == "grad_bias":
        return []
    padded = [length + sum(pads) for length, pads in zip(problem.input_size, problem.padding, strict=True)]
    if max(padded) > LARGEST or min(problem.y_shape, default=0) < 1:
        return []
    if outcome.first is None:
        return [_input(problem, "forward", (0, 0), "the first output")]
    index = outcome.first.index[2:]
    grids = [_input(problem, outcome.operation, index, place(outcome.operation, outcome.first.index))]
    return [*grids, _output(problem, index)] if outcome.operation == "forward" else grids


def marked(problem: ConvProblem, operation: str, index: tuple[int, ...]) -> list[list[int]]:
    """List what an element of a result reads of the padded input, along each axis.

    Parameters
    ----------
    problem : ConvProblem
    operation : {"forward", "grad_input", "grad_weight"}
    index : (int, int)
        (oh, ow), (ih, iw) or (kh, kw).

    Examples
    --------
    >>> problem = ConvProblem.from_descriptor("n1c1i7x9-k1w3x2-s2x1-d1x2-p1+0x2+1-g1-o3x10")
    >>> marked(problem, "forward", (1, 4)), marked(problem, "grad_weight", (2, 0))[0]
    ([[2, 3, 4], [4, 6]], [2, 4, 6])
    """
    axes = zip(index, problem.kernel_size, problem.output_size, problem.stride, problem.dilation, problem.padding,
               strict=True)  # fmt: skip
    if operation == "forward":
        return [[o * stride + k * dilation for k in range(kernel)] for o, kernel, _, stride, dilation, _ in axes]
    if operation == "grad_weight":
        return [[o * stride + k * dilation for o in range(outputs)] for k, _, outputs, stride, dilation, _ in axes]
    return [[begin + i] for i, _, _, _, _, (begin, _) in axes]


def _input(problem: ConvProblem, operation: str, index: tuple[int, ...], name: str) -> Grid:
    (H, W), ((top, bottom), (left, right)) = problem.input_size, problem.padding
    whole = Box(0, 0, top + H + bottom, left + W + right)
    title = f"Input {H} × {W}"
    if (whole.height, whole.width) != (H, W):
        title += f"; with padding (hatched) {whole.height} × {whole.width}"
    windows = _windows(problem, index) if operation == "forward" else ()
    meaning = {"forward": f"Dots: what {name} reads.", "grad_weight": f"Dots: the inputs that {name} sums over."}
    caption = meaning.get(operation, f"Dot: the place of {name}.")
    caption += " Dashed: the next window, one stride on." if windows[1:] else ""
    return Grid(title, caption, whole, Box(top, left, H, W), _dots(*marked(problem, operation, index)), windows)


def _output(problem: ConvProblem, index: tuple[int, ...]) -> Grid:
    (oH, oW), (oh, ow) = problem.output_size, index
    whole = Box(0, 0, oH, oW)
    return Grid(f"Output {oH} × {oW}", "Dot: the first wrong element.", whole, whole, _dots([oh], [ow]))


def _windows(problem: ConvProblem, index: tuple[int, ...]) -> tuple[Box, ...]:
    """Frame the window of an output, and its neighbour along every axis that has another place."""
    (kH, kW), (dH, dW) = problem.kernel_size, problem.dilation
    places = [index, tuple(o + 1 if o + 1 < n else o for o, n in zip(index, problem.output_size, strict=True))]
    corners = [(oh * problem.stride[0], ow * problem.stride[1]) for oh, ow in dict.fromkeys(places)]
    return tuple(Box(row, column, dH * (kH - 1) + 1, dW * (kW - 1) + 1) for row, column in corners)


def _dots(rows: Iterable[int], columns: Iterable[int]) -> str:
    return "".join(f"M{column}.5 {row}.5h0" for row, column in product(rows, columns))
