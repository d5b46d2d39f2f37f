"""The picture of a failure, as guides to convolution draw it: padded source, kernel taps, stride and dilation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeGuard

from refconv.check import Outcome
from refconv.problem import ConvProblem, Problem, TransposedProblem
from refconv.report.words import place, problem_of

LARGEST = 40  # rows or columns; a larger picture shows nothing that its numbers do not
LABELLED = 49  # slots up to which each has a number

Slot = tuple[int, ...]
Place = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A rectangle, in cells."""

    row: int
    column: int
    height: int
    width: int


@dataclass(frozen=True)
class Mark:
    """A cell that is read, or must be.

    Attributes
    ----------
    row, column : int
    label : str
        The number of the kernel tap (or of the output) that meets it; empty where there are too many.
    kind : {"right", "wrong", "missing"}
    """

    row: int
    column: int
    label: str
    kind: str = "right"


@dataclass(frozen=True)
class Grid:
    """A field of cells.

    Attributes
    ----------
    title, caption : str
        What it is, and what is marked.
    whole, inner : Box
        All cells, and those that are no padding.
    marks : tuple of Mark
    windows : tuple of Box
        The reach of the kernel, and the same one stride on where there is such a place.
    """

    title: str
    caption: str
    whole: Box
    inner: Box
    marks: tuple[Mark, ...]
    windows: tuple[Box, ...] = ()

    @property
    def cell(self) -> int:
        """The size of a cell, in pixels."""
        return max(8, min(24, 300 // max(self.whole.height, self.whole.width)))


def draw(outcome: Outcome) -> Grid | None:
    """Draw what the first wrong element must read, or the first element where none is known.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    Grid or None
        None where a picture would not help.
    """
    problem = problem_of(outcome.descriptor)
    if problem is None or not drawable(problem) or outcome.operation == "grad_bias":
        return None
    index = outcome.first.index if outcome.first else (0, 0, 0, 0)
    return truth(problem, outcome.operation, index)


def drawable(problem: Problem) -> TypeGuard[ConvProblem]:
    """Tell whether a problem has a picture: a convolution over two axes, nothing empty or cropped, not too large."""
    if isinstance(problem, TransposedProblem):
        return False
    if len(problem.input_size) != 2 or min((*problem.x_shape, *problem.weight_shape, *problem.y_shape)) < 1:
        return False
    padded = [length + sum(pads) for length, pads in zip(problem.input_size, problem.padding, strict=True)]
    return min(map(min, problem.padding)) >= 0 and max(*padded, *problem.output_size) <= LARGEST


def truth(problem: ConvProblem, operation: str, index: tuple[int, ...]) -> Grid:
    """Draw what an element of a result must read.

    Parameters
    ----------
    problem : ConvProblem
        A drawable one.
    operation : {"forward", "grad_input", "grad_weight"}
    index : tuple of int
        The whole index of the element.
    """
    where = reads(problem, operation, index[2:])
    slots = "kernel taps" if operation != "grad_weight" else "outputs"
    caption = f"Numbered: what {place(operation, index)} must read, by {slots}."
    windows = _windows(problem, index[2:]) if operation == "forward" else ()
    caption += " Dashed: the next window, one stride on." if windows[1:] else ""
    return field(problem, operation, caption, marks(where, slots_of(problem, operation)), windows)


def field(
    problem: ConvProblem, operation: str, caption: str, marked: tuple[Mark, ...], windows: tuple[Box, ...] = ()
) -> Grid:
    """Draw marks on the tensor that an operation reads: the padded input, or the gradient of the output."""
    if operation == "grad_input":
        (oH, oW), whole = problem.output_size, Box(0, 0, *problem.output_size)
        return Grid(f"grad_output {oH} × {oW}", caption, whole, whole, marked)
    (H, W), ((top, bottom), (left, right)) = problem.input_size, problem.padding
    whole = Box(0, 0, top + H + bottom, left + W + right)
    title = f"Input {H} × {W}"
    if (whole.height, whole.width) != (H, W):
        title += f"; with padding (hatched) {whole.height} × {whole.width}"
    return Grid(title, caption, whole, Box(top, left, H, W), marked, windows)


def reads(problem: ConvProblem, operation: str, index: tuple[int, ...]) -> dict[Slot, Place]:
    """List what an element of a result must read, by the tap of the kernel, or the output, that it meets there.

    Returns
    -------
    dict
        From (kh, kw), or (oh, ow) for grad_weight, to a row and column: of the padded input for forward and
        grad_weight, of grad_output for grad_input.

    Examples
    --------
    >>> problem = ConvProblem.from_descriptor("n1c1i7x9-k1w3x2-s2x1-d1x2-p1+0x2+1-g1-o3x10")
    >>> list(reads(problem, "forward", (1, 4)).items())[:3]
    [((0, 0), (2, 4)), ((0, 1), (2, 6)), ((1, 0), (3, 4))]
    >>> reads(problem, "grad_input", (0, 7))
    {(1, 0): (0, 9), (1, 1): (0, 7)}
    """
    lines = [_line(problem, operation, axis, at) for axis, at in enumerate(index)]
    pairs = product(*(line.items() for line in lines))
    return {(kh, kw): (row, column) for (kh, row), (kw, column) in pairs}


def marked(problem: ConvProblem, operation: str, index: tuple[int, ...]) -> list[list[int]]:
    """List what an element of a result meets on the padded input, along each axis; for grad_input its own place.

    Examples
    --------
    >>> problem = ConvProblem.from_descriptor("n1c1i7x9-k1w3x2-s2x1-d1x2-p1+0x2+1-g1-o3x10")
    >>> marked(problem, "forward", (1, 4)), marked(problem, "grad_weight", (2, 0))[0]
    ([[2, 3, 4], [4, 6]], [2, 4, 6])
    """
    if operation == "grad_input":
        return [[begin + at] for at, (begin, _) in zip(index, problem.padding, strict=True)]
    return [list(_line(problem, operation, axis, at).values()) for axis, at in enumerate(index)]


def slots_of(problem: ConvProblem, operation: str) -> tuple[int, ...]:
    """Return the extents of what an element of a result runs over: the kernel, or the output for grad_weight."""
    return problem.output_size if operation == "grad_weight" else problem.kernel_size


def marks(where: Mapping[Slot, Place], extents: tuple[int, ...]) -> tuple[Mark, ...]:
    """Give each place the number of its slot."""
    return tuple(Mark(row, column, label(slot, extents)) for slot, (row, column) in where.items())


def label(slot: Slot, extents: tuple[int, ...]) -> str:
    """Give a slot its number in C order; none, where there are too many to be read.

    Examples
    --------
    >>> label((1, 2), (3, 4)), label((1, 2), (9, 9))
    ('6', '')
    """
    (row, column), (rows, columns) = slot, extents
    return str(row * columns + column) if rows * columns <= LABELLED else ""


def _line(problem: ConvProblem, operation: str, axis: int, at: int) -> dict[int, int]:
    stride, dilation, (begin, _) = problem.stride[axis], problem.dilation[axis], problem.padding[axis]
    kernel, outputs = range(problem.kernel_size[axis]), range(problem.output_size[axis])
    if operation == "forward":
        return {tap: at * stride + tap * dilation for tap in kernel}
    if operation == "grad_weight":
        return {output: output * stride + at * dilation for output in outputs}
    starts = {tap: at + begin - tap * dilation for tap in kernel}
    return {tap: start // stride for tap, start in starts.items() if start % stride == 0 and start // stride in outputs}


def _windows(problem: ConvProblem, index: tuple[int, ...]) -> tuple[Box, ...]:
    """Frame the window of an output, and its neighbour along every axis that has another place."""
    (kH, kW), (dH, dW) = problem.kernel_size, problem.dilation
    places = [index, tuple(o + 1 if o + 1 < n else o for o, n in zip(index, problem.output_size, strict=True))]
    corners = [(oh * problem.stride[0], ow * problem.stride[1]) for oh, ow in dict.fromkeys(places)]
    return tuple(Box(row, column, dH * (kH - 1) + 1, dW * (kW - 1) + 1) for row, column in corners)
