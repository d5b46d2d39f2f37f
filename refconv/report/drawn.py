"""One case, drawn: what one element of a result is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from refconv.errors import ReportError
from refconv.implementations import RESULT_NAMES
from refconv.problem import Problem
from refconv.report.geometry import LARGEST, drawable, reads
from refconv.report.panels import Panel, Place, lines, svg
from refconv.suite import Case

Array = npt.NDArray[Any]
DRAWN = ("forward", "grad_input", "grad_weight")
LONGEST = 8  # characters of a number that is drawn; others are left out


def panels_of(case: Case, operation: str = "forward", index: tuple[int, ...] | None = None) -> list[Panel]:
    """Draw what one element of a result reads, the numbers it is multiplied with, and the result.

    Parameters
    ----------
    case : Case
    operation : {"forward", "grad_input", "grad_weight"}
    index : tuple of int, optional
        Of the element; by default the first one.

    Raises
    ------
    ReportError
        If there is no such result or element, or it would be no picture.
    """
    problem = case.problem
    if operation not in DRAWN:
        raise ReportError(f"a drawing is of {', '.join(DRAWN)}, got {operation!r}.")
    if not drawable(problem):
        raise ReportError(
            f"{case.id} cannot be drawn: it must be a convolution, not transposed, over two axes, with nothing empty, "
            f"and up to {LARGEST} rows."
        )
    shape = problem.shape_of(operation)
    at = index or (0,) * len(shape)
    if len(at) != len(shape) or not all(0 <= i < n for i, n in zip(at, shape, strict=True)):
        raise ReportError(f"an element of {operation} must lie within {shape}, got {at}; give it as --at 0,0,1,2.")
    where = reads(problem, operation, (at[2], at[3]))
    return [*_factors(case, operation, at, where), _result(case, operation, at)]


def drawing(case: Case, operation: str = "forward", index: tuple[int, ...] | None = None) -> str:
    """Return the same as an SVG document."""
    name = f"{case.id}, {operation}: what one element is made of"
    return svg(panels_of(case, operation, index), name)


def print_drawing(
    case: Case, operation: str, index: tuple[int, ...] | None, console: Console, asked: bool = True
) -> None:
    """Print the drawing in characters; where nobody asked for it and it is none, nothing."""
    try:
        panels = panels_of(case, operation, index)
    except ReportError:
        if asked:
            raise
        return
    console.print(f"\n[bold]What one element of {operation} is made of[/] (\\[] read, ** the result, . padding)")
    for panel in panels:
        for line in lines(panel):
            console.print(f"  {line}", markup=False)


def index_of(text: str | None) -> tuple[int, ...] | None:
    """Read an index.

    Raises
    ------
    ReportError
        If it is none.

    Examples
    --------
    >>> index_of("0,1, 2,3")
    (0, 1, 2, 3)
    """
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ReportError(f"--at must be numbers separated by commas, such as 0,0,1,2, got {text!r}.") from None


def _factors(case: Case, operation: str, at: tuple[int, ...], where: dict[tuple[int, ...], Place]) -> list[Panel]:
    problem, (a, b) = case.problem, at[:2]
    channels, filters = problem.in_channels // problem.groups, problem.out_channels // problem.groups
    if operation == "forward":
        first = _padded(case, (a, b // filters * channels), where, problem)
        corner = next(iter(where.values()))
        reach = [d * (k - 1) + 1 for d, k in zip(problem.dilation, problem.kernel_size, strict=True)]
        first = Panel(first.title, first.cells, first.kinds, window=(corner, (reach[0], reach[1])))
        return [first, _plane(case, "weight", (b, 0), list(where), "∗")]
    if operation == "grad_weight":
        first = _padded(case, (0, a // filters * channels + b), where, problem)
        return [first, _plane(case, "grad_output", (0, a), list(where), "∗")]
    k = b // channels * filters
    return [
        _plane(case, "grad_output", (a, k), list(where.values()), ""),
        _plane(case, "weight", (k, b % channels), list(where), "∗"),
    ]


def _padded(case: Case, plane: tuple[int, int], where: dict[tuple[int, ...], Place], problem: Problem) -> Panel:
    x = _words(case.inputs.get("x"), plane)
    rows, columns = problem.input_size
    (top, bottom), (left, right) = problem.padding
    cells = [[""] * (left + columns + right) for _ in range(top + rows + bottom)]
    kinds = {(i, j): "padding" for i in range(len(cells)) for j in range(len(cells[0]))}
    for i in range(rows):
        for j in range(columns):
            cells[top + i][left + j] = x[i][j] if x else ""
            del kinds[top + i, left + j]
    kinds |= {place: "read" for place in where.values() if place not in kinds}
    return Panel(f"x[{plane[0]}, {plane[1]}]", tuple(map(tuple, cells)), kinds)


def _plane(case: Case, name: str, plane: tuple[int, int], marked: list[Any], sign: str) -> Panel:
    shape = case.problem.shape_of("y" if name == "grad_output" else "weight")[2:]
    words = _words(case.inputs.get(name), plane) or [[""] * shape[1] for _ in range(shape[0])]
    return Panel(f"{name}[{plane[0]}, {plane[1]}]", tuple(map(tuple, words)), dict.fromkeys(marked, "read"), sign)


def _result(case: Case, operation: str, at: tuple[int, ...]) -> Panel:
    name = RESULT_NAMES[operation]
    shape, expected = case.problem.shape_of(operation)[2:], case.expected.get(name)
    tensor = None if expected is None else expected.tensor
    words = _words(tensor, (at[0], at[1])) or [[""] * shape[1] for _ in range(shape[0])]
    sums = case.problem.in_channels > case.problem.groups or (operation != "forward" and case.problem.batch > 1)
    sign, marked = "+ … =" if sums else "=", {(at[2], at[3]): "mark"}
    return Panel(f"{name}[{at[0]}, {at[1]}]", tuple(map(tuple, words)), marked, sign)


def _words(tensor: Array | None, plane: tuple[int, int]) -> list[list[str]]:
    """Write the numbers of a plane; nothing, where there are none or they are too long."""
    if tensor is None:
        return []
    words = [[_word(float(value)) for value in row] for row in np.asarray(tensor[plane]).astype(np.float64)]
    return words if max(len(word) for row in words for word in row) <= LONGEST else []


def _word(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}" if np.isfinite(value) else str(value)
