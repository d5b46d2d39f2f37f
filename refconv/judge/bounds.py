"""How far an honest implementation may be from the exact result, and the interval that follows.

With u = 2**-p the unit roundoff of the accumulator and h its smallest subnormal number, a sum of n
products that is rounded to nearest at every step, in whatever order or tree, fused or not, errs by at
most ``E = ((1 + u)**n - 1) * S + n * h / 2``, where S is the sum of the magnitudes of the products
(Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., sections 3.1 and 2.8 for underflow;
Jeannerod and Rump, "Improved error bounds for inner products in floating-point arithmetic", 2013).
Rounding is monotone, so whoever accumulates within E and rounds once to the output format arrives in
``[round(y - E), round(y + E)]``.  The interval is computed from the exact y by the exact engine; every
approximation on the way is rounded so that the interval only grows.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv.exact import ExactSum
from refconv.formats import NumberFormat, get_format

Array = npt.NDArray[Any]


class Interval(NamedTuple):
    """What an implementation may return, element by element, in the output dtype."""

    lo: Array
    hi: Array
    magnitude: Array  # S, float64, rounded up


@lru_cache(maxsize=4096)
def growth(terms: int, precision: int) -> float:
    """Return (1 + 2**-precision)**terms - 1, rounded up to float64.

    Examples
    --------
    >>> growth(1, 24) == 2.0**-24, growth(27, 24) > 27 * 2.0**-24
    (True, True)
    """
    exact = Fraction((2**precision + 1) ** terms - 2 ** (precision * terms), 2 ** (precision * terms))
    nearest = float(exact)
    return nearest if Fraction(nearest) >= exact else float(np.nextafter(nearest, np.inf))


def error_bound(magnitude: Array, terms: Array, accumulator: NumberFormat) -> Array:
    """Bound the error of any order of summation, in float64, rounded up.

    Parameters
    ----------
    magnitude : array of float64
        S, an upper bound of the sum of abs(x * weight) and abs(bias), per element.
    terms : array of int, of the same shape
        n, the number of products that exist for the element, and one for a bias.
    accumulator : NumberFormat
        The format in which the products are added.

    Returns
    -------
    array of float64
        E; zero where S is zero, since zeros add up without error.
    """
    counts, where = np.unique(terms, return_inverse=True)
    growths = np.array([growth(int(n), accumulator.precision) for n in counts], like=magnitude)
    factor = growths[where].reshape(magnitude.shape)
    underflow = np.ldexp(np.ceil(terms / 2), accumulator.quantum_exponent)
    bound = np.nextafter(np.nextafter(factor * magnitude, np.inf) + underflow, np.inf)
    return np.where(magnitude > 0, bound, 0.0)


def standard_interval(
    total: ExactSum, magnitude: ExactSum, terms: Array, accumulator: NumberFormat, out: NumberFormat,
    overflow: str | None = None,
) -> Interval:  # fmt: skip
    """Return the interval of class ``standard``: accumulate in ``accumulator``, round once to ``out``.

    Where the exact result is NaN or infinite by rule, both ends are that value.  Where S is beyond float64, both are
    the exact result: E holds while nothing overflows, which S does not promise there.  So a case belongs there only
    if every order of summation arrives at it, as where all other terms vanish beside a single large one.
    """
    size = magnitude.round(get_format("float64"), upward=True)
    finite = np.isfinite(size)
    bound = np.where(finite, error_bound(np.where(finite, size, 0.0), terms, accumulator), 0.0)
    return Interval(total.plus(-bound).round(out, overflow), total.plus(bound).round(out, overflow), size)
