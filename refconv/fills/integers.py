"""Exact fills: integers chosen so that every partial sum, in any order, is exact.

The values are nonzero, asymmetric in sign and as distinct as the budget allows, so that a dropped,
doubled, swapped or shifted product always changes a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, prod

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError
from refconv.fills.bits import bits, spread
from refconv.formats import NumberFormat
from refconv.problem import OPERATIONS, Problem

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranges:
    """The largest magnitudes of the integers in x, weight, grad_output and bias."""

    x: int
    weight: int
    grad_output: int
    bias: int


def exact_ranges(problem: Problem, element: NumberFormat, budget: int, has_bias: bool) -> Ranges:
    """Choose ranges X, W, G such that every result of all four operations stays within the budget.

    Parameters
    ----------
    problem : ConvProblem or TransposedProblem
    element : NumberFormat
        Of the tensors: no range exceeds the integers that it holds exactly.
    budget : int
        The largest magnitude that a sum may reach, 2**24 for a float32 accumulator.
    has_bias : bool

    Raises
    ------
    FormatError
        If not even ones fit: the reduction is too long for the budget.

    Notes
    -----
    With n_f, n_i, n_w the numbers of terms, the rules are n_f*X*W <= budget, n_i*G*W <= budget and
    n_w*X*G <= budget.  Solved as equations, X = sqrt(a*b/c) with a, b, c = budget / n_f, n_w, n_i; W and
    G likewise.

    Examples
    --------
    >>> from refconv.formats import get_format
    >>> from refconv.problem import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2))
    >>> exact_ranges(problem, get_format("float32"), 2**24, has_bias=True)
    Ranges(x=1244, weight=1037, grad_output=898, bias=1290028)
    """
    terms = {operation: max(1, problem.reduction_length(operation)) for operation in OPERATIONS}
    forward = Fraction(budget, terms["forward"] + has_bias)
    back, weight = Fraction(budget, terms["grad_input"]), Fraction(budget, terms["grad_weight"])
    limit = element.largest_integer
    w = _root(forward * back / weight, limit)
    g = min(_root(weight * back / forward, limit), int(back / w))
    # a range that the format cut short leaves room for the others, as far as the rules go
    x = min(limit, int(forward / w), int(weight / max(1, g)))
    w = min(limit, int(forward / max(1, x)), int(back / max(1, g)))
    if min(x, w, g) < 1:
        raise FormatError(
            f"an exact fill needs room for {max(terms.values())} products of ones within {budget}, "
            f"but {problem} leaves none: use fewer terms or a wider accumulator."
        )
    return Ranges(x=x, weight=w, grad_output=g, bias=x * w)


def exact_integers(key: str, shape: tuple[int, ...], largest: int) -> Float64s:
    """Fill a tensor with nonzero integers of magnitude 1 ... largest, five in eight of them positive.

    Examples
    --------
    >>> exact_integers("example/x", (2, 3), largest=6).tolist()
    [[3.0, 1.0, 5.0], [-4.0, -2.0, -6.0]]
    """
    magnitude = 1 + spread(key, shape, largest)
    negative = bits(f"{key}/sign", shape) % np.uint64(8) >= 5
    return np.where(negative, -magnitude, magnitude).astype(np.float64)


def extremes(key: str, shape: tuple[int, ...], element: NumberFormat) -> Float64s:
    """Fill with the two ends of an integer format, three in four from the end farther from zero.

    Neighbouring products then mostly have one sign, as it takes to overflow a 16-bit sum of two:
    ``255 * -128 + 255 * -128 = -65280``.  Instead of zero, the other end of unsigned formats is 1.

    Examples
    --------
    >>> from refconv.formats import get_format
    >>> extremes("a", (5,), get_format("int8")).tolist()
    [-128.0, -128.0, 127.0, -128.0, -128.0]
    """
    low, high = float(element.smallest or 1), float(element.largest)
    far, near = (low, high) if abs(low) > high else (high, low)
    return np.where(bits(f"{key}/end", shape) % np.uint64(4) == 0, near, far)


def iota(shape: tuple[int, ...]) -> Float64s:
    """Fill a tensor with 1, 2, 3 ... in C order, to be checked by hand."""
    return np.arange(1.0, prod(shape) + 1).reshape(shape)


def _root(value: Fraction, limit: int) -> int:
    return max(1, min(limit, isqrt(int(value))))
