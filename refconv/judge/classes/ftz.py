"""Class ``ftz``: as ``standard``, but subnormal numbers may be flushed to zero anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refconv.judge.bounds import error_bound, growth
from refconv.judge.classes.base import Float64s, upward
from refconv.judge.classes.standard import Standard
from refconv.judge.evidence import Evidence


@dataclass(frozen=True)
class FlushToZero(Standard):
    """``E = standard + (1 + u)**n * (2 * n * l + l_in * sum(abs(x) + abs(w))) + l_out``.

    With l the smallest normal number of the accumulator: each of n products and n - 1 sums loses less
    than l when it is flushed.  With l_in that of the inputs or of the accumulator, whichever is larger: a
    product whose factor is flushed loses less than l_in times the other factor, at most
    ``l_in * (abs(x) + abs(w))``.  Every loss may then grow by the roundings that follow, and the result
    itself may be flushed in the output format, which loses less than its l_out.  What is flushed only
    gets smaller, so S still bounds the rest (derived here; flushing modes are those of Intel's MXCSR and
    Arm's FPCR).
    """

    @property
    def name(self) -> str:
        """The text form."""
        return f"ftz:{self.accumulator}" if self.accumulator else "ftz"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return E."""
        accumulator = self.format(evidence)
        smallest = 2.0**accumulator.min_exponent
        operand = max(smallest, 2.0**evidence.element.min_exponent)
        flushed = 2 * evidence.terms * smallest + operand * factor_sums(evidence)
        most = int(evidence.terms.max(initial=0))
        grown = flushed * (1 + growth(most, accumulator.precision)) + 2.0**evidence.out.min_exponent
        rounding = error_bound(evidence.magnitude, evidence.terms, accumulator)
        return np.where(evidence.magnitude > 0, upward(rounding + grown, 8), 0.0)


def factor_sums(evidence: Evidence) -> Float64s:
    """Return sum(abs(x) + abs(w)) over the products of every element (and abs(bias)), rounded up."""
    absolute = [np.abs(factor) for factor in evidence.factors]
    if len(absolute) == 1:  # grad_bias adds its only factor, times one
        total = evidence.apply(absolute[0]) + evidence.terms
    else:
        first, second = absolute
        total = evidence.apply(first, np.ones_like(second)) + evidence.apply(np.ones_like(first), second)
    if evidence.bias is not None:
        total = total + np.abs(evidence.bias)
    return upward(total, 2 * int(evidence.terms.max(initial=0)) + 4)
