"""Outputs that compute what belongs to other outputs: their windows are moved."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from refconv.diagnosis.products import Integers, Letters

NOWHERE = -(10**6)  # so far that no window leads back to the image
LARGEST_TILE = 8


@dataclass(frozen=True)
class Tiles:
    """Outputs in tiles of ``rows`` x ``columns``, whose number is taken apart by another length of a row of tiles.

    Attributes
    ----------
    rows, columns : int
        Of a tile.
    across, taken : int
        How many tiles there are in a row, and how many it is thought to be.
    """

    rows: int
    columns: int
    across: int
    taken: int

    def outputs(self, oh: Integers, ow: Integers) -> tuple[Integers, Integers]:
        """Return the output whose window each output gets.

        Examples
        --------
        >>> oh, ow = Tiles(1, 1, 3, 2).outputs(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]))
        >>> oh.tolist(), ow.tolist()
        ([0, 0, 1, 1], [0, 1, 0, 1])
        """
        tile = oh // self.rows * self.across + ow // self.columns
        row, column = np.divmod(tile, self.taken)
        return row * self.rows + oh % self.rows, column * self.columns + ow % self.columns


def tiles_of(size: Sequence[int]) -> Iterator[Tiles]:
    """Yield all ways to miscount the tiles of an output of some size, the simplest first."""
    height, width = size
    shapes = itertools.product(range(1, min(LARGEST_TILE, height) + 1), range(1, min(LARGEST_TILE, width) + 1))
    for rows, columns in sorted(shapes, key=lambda shape: (shape[0] != shape[1], shape)):
        across, down = -(-width // columns), -(-height // rows)
        for taken in sorted({down, across - 1, across + 1, width // columns} - {across, 0}):
            yield Tiles(rows, columns, across, taken)


def moved_by(letters: Letters, shifts: Sequence[tuple[str, int]]) -> Integers:
    """Return by how much the windows move, by the number of the output; those that are not listed read nothing."""
    number = letters["o"]
    table = np.full(int(number.max(initial=0)) + 1, NOWHERE)
    for key, shift in shifts:
        table[int(key)] = shift
    moved: Integers = table[number]
    return moved


def shifts_of(letters: Letters, moved: Integers) -> tuple[tuple[str, int], ...] | None:
    """List by how much the window of each output moves; None if that is not the same for all of its taps.

    Examples
    --------
    >>> shifts_of({"o": np.array([0, 0, 1])}, np.array([2, 2, -1])), shifts_of({"o": np.array([0, 0])}, np.arange(2))
    ((('0', 2), ('1', -1)), None)
    """
    pairs = np.unique(np.stack([letters["o"], moved]), axis=1).T
    if len(np.unique(pairs[:, 0])) < len(pairs):
        return None
    return tuple((str(key), int(shift)) for key, shift in pairs)


def miscounted(
    rows: Sequence[tuple[str, int]], columns: Sequence[tuple[str, int]], size: Sequence[int], stride: Sequence[int]
) -> Tiles | None:
    """Find the tiles whose miscount explains how windows move, and which outputs read nothing; None if none does."""
    oh, ow = (part.ravel() for part in np.indices(tuple(size)))
    moved = [dict(rows), dict(columns)]
    for tiles in tiles_of(size):
        places = tiles.outputs(oh, ow)
        inside = (places[0] < size[0]) & (places[1] < size[1])
        shifts = [step * (place - own) for step, place, own in zip(stride, places, (oh, ow), strict=True)]
        predicted = [{str(o): int(shift[o]) for o in np.flatnonzero(inside)} for shift in shifts]
        if predicted == moved:
            return tiles
    return None


def said(
    tiles: Tiles | None, rows: Sequence[tuple[str, int]], columns: Sequence[tuple[str, int]], size: Sequence[int],
    stride: Sequence[int],
) -> str:  # fmt: skip
    """Say which window each output gets: by the tiles that are miscounted, or one by one.

    Examples
    --------
    >>> said(None, [("0", 0), ("1", 2)], [("0", 0), ("1", -1)], (2, 2), (2, 1))
    'outputs (oh, ow) read the windows of others: (0, 1) that of (1, 0); and outputs (1, 0), (1, 1) read nothing'
    """
    if tiles is not None:
        shape = f"{tiles.rows} x {tiles.columns}"
        what = "the number of an output" if shape == "1 x 1" else f"the number of an output's tile ({shape})"
        return f"{what} is taken apart by {tiles.taken} to a row, where there are {tiles.across}"
    down, right = dict(rows), dict(columns)
    moved, lost = [], []
    for number, (oh, ow) in enumerate(np.ndindex(size[0], size[1])):
        shift = down.get(str(number)), right.get(str(number))
        if None in shift:
            lost.append(f"({oh}, {ow})")
        elif any(shift):
            place = oh + _steps(shift[0], stride[0]), ow + _steps(shift[1], stride[1])
            moved.append(f"({oh}, {ow}) that of ({place[0]:g}, {place[1]:g})")
    text = f"outputs (oh, ow) read the windows of others: {', '.join(moved)}" if moved else ""
    nothing = f"outputs {', '.join(lost)} read nothing" if lost else ""
    return "; and ".join(filter(None, [text, nothing]))


def _steps(shift: int | None, stride: int) -> float:
    return (shift or 0) / stride
