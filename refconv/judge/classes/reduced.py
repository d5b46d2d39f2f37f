"""Class ``reduced``: the inputs are rounded to a narrower format before they are multiplied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refconv.judge.bounds import error_bound, growth
from refconv.judge.classes.base import AccuracyClass, Float64s, upward
from refconv.judge.classes.ftz import factor_sums
from refconv.judge.evidence import Evidence

# Precision and smallest exponent: TF32 has the significand of float16 and the exponents of float32 (NVIDIA A100
# Tensor Core GPU Architecture, 2020).
NARROW = {"tf32": (11, -126), "bf16": (8, -126)}


@dataclass(frozen=True)
class Reduced(AccuracyClass):
    """``E = ((1 + v)**2 * (1 + u)**n - 1) * S``, v the unit roundoff of the narrower format.

    Each product has two factors within 1 + v of the inputs (round to nearest), and then the roundings of
    class ``standard`` (Higham, "Accuracy and Stability of Numerical Algorithms", lemma 3.1).  Inputs that
    the narrower format holds anyway are not rounded: then v = 0.  Subnormal inputs err by half a step
    of the narrower format instead, which adds ``step / 2 * sum(abs(x) + abs(w))``.

    Units that cut the inputs off instead of rounding them err twice as much and do not keep this claim.

    Examples
    --------
    >>> Reduced("tf32").name
    'reduced:tf32'
    """

    narrow: str

    @property
    def name(self) -> str:
        """The text form."""
        return f"reduced:{self.narrow}"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return E."""
        ordinary = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
        precision, min_exponent = NARROW[self.narrow]
        if evidence.operation == "grad_bias" or self._holds(evidence):
            return ordinary
        twice = growth(2, precision)
        step = 2.0 ** (min_exponent - precision + 1)
        most = 1 + growth(int(evidence.terms.max(initial=0)), evidence.accumulator.precision)
        narrowed = (twice * evidence.magnitude + step * factor_sums(evidence)) * most
        return np.where(evidence.magnitude > 0, upward(ordinary + narrowed, 8), 0.0)

    def _holds(self, evidence: Evidence) -> bool:
        """Whether every input is a number of the narrower format."""
        precision, min_exponent = NARROW[self.narrow]
        element = evidence.element
        return element.precision <= precision and element.quantum_exponent >= min_exponent - precision + 1
