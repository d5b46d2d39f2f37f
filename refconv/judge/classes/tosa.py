"""Class ``tosa``: the dot-product rule of Arm's TOSA conformance tests, for comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.judge.bounds import Interval
from refconv.judge.classes.base import AccuracyClass, Float64s
from refconv.judge.evidence import FLOAT64, Evidence
from refconv.judge.statistics import is_zero_mean
from refconv.judge.verdict import Verdict

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Tosa(AccuracyClass):
    """Every error within ``2 * k`` units, their squares within ``1.6 * k * T``, over all T results.

    The unit is ``max(S * 2**(-1 - f), smallest normal)``, f the fraction bits of the output, and
    ``k = ceil(KS / 2**((f_accumulator - f) / 2))``, plus one with a bias that is not zero; KS is the number of
    products.  Where signs are balanced the sum of the errors must also lie within ``sqrt(16 * k * T)``
    units (TOSA reference model, ``verify_dot_product.cc``, and the specification's section on dot-product
    accuracy).  It is a rule of thumb that allows more than rounding needs on short sums, and asserts a
    statistical model where it is stricter than the proven bound.

    Examples
    --------
    >>> Tosa().name
    'tosa'
    """

    @property
    def name(self) -> str:
        """The text form."""
        return "tosa"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return ``2 * k`` units."""
        result: Float64s = np.where(evidence.magnitude > 0, 2 * _k(evidence) * _unit(evidence), 0.0)
        return result

    def interval(self, evidence: Evidence) -> Interval:
        """Return y - E and y + E in float64: this rule compares with the unrounded result."""
        if self.forgives_nothing(evidence):
            return super().interval(evidence)
        bound = self.finite_bound(evidence)
        lo, hi = (evidence.total.plus(e).round(FLOAT64) for e in (-bound, bound))
        return Interval(lo, hi, evidence.magnitude)

    def judge(self, got: Array, evidence: Evidence) -> Verdict:
        """Judge every element, then the tensor as a whole."""
        verdict = super().judge(got, evidence)
        if not verdict.passed or self.forgives_nothing(evidence) or not verdict.elements:
            return verdict
        errors = evidence.error_of(got) / _unit(evidence)
        k, count = _k(evidence), errors.size
        squares, total = float(np.sum(errors * errors)), abs(float(np.sum(errors)))
        most_squares, most = 1.6 * k * count, math.sqrt(16 * k * count)
        if squares > most_squares:
            return replace(verdict, violation=f"the errors' squares add up to {squares:.3g}, above {most_squares:.3g}")
        if is_zero_mean(evidence) and total > most:
            return replace(verdict, violation=f"the errors add up to {total:.3g}, above {most:.3g}")
        return verdict


def _unit(evidence: Evidence) -> Float64s:
    smallest = 2.0**evidence.out.min_exponent
    result: Float64s = np.maximum(np.ldexp(evidence.magnitude, -evidence.out.precision), smallest)
    return result


def _k(evidence: Evidence) -> int:
    spare = evidence.accumulator.precision - evidence.out.precision
    products = evidence.problem.reduction_length(evidence.operation)
    return math.ceil(products / 2 ** (spare / 2)) + (evidence.bias is not None and bool(evidence.bias.any()))
