"""Real-valued fills: fractions on a coarse grid, on which ordinary implementations must round.

Every element is ``m * 2**e`` with a signed m of a few bits and an e from a small range, so that the
exact engine needs few slices, and every format can hold it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from refconv.fills.bits import below, bits
from refconv.formats import NumberFormat

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

GRID = 16  # bits of m, where the format has as many


def zero_mean(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill with values of both signs in (-1, 1), over two binades and the grid below them."""
    return _scaled(_signed(key, shape, element), -below(f"{key}/exponent", shape, 3), element)


def positive(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill with positive values below 1: no cancellation, so that errors of one sign add up."""
    return np.abs(zero_mean(key, shape, element))


def full_mantissa(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill with values that use every bit of the format, so that a narrowed operand shows."""
    odd = _magnitude(key, shape, element.precision) | 1
    return _scaled(_with_sign(key, odd), np.zeros(shape, np.int64), element, element.precision)


def wide_exponents(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill with values whose exponents lie up to 20 binades apart (8 for formats of few exponents)."""
    binades = 8 if element.min_exponent > -100 else 20
    return _scaled(_signed(key, shape, element), -below(f"{key}/exponent", shape, binades + 1), element)


def cancelling(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill so that neighbours along the last axis almost cancel: large sums of magnitudes, small results.

    Odd positions hold the negative of the element before them, moved by one unit of the grid.
    """
    m = _signed(key, shape, element)
    m[..., 1::2] = -m[..., : 2 * (shape[-1] // 2) : 2]
    return _scaled(m + (m < 0), np.zeros(shape, np.int64), element)


def smooth(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill with positive values within one binade: the partner of a cancelling fill."""
    grid = _grid(element)
    m = (np.int64(1) << (grid - 1)) + (_magnitude(key, shape, grid) >> 5)
    return _scaled(m, np.zeros(shape, np.int64), element)


def _grid(element: NumberFormat) -> int:
    return min(GRID, element.precision)


def _magnitude(key: str, shape: tuple[int, ...], width: int) -> Int64s:
    """Draw m with its highest of ``width`` bits set."""
    top = np.uint64(1) << np.uint64(width - 1)
    return (bits(key, shape) % top | top).astype(np.int64)


def _signed(key: str, shape: tuple[int, ...], element: NumberFormat) -> Int64s:
    """Draw m from -2**grid ... 2**grid with zero mean, zero left out."""
    return _with_sign(key, 1 + below(key, shape, (1 << _grid(element)) - 1))


def _with_sign(key: str, magnitude: Int64s) -> Int64s:
    return np.where(bits(f"{key}/sign", magnitude.shape) & np.uint64(1), -magnitude, magnitude)


def _scaled(m: Int64s, exponent: Int64s, element: NumberFormat, width: int = 0) -> Float64s:
    """Return m * 2**(exponent - width), exactly."""
    return np.ldexp(m.astype(np.float64), (exponent - (width or _grid(element))).astype(np.int32))
