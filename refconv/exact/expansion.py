"""Exact sums as arrays of float64: added without an error, rounded once.

The sum of two float64 numbers and its error are both float64 numbers, and six additions compute them (Knuth, "The
Art of Computer Programming", vol. 2, section 4.2.2).  So a sum of arrays becomes an *expansion*: a few arrays of
decreasing size whose sum is exact.  Its first array, corrected by the sign of the rest, is all that a rounding needs
(Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError
from refconv.exact.places import at_once, held
from refconv.exact.slicing import SIGNIFICAND, Reals, as_float64, ceil_log2, is_ordinary
from refconv.formats import NumberFormat

Array = npt.NDArray[Any]
Float64s = npt.NDArray[np.float64]

CHUNK = 2**14  # elements that are rounded at a time, so that an expansion stays in cache


class Part(NamedTuple):
    """An array of multiples of 2**low that are smaller than 2**high."""

    values: Reals
    low: int
    high: int


def two_sum(first: Any, second: Any) -> tuple[Any, Any]:
    """Return the rounded sum and its error, which add up to the exact one.

    Examples
    --------
    >>> two_sum(1.0, 2.0**-60) == (1.0, 2.0**-60)
    True
    """
    total = first + second
    virtual = total - first
    return total, (first - (total - virtual)) + (second - virtual)


def can_expand(parts: list[Part]) -> bool:
    """Tell whether no addition of the parts can overflow, and no bit of them lies below the normal numbers."""
    guard = ceil_log2(len(parts)) + 1
    return all(is_ordinary(part.low, part.high + guard) for part in parts)


def round_parts(
    parts: list[Part], shape: tuple[int, ...], out: NumberFormat, overflow: str, upward: bool = False
) -> Array:
    """Round the exact sum of parts to a format, once.

    Parameters
    ----------
    parts : list of Part
        Of shape ``shape``, for which :func:`can_expand` holds.
    out : NumberFormat
    overflow : {"infinity", "saturate", "nan"}
        What becomes of a value beyond the largest finite one.
    upward : bool
        Round toward plus infinity instead of to nearest.

    Raises
    ------
    FormatError
        If an integer format cannot hold a value.
    """
    if not parts:
        return np.zeros(shape, dtype=out.dtype)
    low = min(part.low for part in parts)
    parts = [part._replace(values=held(part.values, out, low)) for part in sorted(parts, key=lambda part: -part.high)]
    rounded = np.zeros(shape, dtype=out.dtype, like=parts[0].values)
    levels, starts = _plan(parts)
    if len(parts) == levels == 1 and is_cast(out, overflow, upward):
        with np.errstate(over="ignore"):
            return np.add(parts[0].values, 0.0, out=rounded, casting="same_kind")  # no negative zero
    flat = rounded.reshape(-1)
    rows = [np.broadcast_to(part.values, shape).reshape(-1) for part in parts]
    doubtful: Array | slice = slice(None)
    chunk = at_once(flat, CHUNK)
    for start in range(0, flat.size, chunk):
        piece, target = [as_float64(row[start : start + chunk]) for row in rows], flat[start : start + chunk]
        if len(parts) > 1 and out.precision < SIGNIFICAND and is_cast(out, overflow, upward):
            doubtful = round_plain_sum(piece, 2 * _lost(parts), target)
            if not len(doubtful):
                continue
        expansion = _expand([row[doubtful] for row in piece], levels, starts)
        target[doubtful] = _round(expansion, out, overflow, upward)
    return rounded


def _lost(parts: list[Part]) -> float:
    """Bound what adding up all parts but the first, the largest, in float64 can lose."""
    top = max(part.high for part in parts[1:]) + ceil_log2(len(parts))
    return math.ldexp(len(parts), top - SIGNIFICAND)


def round_plain_sum(rows: list[Float64s], lost: Any, target: Array) -> Array:
    """Round sums of float64, that may lack so much, to a narrower format; return where that or an error may have told.

    Rounding is monotone: where both ends of an interval around the exact sum round to one number, so does the sum
    (Ziv, "Fast evaluation of elementary mathematical functions with correctly rounded last bit", 1991).
    """
    total = rows[-1] + 0.0
    for row in rows[-2::-1]:
        total += row
    radius = np.abs(total)
    radius *= 2.0**-50  # four times the error of the last addition, and of those that follow
    radius += lost
    with np.errstate(over="ignore"):
        np.add(total, radius, out=target, casting="same_kind")
        below = np.subtract(total, radius, out=radius).astype(target.dtype)
    return np.flatnonzero((below != target) | (target == 0))  # a zero may be negative, or have lost its sign


def _plan(parts: list[Part]) -> tuple[int, list[int]]:
    """Choose the number of arrays, and for each part the first array that it can affect.

    With m parts below 2**high, array i stays below 2**(high - i * (53 - guard)), since it gathers the errors of at
    most m additions into array i - 1.  The last one is added up plainly, which is exact once all of its sums
    are multiples of 2**low of 53 bits.
    """
    if not parts:
        return 1, []
    guard = ceil_log2(len(parts)) + 1
    step = SIGNIFICAND - guard
    top, low = max(part.high for part in parts) + guard, min(part.low for part in parts)
    levels = 1 + max(0, -(-(top - low - SIGNIFICAND) // step))
    return levels, [min(levels - 1, max(0, (top - guard - part.high) // step)) for part in parts]


def _expand(rows: list[Float64s], levels: int, starts: list[int]) -> list[Any]:
    """Add up without error: arrays of decreasing size, each within half a unit of the last place of the one before."""
    arrays: list[Any] = [0.0] * levels
    for row, start in zip(rows, starts, strict=True):
        rest = row
        for level in range(start, levels - 1):
            arrays[level], rest = two_sum(arrays[level], rest)
        arrays[-1] = arrays[-1] + rest
    while not _settled(arrays):
        total = arrays[-1]
        for level in reversed(range(levels - 1)):
            total, arrays[level + 1] = two_sum(arrays[level], total)
        arrays[0] = total
    return arrays


def _settled(arrays: list[Any]) -> bool:
    return all(bool(np.all(larger + smaller == larger)) for larger, smaller in pairwise(arrays))


def _round(expansion: list[Any], out: NumberFormat, overflow: str, upward: bool) -> Array:
    """Round an expansion; what its sign and size do not tell of the rest is below any rounding."""
    value, *rest = expansion
    value = value + 0.0  # no negative zero
    if out.is_integer:
        return _to_integer(value, rest, out)
    if out.precision == SIGNIFICAND:
        return _overflowed(_to_float64(value, rest, upward), out, overflow)
    if rest:
        value = _odd(value, rest[0])
    if is_cast(out, overflow, upward):
        with np.errstate(over="ignore"):
            cast: Array = value.astype(out.dtype)
            return cast
    place = np.maximum(np.frexp(value)[1] - 1, out.min_exponent) - out.precision + 1
    whole = (np.ceil if upward else np.rint)(np.ldexp(value, -place))
    return _overflowed(np.ldexp(whole, place), out, overflow)


def is_cast(out: NumberFormat, overflow: str, upward: bool = False) -> bool:
    """Tell whether NumPy's cast from float64 rounds to a format as it should."""
    return overflow == "infinity" and not upward and out.name in ("float64", "float32", "float16")


