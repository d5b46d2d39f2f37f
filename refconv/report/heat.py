"""Where a result is wrong: heat maps over output positions and over channels, and the same in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.check import Outcome
from refconv.report.words import number

AXES = {
    "forward": ("image", "output channel", "row", "column"),
    "grad_input": ("image", "input channel", "row", "column"),
    "grad_weight": ("output channel", "channel of the group", "kernel row", "kernel column"),
    "grad_bias": ("", "", "", "output channel"),
}
BOUNDS = (1.0, 2.0, 10.0, 100.0)  # of the levels of an error, in units of the bound; the first level is allowed
ERRORS = ("no error", "allowed", "up to 2", "up to 10", "up to 100", "over 100")
SHARES = (0.25, 0.5, 0.999)  # of the levels of a share of wrong elements
PORTIONS = ("right", "", "up to a quarter wrong", "up to half", "most", "all wrong")


@dataclass(frozen=True)
class Heat:
    """A map of cells in few levels.

    Attributes
    ----------
    title : str
    rows, columns : int
    paths : tuple of (int, str)
        For each level above 0 that occurs the cells, as the data of an SVG path.
    legend : tuple of (int, str)
        The levels that occur, and what they mean.
    ring : (float, float) or None
        Row and column of the first wrong element.
    """

    title: str
    rows: int
    columns: int
    paths: tuple[tuple[int, str], ...]
    legend: tuple[tuple[int, str], ...]
    ring: tuple[int, int] | None = None

    @property
    def cell(self) -> float:
        """The size of a cell, in pixels."""
        return max(5, min(22, 300 // max(self.rows, self.columns)))


def heat_maps(outcome: Outcome) -> list[Heat]:
    """Draw the errors of a wrong result over its positions, and over images and channels where there are several."""
    closeup = outcome.verdict.closeup if outcome.verdict else None
    if closeup is None or outcome.first is None:
        return []
    names = AXES[outcome.operation]
    exact = not np.isfinite(closeup.error[closeup.wrong > 0]).any()
    row, column = closeup.lengths[2:]
    what = f"{row} × {column} {names[2]}s and {names[3]}s" if names[2] else f"{column} {names[3]}s"
    if exact:
        levels, words, unit = _levels(closeup.wrong, SHARES, 2), PORTIONS, "wrong elements"
    else:
        levels, words, unit = _levels(closeup.error, BOUNDS, 1), ERRORS, "largest error in units of the bound"
    first = closeup.place[0] // closeup.cell[0], closeup.place[1] // closeup.cell[1]
    maps = [_heat(f"Positions: {what}; {unit}{_cells(closeup.cell)}", levels, words, first)]
    if closeup.planes.size > 1:
        a, b = closeup.lengths[:2]
        title = f"{names[0].capitalize()}s × {names[1]}s: {a} × {b}; wrong elements"
        maps.append(_heat(title, _levels(closeup.planes, SHARES, 2), PORTIONS, None))
    return maps


def pattern(outcome: Outcome) -> str:
    """Say in a sentence which images, channels, rows and columns are wrong.

    Examples
    --------
    >>> from refconv.judge import judge_tensor
    >>> truth, got = np.zeros((2, 3, 4, 5)), np.zeros((2, 3, 4, 5))
    >>> got[1, :, 2:, ::2] = 7
    >>> pattern(Outcome("a/b", "forward", "FAIL", (), "", "", "float32", "exact", verdict=judge_tensor(got, truth)))
    'Wrong: image 1 of 2; all 3 output channels; rows 2–3 of 4; columns 0, 2, 4 (every 2nd) of 5.'
    """
    closeup = outcome.verdict.closeup if outcome.verdict else None
    if closeup is None:
        return ""
    axes = zip(AXES[outcome.operation], closeup.affected, closeup.lengths, strict=True)
    parts = [some(name, found, length) for name, found, length in axes if name and length > 1]
    return f"Wrong: {'; '.join(parts)}." if parts else ""


def some(name: str, found: Sequence[int], length: int) -> str:
    """Name some of the indices of an axis.

    Examples
    --------
    >>> some("row", (0, 1, 2), 3), some("row", (4,), 5), some("row", (0, 1, 2, 7), 9)
    ('all 3 rows', 'row 4 of 5', 'rows 0–2, 7 of 9')
    """
    plural = name.replace("channel", "channels", 1) if " of " in name else f"{name}s"
    if len(found) == length:
        return f"all {length} {plural}"
    runs = np.split(np.array(found), np.flatnonzero(np.diff(found) != 1) + 1)
    listed = ", ".join(_run(run) for run in runs[:6]) + (" …" if len(runs) > 6 else "")
    steps = set(np.diff(found).tolist())
    every = f" (every {_ordinal(min(steps))})" if len(found) > 2 and len(steps) == 1 and min(steps) > 1 else ""
    return f"{plural if len(found) > 1 else name} {listed}{every} of {length}"


@dataclass(frozen=True)
class Patch:
    """The numbers around the first wrong element: expected beside got.

    Attributes
    ----------
    title : str
    columns : list of int
    rows : list of (int, list of str, list of (str, bool))
        The index of the row, what is expected, and what was got and whether it is wrong.
    """

    title: str
    columns: list[int]
    rows: list[tuple[int, list[str], list[tuple[str, bool]]]]


def patch(outcome: Outcome) -> Patch | None:
    """Return the numbers around the first wrong element."""
    closeup = outcome.verdict.closeup if outcome.verdict else None
    if closeup is None or outcome.first is None:
        return None
    (top, left), (height, width) = closeup.corner, closeup.got.shape
    lead = zip(AXES[outcome.operation][:2], closeup.leading, strict=True)
    title = ", ".join(f"{name} {at}" for name, at in lead if name)
    rows = [
        (
            top + i,
            [_short(value) for value in closeup.expected[i]],
            [(_short(value), bool(bad)) for value, bad in zip(closeup.got[i], closeup.bad[i], strict=True)],
        )
        for i in range(height)
    ]
    return Patch(title, [left + j for j in range(width)], rows)


def _levels(values: npt.NDArray[Any], bounds: Sequence[float], lowest: int) -> npt.NDArray[np.int64]:
    """Sort values into levels: 0 for none, then from ``lowest`` on, split at the bounds."""
    return np.where(values > 0, np.searchsorted(bounds, values) + lowest, 0)


def _heat(title: str, levels: npt.NDArray[Any], words: Sequence[str], ring: tuple[int, int] | None) -> Heat:
    occurring = [int(level) for level in np.unique(levels)]
    paths = tuple((level, _path(levels == level)) for level in occurring if level)
    rows, columns = levels.shape
    return Heat(title, rows, columns, paths, tuple((level, words[level]) for level in occurring), ring)


def _path(there: npt.NDArray[np.bool_]) -> str:
    """Join the cells of each row to as few rectangles as possible."""
    steps = np.diff(np.pad(there, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.argwhere(steps == 1), np.argwhere(steps == -1)
    pairs = zip(begins.tolist(), ends.tolist(), strict=True)
    return "".join(f"M{left} {row}h{right - left}v1h{left - right}z" for (row, left), (_, right) in pairs)


def _cells(cell: tuple[int, int]) -> str:
    return "" if cell == (1, 1) else f"; one cell is {cell[0]} × {cell[1]}"


def _run(run: npt.NDArray[Any]) -> str:
    return str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}"


def _ordinal(step: int) -> str:
    return f"{step}{({2: 'nd', 3: 'rd'}).get(step, 'th')}"


def _short(value: float) -> str:
    if not np.isfinite(value):
        return number(value)
    return number(value) if value == round(value) and abs(value) < 1e7 else f"{value:.6g}"
