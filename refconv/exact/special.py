"""NaN and infinities in exact sums: resolved by rule, on the products that exist.

IEEE 754-2019 (sections 6.1 and 6.2) leaves no choice once it is known which products an output has: a
product is NaN if a factor is NaN or if it is 0 * inf; a sum is NaN if a term is, or if infinities of both
signs are among its terms; it is the infinity if they have one sign; and else nothing special is in it.
Padding is absence: no product, so neither NaN nor 0 * inf.  Which products exist is asked of the
reference itself, by convolving indicators of 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError
from refconv.exact.places import fetched, in_place, is_elsewhere
from refconv.exact.sums import ExactSum, overflow_mode
from refconv.formats import NumberFormat, canonical_nans

Array = npt.NDArray[Any]
Apply = Callable[..., Array]


@dataclass(frozen=True)
class SpecialSum:
    """An exact sum some elements of which are NaN or infinite.

    Attributes
    ----------
    finite : ExactSum
        The sum of the finite terms.
    special : array of float64
        NaN, inf or -inf where the sum is that, and 0 where it is finite.
    """

    finite: ExactSum
    special: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return self.finite.shape

    def plus(self, values: Array) -> SpecialSum:
        """Add an array of float64, special or not, that broadcasts to the shape."""
        spread = np.broadcast_to(values, self.shape)
        with np.errstate(invalid="ignore"):  # inf - inf is NaN, which is the rule
            special = self.special + np.where(np.isfinite(spread), 0.0, spread)
        return SpecialSum(self.finite.plus(finite_part(spread)), special)

    def round(self, out: NumberFormat, overflow: str | None = None, *, upward: bool = False) -> Array:
        """Round the finite elements once, and put the special ones in their place."""
        here = self.special != 0
        if out.is_integer and here.any():
            raise FormatError(f"{out} must hold every exact result, but {int(here.sum())} are NaN or infinite.")
        rounded = self.finite.round(out, overflow, upward=upward)
        special = self.special if is_elsewhere(rounded) else fetched(self.special)
        rounded[special != 0] = _carried(special[special != 0], out, overflow)
        return canonical_nans(rounded)


def add(total: ExactSum, values: Array) -> ExactSum:
    """Add an array of float64 to any exact sum, whether it is finite or not."""
    if isinstance(total, SpecialSum) or np.isfinite(values).all():
        return total.plus(values)
    return SpecialSum(total, np.zeros(total.shape, like=values)).plus(values)


def finite_part(tensor: Array) -> Array:
    """Return a copy with zeros in place of NaN and infinities.

    Examples
    --------
    >>> finite_part(np.array([1.5, np.nan, -np.inf])).tolist()
    [1.5, 0.0, 0.0]
    """
    return np.where(np.isfinite(tensor), tensor, 0.0)


def resolve(factors: list[Array], apply: Apply) -> Array:
    """Find out which results are NaN or infinite.

    Parameters
    ----------
    factors : list of array of float64
        The two factors of the operation, or its only one.
    apply : callable
        The operation of a reference, on float64 that holds zeros and ones.

    Returns
    -------
    array of float64
        NaN, inf, -inf, or 0 where the result is finite.

    Examples
    --------
    >>> resolve([np.array([np.inf, 2.0, np.inf]), np.array([-1.0, np.inf, 0.0])], np.multiply).tolist()
    [-inf, inf, nan]
    """
    kinds = [_indicators(factor) for factor in factors]
    nan, up, down = (_any_product(pairs, kinds, apply) for pairs in _rules(len(factors)))
    infinite = np.where(up, np.inf, np.where(down, -np.inf, 0.0))
    resolved: Array = in_place(np.where(nan | (up & down), np.nan, infinite))
    return resolved


def _rules(factors: int) -> tuple[list[tuple[str, ...]], ...]:
    """Return the kinds of the factors whose product is NaN, inf and -inf."""
    if factors == 1:
        return [("nan",)], [("inf",)], [("-inf",)]
    return (
        [("nan", "any"), ("any", "nan"), ("infinite", "zero"), ("zero", "infinite")],
        [("inf", "positive"), ("-inf", "negative"), ("positive", "inf"), ("negative", "-inf")],
        [("inf", "negative"), ("-inf", "positive"), ("positive", "-inf"), ("negative", "inf")],
    )


def _indicators(tensor: Array) -> dict[str, Array]:
    return {
        "any": np.ones_like(tensor),
        "nan": np.isnan(tensor),
        "infinite": np.isinf(tensor),
        "inf": tensor == np.inf,
        "-inf": tensor == -np.inf,
        "zero": tensor == 0,
        "positive": tensor > 0,
        "negative": tensor < 0,
    }


def _any_product(pairs: list[tuple[str, ...]], kinds: list[dict[str, Array]], apply: Apply) -> Any:
    """Say for each result whether it has a product of one of these pairs of kinds."""
    found: Any = False
    for pair in pairs:
        indicators = [kind[name] for kind, name in zip(kinds, pair, strict=True)]
        counts = apply(*(indicator.astype(np.float64) for indicator in indicators))
        found = found | in_place(counts > 0).astype(bool)
    return found


def _carried(special: Array, out: NumberFormat, overflow: str | None) -> Array:
    """Return the special values as the format has them: without infinity, by the overflow mode."""
    if out.has_infinity:
        return special
    instead = {"saturate": out.largest, "nan": np.nan}[overflow_mode(out, overflow)]
    return np.where(np.isinf(special), np.copysign(instead, special), special)
