"""How an index is computed: fitted to what was recovered, and said in the letters of the loops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from refconv.diagnosis.orders import aligned_index, layout_index, relaid_index
from refconv.diagnosis.products import Array, Integers, Letters
from refconv.diagnosis.windows import Tiles, moved_by

FEW_MOVED = 4  # indices that are listed one by one

BENT: dict[str, Callable[[Integers, int], Integers]] = {
    "clamped": lambda true, extent: np.clip(true, 0, extent - 1),
    "wrapped": lambda true, extent: true % extent,
    "negative wrapped": lambda true, extent: np.where(true < 0, true + extent, true),
    "mirrored": lambda true, extent: _mirrored(true, max(1, 2 * (extent - 1))),
    "mirrored with its edge": lambda true, extent: _mirrored(2 * true + 1, 4 * extent) // 2,
}


def _mirrored(true: Integers, period: int) -> Integers:
    return np.minimum(true % period, period - true % period)


@dataclass(frozen=True)
class Frame:
    """A padded image of two axes, whose elements are counted row after row, plane after plane."""

    size: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]

    @property
    def shape(self) -> tuple[int, int]:
        """Its rows and columns."""
        (height, width), ((top, bottom), (left, right)) = self.size, self.padding
        return height + top + bottom, width + left + right

    def padded(self, flat: Integers) -> Integers:
        """Return the number in the padded image of an element of the plain one.

        Examples
        --------
        >>> frame = Frame((2, 3), ((1, 0), (0, 2)))
        >>> frame.padded(np.arange(6)).tolist(), frame.plain(np.arange(4, 9)).tolist()
        ([5, 6, 7, 10, 11, 12], [-1, 0, 1, 2, -1])
        """
        plane, row, column = np.unravel_index(flat, (int(flat.max(initial=0)) + 1, *self.size))
        rows, columns = self.shape
        number: Integers = (plane * rows + row + self.padding[0][0]) * columns + column + self.padding[1][0]
        return number

    def plain(self, number: Integers) -> Integers:
        """Return the element of the plain image; -1 on the padding."""
        rows, columns = self.shape
        plane, row, column = number // (rows * columns), number // columns % rows, number % columns
        row, column = row - self.padding[0][0], column - self.padding[1][0]
        height, width = self.size
        inside = (number >= 0) & (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return np.where(inside, (plane * height + row) * width + column, -1)


@dataclass(frozen=True)
class Formula:
    """An index as a function of the letters.

    Attributes
    ----------
    name : str
        Of the index: iw, ic, kh ...
    kind : str
        "same" (the true index), "affine", "table", "interleaved", "layout", "relaid", "aligned", "window", or a way to
        bend the true index (see BENT).
    extent : int
        The number of legal values.
    terms : tuple of (str, int)
        Letter and factor, for "affine"; true index and value, for "table"; "of" and "in", for "interleaved": so many
        of each so many lie next to each other that are as far apart as they can be; letter and extent, for "layout":
        the order of axes by which the memory of y is read, for "relaid": that by which it lies, and for "aligned",
        where the memory of each of the first letter starts at a multiple of ``constant``; number of an output and by
        how much its window is moved, for "window".
    constant : int
    frame : Frame, optional
        For "padded", where the terms count the elements of a padded image.
    tiles : Tiles, optional
        For "window", where a wrong count of tiles is what moves them.
    """

    name: str
    kind: str
    extent: int
    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0
    frame: Frame | None = None
    tiles: Tiles | None = None

    def values(self, letters: Letters, truth: Integers) -> Integers:
        """Compute the index in each slot; what is illegal stays so."""
        if self.kind == "same":
            return truth
        if self.kind == "relaid":
            return relaid_index(letters, self.terms)
        if self.kind == "aligned":
            return aligned_index(letters, self.terms, self.constant)
        if self.kind == "layout":
            return layout_index(letters, self.terms)
        if self.kind in ("affine", "padded"):
            total = np.full(len(truth), self.constant, np.int64)
            for letter, factor in self.terms:
                total = total + factor * letters[letter]
            return self.frame.plain(total) if self.frame else total
        if self.kind == "window":
            return truth + moved_by(letters, self.terms)
        if self.kind == "interleaved":
            return _interleaved(truth, *(number for _, number in self.terms))
        if self.kind == "table":
            return _looked_up(truth, {int(key): value for key, value in self.terms})
        return BENT[self.kind](truth, self.extent)

    @property
    def cost(self) -> int:
        """How hard it is to grasp."""
        return {
            "same": 0,
            "layout": 5,
            "relaid": 5,
            "aligned": 5,
            "padded": 3 + len(self.terms),
            "affine": 2 + len(self.terms),
            "interleaved": 6,
            "table": 4 + 2 * len(self.terms),
            "window": 5 if self.tiles else 4 + len(self.terms),
        }.get(self.kind, 3)

    def __str__(self) -> str:
        if self.kind == "interleaved":
            (_, few), (_, block) = self.terms
            start = f"{self.name} // {block} * {block} + " if block < self.extent else ""
            within = f"{self.name} % {block}" if start else self.name
            return f"{start}{self.name} % {few} * {block // few} + {within} // {few}"
        return expression(self.terms, self.constant) if self.kind in ("affine", "padded") else self.kind


def expression(terms: Sequence[tuple[str, int]], constant: int) -> str:
    """Write a sum.

    Examples
    --------
    >>> expression([("oh", 2), ("kh", -1)], 3), expression([], 0), expression([("c", 1)], -1)
    ('oh*2 - kh + 3', '0', 'c - 1')
    """
    parts = [(factor, f"{letter}*{abs(factor)}" if abs(factor) != 1 else letter) for letter, factor in terms if factor]
    parts += [(constant, str(abs(constant)))] if constant or not parts else []
    text = "".join(f" {'-' if sign < 0 else '+'} {part}" for sign, part in parts)
    return text[3:] if text.startswith(" + ") else "-" + text[3:]


def fit(
    name: str, target: Integers, truth: Integers, letters: Letters, extent: int, subsets: Sequence[Sequence[str]],
) -> Formula | None:  # fmt: skip
    """Find the simplest formula that gives the target in every slot.

    Examples
    --------
    >>> oh = np.arange(4)
    >>> print(fit("ih", oh * 3 - 1, oh * 2 - 1, {"oh": oh}, 12, [["oh"]]))
    oh*3 - 1
    """
    if np.array_equal(target, truth):
        return Formula(name, "same", extent)
    for letter_set in ([], *subsets):
        found = affine(target, letters, letter_set)
        if found is not None:
            return Formula(name, "affine", extent, *found)
    for kind, bend in BENT.items():
        if np.array_equal(bend(truth, extent), target):
            return Formula(name, kind, extent)
    return fit_interleaved(name, target, truth, extent) or _table(name, target, truth, extent)


def fit_interleaved(name: str, target: Integers, truth: Integers, extent: int) -> Formula | None:
    """Find blocks whose elements are taken crosswise, if that moves more than a few.

    Examples
    --------
    >>> print(fit_interleaved("k", np.array([0, 4, 1, 5, 2, 6, 3, 7]), np.arange(8), 8))
    k % 2 * 4 + k // 2
    """
    if len(np.unique(truth[target != truth])) <= FEW_MOVED:
        return None
    for block in (number for number in range(4, extent + 1) if extent % number == 0):
        for few in (number for number in range(2, block) if block % number == 0):
            if np.array_equal(_interleaved(truth, few, block), target):
                return Formula(name, "interleaved", extent, (("of", few), ("in", block)))
    return None


def _interleaved(truth: Integers, few: int, block: int) -> Integers:
    within = truth % block
    taken: Integers = truth - within + within % few * (block // few) + within // few
    return taken


def affine(target: Integers, letters: Letters, names: Sequence[str]) -> tuple[tuple[tuple[str, int], ...], int] | None:
    """Solve for whole factors and a constant; None if there are none."""
    used = [name for name in names if letters[name].min() < letters[name].max()]
    columns = np.stack([*(letters[name] for name in used), np.ones(len(target))], axis=1).astype(np.float64)
    some = slice(None, None, 1 + len(target) // 999)  # enough to solve for; all are compared
    solution, *_ = np.linalg.lstsq(columns[some], target[some].astype(np.float64), rcond=None)
    whole = np.rint(solution).astype(np.int64)
    if not np.array_equal(columns @ whole, target):
        return None
    return tuple((name, int(factor)) for name, factor in zip(used, whole[:-1], strict=True) if factor), int(whole[-1])


def _table(name: str, target: Integers, truth: Integers, extent: int) -> Formula | None:
    pairs = np.unique(np.stack([truth, target]), axis=1).T
    keys = [int(key) for key, _ in pairs]
    if len(set(keys)) < len(keys) or len(keys) > 4 * extent + 8:
        return None
    return Formula(name, "table", extent, tuple((str(key), int(value)) for key, value in pairs))


def _looked_up(truth: Integers, table: Mapping[int, int]) -> Integers:
    known = np.unique(truth)
    values = np.array([table.get(int(key), -1) for key in known], np.int64)
    looked: Array = values[np.searchsorted(known, truth)]
    return looked


def fit_aligned(target: Integers, letters: Letters, extents: Mapping[str, int]) -> Formula | None:
    """Find a power of two at whose multiples the memory of each of the first letter is thought to start."""
    shape = tuple(extents.items())
    for step in (sign * 2**power for power in range(1, 7) for sign in (1, -1)):
        if np.array_equal(aligned_index(letters, shape, step), target):
            return Formula("flat", "aligned", math.prod(extents.values()), shape, step)
    return None


def fit_relaid(target: Integers, letters: Letters, extents: Mapping[str, int]) -> Formula | None:
    """Find an order of axes by which memory lies that is read in C order."""
    for order in itertools.permutations(extents.items()):
        if np.array_equal(relaid_index(letters, order), target):
            return Formula("flat", "relaid", int(np.prod(list(extents.values()))), order)
    return None


def fit_layout(target: Integers, letters: Letters, extents: Mapping[str, int]) -> Formula | None:
    """Find an order of the axes of y by which a channel is read."""
    for order in itertools.permutations(extents.items()):
        if np.array_equal(layout_index(letters, order), target):
            return Formula("k", "layout", extents["k"], order)
    return None


def fit_freely(index: str, target: Integers, letters: Letters, names: Sequence[str], extent: int) -> Formula | None:
    """Try all sets of up to three letters."""
    for size in (1, 2, 3):
        for chosen in itertools.combinations(names, size):
            found = affine(target, letters, chosen)
            if found is not None:
                return Formula(index, "affine", extent, *found)
    return None
