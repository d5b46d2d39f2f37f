"""Cut a tensor of real numbers into slices of small integers, without losing a bit.

A slice is an exponent e and an array of integers d (held in float64), and the tensor is the sum of
``d * 2**e`` over its slices.  With digits small enough, every partial sum of a convolution of two
slices is an integer of at most 53 bits, so that float64 arithmetic is exact in any order, on any BLAS
(the error-free transformation of Ozaki, Ogita, Oishi and Rump, "Error-free transformations of matrix
multiplication by using fast routines of matrix multiplication", Numerical Algorithms 59, 2012).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError
from refconv.exact.places import AT_ONCE, in_place, is_elsewhere, readable

Float64s = npt.NDArray[np.float64]
Reals = npt.NDArray[np.float64 | np.float32]
Slice = tuple[int, Reals]

SIGNIFICAND = 53  # bits of float64
LAST = 1024  # beyond all exponents of float64


def extent(tensor: Reals) -> tuple[int, int]:
    """Return (q, L): the exponent of the lowest set bit of a finite tensor, and the L with abs(x) < 2**L.

    Examples
    --------
    >>> extent(np.array([0.75, -6.0, 0.0]))
    (-2, 3)
    """
    ends = finite_extent(tensor)
    if ends is None:
        raise FormatError("a tensor must be finite to have an extent, got NaN or infinity.")
    return ends


def finite_extent(tensor: Reals) -> tuple[int, int] | None:
    """Return :func:`extent`, or None where a tensor has NaN or infinities; looks at every element once."""
    largest, low = 0.0, LAST
    for piece in _pieces(tensor.reshape(-1)):
        here = largest_magnitude(piece)
        if not math.isfinite(here):
            return None
        largest = max(largest, here)
        if here and low == LAST:
            low = _lowest_bit_of_smallest(piece, here)
        if here and not _are_multiples(piece, low, math.frexp(here)[1]):
            low = min(low, _lowest_bit(as_float64(piece)))
    return (low, math.frexp(largest)[1]) if largest else (0, 0)


def _pieces(flat: Reals) -> Iterator[Reals]:
    """Cut a tensor into pieces that stay in cache, the first one short, or into few where there is no such cache."""
    first, each = (AT_ONCE, AT_ONCE) if is_elsewhere(flat) else (_FIRST, _PIECE)
    ends = [0, *range(first, flat.size, each), flat.size]
    return (flat[start:stop] for start, stop in pairwise(ends))


def largest_magnitude(values: Reals) -> float:
    """Return the largest absolute value, 0 if there is none; NaN if there is NaN."""
    if is_elsewhere(values):
        return float(np.abs(values).max()) if values.size else 0.0  # who waits for a device once waits less
    return max(float(values.max()), -float(values.min()), 0.0) if values.size else 0.0


def is_ordinary(low: int, high: int) -> bool:
    """Tell whether all multiples of 2**low below 2**high, as far as float64 has them, are normal numbers of it."""
    return low >= -1000 and high <= 1000


def real_slices(tensor: Reals, ends: tuple[int, int], width: int, into: list[Float64s] | None = None) -> list[Slice]:
    """Cut a tensor like :func:`slices`, but leave its slices where they are: multiples of 2**e instead of digits.

    Parameters
    ----------
    tensor : array of float64 or float32
    ends : (int, int)
        Its :func:`extent`, which must be ordinary.
    width : int
        In bits, at most 50.
    into : list of array, optional
        Room for the slices, :func:`count_slices` of them.

    Examples
    --------
    >>> [(exponent, part.tolist()) for exponent, part in real_slices(np.array([5.0, -0.5]), (-1, 3), width=3)]
    [(-1, [1.0, -0.5]), (2, [4.0, 0.0])]
    """
    count = count_slices(ends, width)
    if count == 1 and into is None:
        return [(ends[0], tensor)]
    room = into or [np.empty(tensor.shape, like=tensor) for _ in range(count)]
    rest = tensor
    for place in reversed(range(1, count)):
        magic = math.ldexp(1.5, ends[0] + place * width + SIGNIFICAND - 1)  # its last place is that of the slice
        np.add(rest, magic, out=room[place], dtype=np.float64)
        room[place] -= magic
        rest = np.subtract(rest, room[place], out=room[0])
    if count == 1:
        room[0][...] = tensor
    return [(ends[0] + place * width, part) for place, part in enumerate(room)]


def count_slices(ends: tuple[int, int], width: int) -> int:
    """Return how many slices of a width a tensor of this extent has."""
    low, high = ends
    return -(-(high - low + 1) // width)


_FIRST = 2**9  # elements that tell most often where the lowest bit of all is
_PIECE = 2**15  # elements that are looked at while they are in cache


def _are_multiples(values: Reals, low: int, high: int) -> bool:
    """Tell whether all values are multiples of 2**low; False too where float64 is too short to see it at once."""
    for kind in dict.fromkeys((values.dtype.type, np.float64)):  # in float32, if it can be, which is half the memory
        digits, farthest = np.finfo(kind).nmant + 1, np.finfo(kind).maxexp - 24
        if high - low <= digits - 2 and -farthest <= low and low + digits <= farthest:
            magic = math.ldexp(1.5, low + digits - 1)
            rounded = np.add(values, magic, dtype=kind)
            rounded -= magic
            return bool((rounded == values).all())
    return False


def _lowest_bit_of_smallest(values: Reals, largest: float) -> int:
    """Return the exponent of the lowest set bit of the smallest magnitude that is not zero.

    Examples
    --------
    >>> _lowest_bit_of_smallest(np.array([12.0, 0.0, -0.75]), 12.0), _lowest_bit_of_smallest(np.array([12.0]), 12.0)
    (-2, 2)
    """
    sizes = np.abs(values)
    numerator, denominator = float(np.where(sizes > 0, sizes, largest).min()).as_integer_ratio()
    return (numerator & -numerator).bit_length() - denominator.bit_length()


def _lowest_bit(values: Float64s) -> int:
    """Return the exponent of the lowest set bit of any value."""
    bits = values.view(np.int64)
    mantissa = bits & (2 ** (SIGNIFICAND - 1) - 1)
    cleared = np.where(mantissa != 0, bits & (bits - 1), 0)  # a power of two is its own lowest bit
    lowest = np.abs(values - cleared.view(np.float64))
    return math.frexp(float(np.where(lowest > 0, lowest, np.inf).min()))[1] - 1


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
    lengths = [high - low + 1 for low, high in (extent(first), extent(second))]
    return share(lengths[0], lengths[1], SIGNIFICAND + 2 - ceil_log2(terms))


def share(first: int, second: int, total: int) -> tuple[int, int]:
    """Share a total of bits between the slices of two factors of these lengths, for the fewest pairs.

    Examples
    --------
    >>> share(43, 40, 45)  # two slices each
    (22, 23)
    """

    def pairs(width: int) -> tuple[int, int]:
        counts = -(-first // width), -(-second // (total - width))
        return counts[0] * counts[1], counts[0]

    width = min(range(max(1, total - SIGNIFICAND), min(SIGNIFICAND + 1, total)), key=pairs)
    return width, total - width


def ceil_log2(count: int) -> int:
    """Return the smallest b with ``count <= 2**b``."""
    return max(0, count - 1).bit_length()


def as_float64(tensor: Any) -> Float64s:
    """Embed a tensor of any of our formats in float64, which holds all of them exactly."""
    array: Float64s = in_place(tensor).astype(np.float64, copy=False)
    return array


def as_reals(tensor: Any) -> Reals:
    """Embed a tensor of any of our formats in the narrower of float32 and float64 that holds it exactly."""
    array = in_place(tensor)
    narrow = array.dtype == np.float32 or array.dtype.itemsize <= 2
    reals: Reals = readable(array.astype(np.float32 if narrow else np.float64, copy=False))
    return reals
