"""Cut a tensor of real numbers into slices of small integers, without losing a bit.

A slice is an exponent e and an array of integers d (held in float64), and the tensor is the sum of
``d * 2**e`` over its slices.  With digits small enough, every partial sum of a convolution of two
slices is an integer of at most 53 bits, so that float64 arithmetic is exact in any order, on any BLAS
(the error-free transformation of Ozaki, Ogita, Oishi and Rump, "Error-free transformations of matrix
multiplication by using fast routines of matrix multiplication", Numerical Algorithms 59, 2012).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]
Slice = tuple[int, Float64s]

SIGNIFICAND = 53  # bits of float64


def extent(tensor: Float64s) -> tuple[int, int]:
    """Return (q, L): the exponent of the lowest set bit of a finite tensor, and the L with abs(x) < 2**L.

    Examples
    --------
    >>> extent(np.array([0.75, -6.0, 0.0]))
    (-2, 3)
    """
    nonzero = tensor[tensor != 0]
    if nonzero.size == 0:
        return 0, 0
    fraction, exponent = np.frexp(nonzero)
    mantissa = np.ldexp(fraction, SIGNIFICAND).astype(np.int64)
    trailing = np.frexp((mantissa & -mantissa).astype(np.float64))[1] - 1
    return int((exponent - SIGNIFICAND + trailing).min()), int(exponent.max())


def slices(tensor: Float64s, width: int) -> list[Slice]:
    """Cut a finite tensor into slices whose digits d obey abs(d) <= 2**(width - 1).

    Parameters
    ----------
    tensor : array of float64
    width : int
        In bits, at most 53.

    Returns
    -------
    list of (int, array)
        Exponents and digits; slices that hold nothing but zeros are left out.

    Examples
    --------
    >>> [(exponent, digits.astype(int).tolist()) for exponent, digits in slices(np.array([5.0, -0.5]), width=3)]
    [(-1, [2, -1]), (2, [1, 0])]
    """
    low, high = extent(tensor)
    if high > _NEAR_OVERFLOW:  # a digit rounded up could exceed the range of float64: cut a scaled copy
        large = np.where(np.abs(tensor) >= 2.0**_LARGE, tensor, 0.0)
        scaled = [(e + _LARGE, digits) for e, digits in slices(np.ldexp(large, -_LARGE), width)]
        return slices(tensor - large, width) + scaled
    rest, parts = tensor, []
    for place in reversed(range(-(-(high - low + 1) // width))):
        exponent = low + place * width
        digits = np.rint(np.ldexp(rest, -exponent))
        if digits.any():
            parts.append((exponent, digits))
            rest = rest - np.ldexp(digits, exponent)
    return parts[::-1]


_NEAR_OVERFLOW, _LARGE = 1000, 500


def widths(first: Float64s, second: Float64s, terms: int) -> tuple[int, int]:
    """Choose the slice widths of two factors so that the fewest slice pairs are multiplied.

    Sums of ``terms`` products stay integers of 53 bits iff
    ``(width1 - 1) + (width2 - 1) + ceil(log2(terms)) <= 53``.

    Examples
    --------
    >>> small = np.arange(-100.0, 100.0)
    >>> widths(small, small, terms=576)
    (8, 37)
    """
    total = SIGNIFICAND + 2 - ceil_log2(terms)
    lengths = [high - low + 1 for low, high in (extent(first), extent(second))]

    def pairs(width: int) -> tuple[int, int]:
        counts = -(-lengths[0] // width), -(-lengths[1] // (total - width))
        return counts[0] * counts[1], counts[0]

    width = min(range(max(1, total - SIGNIFICAND), min(SIGNIFICAND + 1, total)), key=pairs)
    return width, total - width


def ceil_log2(count: int) -> int:
    """Return the smallest b with ``count <= 2**b``."""
    return max(0, count - 1).bit_length()


def as_float64(tensor: Any) -> Float64s:
    """Embed a tensor of any of our formats in float64, which holds all of them exactly."""
    return np.asarray(tensor).astype(np.float64)
