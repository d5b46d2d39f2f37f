"""Round exact sums to a number format, once.

A sum arrives as terms (e, T): its value is the sum of ``T * 2**e``, with T arrays of int64.  The terms
are brought to digits in base 2**24, the leading 62 bits are collected with a sticky bit for the rest,
and these are rounded to nearest, ties to even, at the place that the format dictates
(IEEE 754-2019, sections 4.3.1 and 7.4 and 7.5).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError
from refconv.exact.places import at_once, held
from refconv.formats import NumberFormat

Int64s = npt.NDArray[np.int64]
Term = tuple[int, Int64s]

BASE = 24  # bits of a digit: sums of a great many digits, shifted by up to 23, stay below 2**63
MASK = 2**BASE - 1
LEADING = 62  # bits that are collected before the rest becomes sticky; float64 needs 53 + 2
CHUNK = 2**15  # elements that are rounded at a time, so that the digits stay in cache

OVERFLOW_MODES = ("infinity", "saturate", "nan")


def round_terms(
    terms: list[Term], shape: tuple[int, ...], out: NumberFormat, overflow: str, upward: bool = False
) -> npt.NDArray[Any]:
    """Round ``sum(T * 2**e)`` to a format.

    Parameters
    ----------
    terms : list of (int, array of int64, shape ``shape``)
        With abs(T) < 2**62.
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
    size = math.prod(shape)
    if not terms:
        return np.zeros(shape, dtype=out.dtype)
    low = min(exponent for exponent, _ in terms)
    flat = [(exponent, held(values, out, low).reshape(size)) for exponent, values in terms]
    rounded = np.zeros(size, dtype=out.dtype, like=flat[0][1])
    chunk = at_once(rounded, CHUNK)
    for start in range(0, size, chunk):
        piece = slice(start, start + chunk)
        rounded[piece] = _round_chunk([(e, values[piece]) for e, values in flat], out, overflow, upward)
    return rounded.reshape(shape)


def _round_chunk(terms: list[Term], out: NumberFormat, overflow: str, upward: bool) -> npt.NDArray[Any]:
    low = min(exponent for exponent, _ in terms)
    digits, sign = _magnitude(_digits(terms, low))
    leading, exponent, sticky = _leading_bits(digits)
    if out.is_integer:
        return _to_integer(sign * leading, exponent + low, sticky, out)
    significand, lsb = _round_at(leading, exponent + low, sticky, out, sign > 0 if upward else None)
    with np.errstate(over="ignore"):  # the overflow of float64 itself; _overflowed decides what becomes of it
        value = np.ldexp(significand.astype(np.float64), lsb.astype(np.int32))
    return _overflowed(np.copysign(value, sign), out, overflow)


def _digits(terms: list[Term], low: int) -> Int64s:
    """Add all terms into digits of base 2**24, least significant first; the last one bears the sign."""
    count = (max(exponent for exponent, _ in terms) - low) // BASE + 5
    digits = np.zeros((count, len(terms[0][1])), dtype=np.int64, like=terms[0][1])
    for exponent, values in terms:
        place, shift = divmod(exponent - low, BASE)
        digits[place] += (values & MASK) << shift
        digits[place + 1] += ((values >> BASE) & MASK) << shift
        digits[place + 2] += (values >> 2 * BASE) << shift
    return _carry(digits)


def _carry(digits: Int64s) -> Int64s:
    """Bring all digits but the last into 0 ... 2**24 - 1, in place."""
    for place in range(len(digits) - 1):
        digits[place + 1] += digits[place] >> BASE
        digits[place] &= MASK
    return digits


def _magnitude(digits: Int64s) -> tuple[Int64s, Int64s]:
    """Split the sign off: digits of the absolute value, and +1 or -1 (+1 for zero)."""
    sign = np.where(digits[-1] < 0, -1, 1)
    return _carry(digits * sign), sign


def _leading_bits(digits: Int64s) -> tuple[Int64s, Int64s, npt.NDArray[np.bool_]]:
    """Collect up to 62 leading bits M, their exponent e, and whether anything nonzero lies below.

    Returns M, e, sticky with ``M * 2**e <= value < (M + 1) * 2**e``, exponents counted from digit 0.
    """
    leading, exponent = np.zeros((2, digits.shape[1]), dtype=np.int64, like=digits)
    sticky = np.zeros(digits.shape[1], dtype=bool, like=digits)
    for place in reversed(range(len(digits))):
        room = np.clip(LEADING - bit_length(leading), 0, BASE)
        unused = BASE - room
        leading = (leading << room) | (digits[place] >> unused)
        sticky |= (digits[place] & ((1 << unused) - 1)) != 0
        exponent = np.where(room > 0, place * BASE + unused, exponent)
    return leading, exponent, sticky


def bit_length(values: Int64s) -> Int64s:
    """Return ``int.bit_length`` of integers in 0 ... 2**62.

    Examples
    --------
    >>> bit_length(np.array([0, 1, 4, 2**54 - 1])).tolist()
    [0, 1, 3, 54]
    """
    guess = np.frexp(values.astype(np.float64))[1].astype(np.int64)  # one too many if float64 rounded up
    length: Int64s = np.maximum(guess - ((values >> np.maximum(guess - 1, 0)) == 0), 0)
    return length


def _round_at(
    leading: Int64s,
    exponent: Int64s,
    sticky: npt.NDArray[np.bool_],
    out: NumberFormat,
    away: npt.NDArray[np.bool_] | None,
) -> tuple[Int64s, Int64s]:
    """Round M * 2**e (+ sticky) to a significand of p bits: returns it and its exponent.

    To nearest with ties to even; with ``away``, away from zero where it is true and toward zero elsewhere.
    """
    top = exponent + bit_length(leading) - 1
    lsb = np.maximum(top, out.min_exponent) - out.precision + 1
    shift = np.clip(lsb - exponent, 0, 63)
    kept = leading >> np.minimum(shift, 62)  # M < 2**62, so that nothing is kept from 62 on
    rest = leading - (kept << np.minimum(shift, 62))
    half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), np.int64(2**62))
    if away is None:
        raised = (rest > half) | ((rest == half) & (sticky | (kept & 1 == 1)))
    else:
        raised = ((rest > 0) | sticky) & away
    return kept + raised, np.where(shift > 0, lsb, exponent)


def _overflowed(value: npt.NDArray[np.float64], out: NumberFormat, overflow: str) -> npt.NDArray[Any]:
    """Apply the overflow mode, then cast; the cast itself has nothing left to round."""
    beyond = np.abs(value) > out.largest
    instead = {"infinity": np.inf, "saturate": out.largest, "nan": np.nan}[overflow]
    return np.where(beyond, np.copysign(instead, value), value).astype(out.dtype)


def _to_integer(
    leading: Int64s, exponent: Int64s, sticky: npt.NDArray[np.bool_], out: NumberFormat
) -> npt.NDArray[Any]:
    """Return integers as they are; refuse fractions and whatever the format cannot hold."""
    shift = np.clip(exponent, -63, 63)
    size = np.ldexp(leading.astype(np.float64), shift.astype(np.int32))  # where shifting would leave int64
    value = leading << np.clip(shift, 0, 31) >> np.clip(-shift, 0, 62)
    fraction = sticky | ((shift < 0) & ((value << np.clip(-shift, 0, 62)) != leading))
    outside = (size > out.largest) | (size < out.smallest)
    if fraction.any() or outside.any():
        raise FormatError(f"{out} must hold every exact result, but some are fractions or out of its range.")
    return value.astype(out.dtype)
