"""Exact sums: arrays whose elements are real numbers that nothing has rounded yet.

Three classes with the same three methods, which share no arithmetic: :class:`FloatSum` holds parts in
float64, which it adds without an error; :class:`SlicedSum` holds int64 terms from float64 slices, whatever
their range; :class:`IntegerSum` holds Python integers of any size.  They witness for each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError
from refconv.exact.expansion import Part, can_expand, round_parts
from refconv.exact.places import in_place
from refconv.exact.rounding import OVERFLOW_MODES, Term, round_terms
from refconv.exact.slicing import SIGNIFICAND, as_float64, ceil_log2, extent, slices
from refconv.formats import NumberFormat

Array = npt.NDArray[Any]


class ExactSum(Protocol):
    """What both kinds of exact sum can do."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        ...

    def plus(self, values: Array) -> ExactSum:
        """Add an array of float64, exactly."""
        ...

    def round(self, out: NumberFormat, overflow: str | None = None, *, upward: bool = False) -> Array:
        """Round to a format, once: to nearest with ties to even, or toward plus infinity."""
        ...


@dataclass(frozen=True)
class FloatSum:
    """The sum of arrays of float64, far from the ends of its range."""

    shape: tuple[int, ...]
    parts: tuple[Part, ...]

    def plus(self, values: Array) -> FloatSum | SlicedSum:
        """Add an array of float64 that broadcasts to the shape, exactly."""
        added = FloatSum(self.shape, (*self.parts, Part(values, *extent(values))))
        if not can_expand(list(added.parts)):
            return self.sliced().plus(values)
        low, high = added.bounds()
        if high - low > SIGNIFICAND or not self.parts:
            return added
        total = in_place(sum(as_float64(part.values) for part in added.parts))  # exactly, since all of it has 53 bits
        return FloatSum(self.shape, (Part(total, low, high),))

    def bounds(self) -> tuple[int, int]:
        """Return low and high of the sum of all absolute values."""
        guard = ceil_log2(len(self.parts))
        return min(part.low for part in self.parts), max(part.high for part in self.parts) + guard

    def round(self, out: NumberFormat, overflow: str | None = None, *, upward: bool = False) -> Array:
        """Round to a format, once."""
        return round_parts(list(self.parts), self.shape, out, overflow_mode(out, overflow), upward)

    def sliced(self) -> SlicedSum:
        """Return the same sum, with integers for floats."""
        total = SlicedSum(self.shape, ())
        for part in self.parts:
            total = total.plus(as_float64(part.values))
        return total


@dataclass(frozen=True)
class SlicedSum:
    """The sum of ``T * 2**e`` over terms (e, T) of int64 arrays."""

    shape: tuple[int, ...]
    terms: tuple[Term, ...]

    def plus(self, values: Array) -> SlicedSum:
        """Add an array of float64 that broadcasts to the shape, exactly."""
        spread = np.broadcast_to(values, self.shape)
        added = tuple((exponent, digits.astype(np.int64)) for exponent, digits in slices(spread, width=53))
        return SlicedSum(self.shape, self.terms + added)

    def round(self, out: NumberFormat, overflow: str | None = None, *, upward: bool = False) -> Array:
        """Round to a format, once."""
        return round_terms(list(self.terms), self.shape, out, overflow_mode(out, overflow), upward)


@dataclass(frozen=True)
class IntegerSum:
    """Python integers times one common power of two."""

    shape: tuple[int, ...]
    integers: Array  # of object
    exponent: int

    def plus(self, values: Array) -> IntegerSum:
        """Add an array of float64 that broadcasts to the shape, exactly."""
        added, exponent = to_integers(np.broadcast_to(values, self.shape))
        low = min(exponent, self.exponent)
        total = (self.integers << (self.exponent - low)) + (added << (exponent - low))
        return IntegerSum(self.shape, total, low)

    def round(self, out: NumberFormat, overflow: str | None = None, *, upward: bool = False) -> Array:
        """Round to a format, once."""
        mode = overflow_mode(out, overflow)
        rounded = [round_integer(value, self.exponent, out, mode, upward) for value in self.integers.flat]
        return np.array(rounded).astype(out.dtype).reshape(self.shape)


def to_integers(tensor: Array) -> tuple[Array, int]:
    """Write a finite tensor of float64 as Python integers times 2**exponent.

    Examples
    --------
    >>> integers, exponent = to_integers(np.array([0.75, -6.0]))
    >>> integers.tolist(), exponent
    ([3, -24], -2)
    """
    ratios = [float(value).as_integer_ratio() for value in np.asarray(tensor).flat]
    exponent = -max((denominator.bit_length() - 1 for _, denominator in ratios), default=0)
    integers = np.empty(len(ratios), dtype=object)
    integers[:] = [n << (-exponent - d.bit_length() + 1) for n, d in ratios]
    return integers.reshape(np.shape(tensor)), exponent


def round_integer(value: int, exponent: int, out: NumberFormat, overflow: str, upward: bool = False) -> float:
    """Round ``value * 2**exponent`` to a format, in unbounded integer arithmetic.

    Examples
    --------
    >>> from refconv.formats import get_format
    >>> round_integer(257, 0, get_format("bfloat16"), "infinity")  # a tie: 256 is even, 258 is not
    256.0
    """
    magnitude, sign = abs(value), -1.0 if value < 0 else 1.0
    if magnitude == 0:
        return 0.0
    top = magnitude.bit_length() - 1 + exponent
    lsb = 0 if out.is_integer else max(top, out.min_exponent) - out.precision + 1
    whole = 1 << max(0, lsb - exponent)
    quotient, rest = divmod(magnitude << max(0, exponent - lsb), whole)
    if out.is_integer:
        return float(_checked_integer(int(sign) * quotient, rest, out))
    rounds_up = sign > 0 and rest > 0 if upward else 2 * rest > whole or (2 * rest == whole and quotient % 2 == 1)
    quotient += rounds_up
    if quotient << max(0, lsb) > int(out.largest) << max(0, -lsb):
        return math.copysign({"infinity": math.inf, "saturate": out.largest, "nan": math.nan}[overflow], sign)
    return math.copysign(math.ldexp(quotient, lsb), sign)


def overflow_mode(out: NumberFormat, overflow: str | None) -> str:
    """Return the mode, by default infinity; formats without infinity must be told.

    Raises
    ------
    FormatError
        If the mode is unknown, or not said for a format that has no infinity.
    """
    if overflow is None and (out.has_infinity or out.is_integer):
        return "infinity"
    allowed = OVERFLOW_MODES if out.has_infinity else OVERFLOW_MODES[1:]
    if overflow is None or overflow not in allowed:
        raise FormatError(f"overflow for {out} must be one of {', '.join(allowed)}, got {overflow!r}.")
    return overflow


def _checked_integer(value: int, rest: int, out: NumberFormat) -> int:
    if rest or not out.smallest <= value <= out.largest:
        raise FormatError(f"{out} must hold every exact result, but some are fractions or out of its range.")
    return value
