"""Class ``split``: the sum passes through another format m times, as in split-K and in tiled kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refconv.formats import NumberFormat
from refconv.judge.bounds import error_bound, growth
from refconv.judge.classes.base import AccuracyClass, Float64s, upward
from refconv.judge.evidence import Evidence


@dataclass(frozen=True)
class Split(AccuracyClass):
    """``E = ((1 + u)**n * (1 + v)**m - 1) * S``, v the unit roundoff of the format between the parts.

    A product meets at most m roundings to that format, whether a running sum is stored m times or m
    parts are rounded (1) and then added in it (m - 1); and at most n to the accumulator (Higham, "Accuracy
    and Stability of Numerical Algorithms", lemma 3.1).  Each rounding of a stored sum may also underflow,
    by half the smallest number of that format.

    Examples
    --------
    >>> from refconv.formats import get_format
    >>> Split(4, get_format("bfloat16")).name
    'split:4:bfloat16'
    """

    parts: int
    between: NumberFormat

    @property
    def name(self) -> str:
        """The text form."""
        return f"split:{self.parts}:{self.between}"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return E."""
        ordinary = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
        passing = growth(self.parts, self.between.precision)
        within = growth(int(evidence.terms.max(initial=0)), evidence.accumulator.precision)
        underflow = self.parts * 2.0 ** (self.between.quantum_exponent - 1) * (1 + passing) * (1 + within)
        more = ordinary * (1 + passing) + passing * evidence.magnitude + underflow
        return np.where(evidence.magnitude > 0, upward(more, 12), 0.0)

    def forgives_nothing(self, evidence: Evidence) -> bool:
        """Whether every partial sum of an exact fill fits into both formats."""
        fits = evidence.exact_fill and evidence.fits(self.between) and evidence.fits(evidence.accumulator)
        return evidence.out.is_integer or fits
