"""Where a wrong result is wrong: its errors over all positions, and the numbers around the first wrong element."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LARGEST = 40  # rows and columns of a map; a larger tensor is pooled, so that a run with many failures stays small
PATCH = (6, 6)  # rows and columns of numbers


@dataclass(frozen=True, eq=False)
class Closeup:
    """A wrong tensor in two maps and a patch of numbers, of bounded size.

    Attributes
    ----------
    cell : (int, int)
        How many rows and columns of the tensor one cell of ``error`` and ``wrong`` stands for.
    error : array, shape (rows, columns), float32
        The largest error over all images and channels, in units of the bound; infinite where none was allowed.
        Rows and columns are the last two axes, those of a volume one below the other.
    wrong : array, shape (rows, columns), float32
        The share of wrong elements at these positions, from 0 to 1.
    planes : array, shape (A, B), float32
        The same for each pair of leading indices (image and channel, or filter and channel), over all positions;
        pooled, too, where there are many.
    lengths : (int, int, int, int)
        The extents of the tensor: leading indices, rows, columns.
    affected : tuple of tuple of int
        For each of these axes the indices at which something is wrong.
    leading : (int, int)
        The pair of leading indices of the first wrong element, to which the patch belongs.
    place : (int, int)
        Its row and column.
    corner : (int, int)
        Row and column at which the patch begins.
    expected, got, bad : array, of one shape
        The numbers of the patch in float64, and where they are wrong.
    """

    cell: tuple[int, int]
    error: Array
    wrong: Array
    planes: Array
    lengths: tuple[int, ...]
    affected: tuple[tuple[int, ...], ...]
    leading: tuple[int, int]
    place: tuple[int, int]
    corner: tuple[int, int]
    expected: Array
    got: Array
    bad: Array


def close_up(expected: Array, got: Array, outside: Array, error: Array) -> Closeup:
    """Look closely at a wrong result.

    Parameters
    ----------
    expected, got : array, of one shape, float64
    outside : array of bool
        Which elements are wrong: at least one.
    error : array
        In units of the bound.

    Examples
    --------
    >>> expected, got = np.zeros((2, 1, 3, 4)), np.zeros((2, 1, 3, 4))
    >>> got[1, 0, 2, 1] = 5
    >>> found = close_up(expected, got, got != 0, got / 2)
    >>> found.error[2].tolist(), found.planes.shape, found.leading
    ([0.0, 2.5, 0.0, 0.0], (2, 1), (1, 0))
    """
    expected, got, outside, error = (_four_axes(array) for array in (expected, got, outside, error))
    planes, positions = outside.mean(axis=(2, 3)), outside.mean(axis=(0, 1))
    a, b, row, column = (int(i) for i in np.argwhere(outside)[0])
    corner = _corner(row, positions.shape[0], PATCH[0]), _corner(column, positions.shape[1], PATCH[1])
    window = a, b, slice(corner[0], corner[0] + PATCH[0]), slice(corner[1], corner[1] + PATCH[1])
    everywhere = tuple(np.flatnonzero(outside.any(axis=tuple({0, 1, 2, 3} - {axis}))) for axis in range(4))
    return Closeup(
        cell=_cell(positions), error=_largest(error.max(axis=(0, 1))), wrong=_mean(positions), planes=_mean(planes),
        lengths=outside.shape, affected=tuple(tuple(found.tolist()) for found in everywhere),
        leading=(a, b), place=(row, column), corner=corner,
        expected=expected[window].copy(), got=got[window].copy(), bad=outside[window].copy(),
    )  # fmt: skip


def _four_axes(array: Array) -> Array:
    if array.ndim == 1:  # a gradient of the bias
        return array.reshape(1, 1, 1, -1)
    *rows, columns = array.shape[2:] or (1,)
    return array.reshape(*array.shape[:2], math.prod(rows), columns)


def _cell(values: Array) -> tuple[int, int]:
    rows, columns = (-(-length // LARGEST) for length in values.shape)
    return rows, columns


def _largest(values: Array) -> Array:
    return _pooled(values, np.maximum).astype(np.float32)


def _mean(values: Array) -> Array:
    return (_pooled(values, np.add) / _pooled(np.ones(values.shape), np.add)).astype(np.float32)


def _pooled(values: Array, reduce: np.ufunc) -> Array:
    for axis, step in enumerate(_cell(values)):
        if step > 1:
            values = reduce.reduceat(values, range(0, values.shape[axis], step), axis=axis)
    return values


def _corner(at: int, length: int, patch: int) -> int:
    return max(0, min(at - patch // 2, length - patch))