def _to_float64(value: Float64s, rest: list[Any], upward: bool) -> Float64s:
    if not rest:
        return value
    if upward:
        return np.where(rest[0] > 0, np.nextafter(value, np.inf), value)
    return value + (_odd(*rest[:2]) if len(rest) > 1 else rest[0])  # a tie is one only if nothing lies below


def _odd(value: Float64s, rest: Float64s) -> Float64s:
    """Make the last bit of an inexact value odd, toward the rest, so that no later rounding takes it for a tie."""
    bits = value.view(np.int64)
    toward = np.where((rest > 0) == (value > 0), 1, -1)
    moves = (rest != 0) & (bits & 1 == 0)
    odd: Float64s = (bits + toward * moves).view(np.float64)
    return odd


def _overflowed(value: Float64s, out: NumberFormat, overflow: str) -> Array:
    """Apply the overflow mode, then cast; the cast itself has nothing left to round."""
    beyond = np.abs(value) > out.largest
    if beyond.any():
        instead = {"infinity": np.inf, "saturate": out.largest, "nan": np.nan}[overflow]
        value = np.where(beyond, np.copysign(instead, value), value)
    return value.astype(out.dtype)


def _to_integer(value: Float64s, rest: list[Any], out: NumberFormat) -> Array:
    fits = (value >= out.smallest) & (value <= out.largest) & (np.rint(value) == value)
    if not fits.all() or any(np.any(array != 0) for array in rest):
        raise FormatError(f"{out} must hold every exact result, but some are fractions or out of its range.")
    return value.astype(out.dtype)
