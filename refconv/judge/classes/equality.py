"""Classes ``exact`` and ``correctly_rounded``: equality with the exact result, rounded once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refconv.judge.classes.base import AccuracyClass, Float64s
from refconv.judge.evidence import Evidence


@dataclass(frozen=True)
class Equality(AccuracyClass):
    """Every element equals the exact result rounded once; -0 equals +0.

    On fills whose partial sums all fit into the accumulator this holds for any order, FMA, tiling and
    split of the sum, because nothing is ever rounded: class ``exact``.  As a claim about all inputs it is
    ``correctly_rounded``, which is asked of nobody unless he claims it.

    Examples
    --------
    >>> Equality("correctly_rounded").name
    'correctly_rounded'
    """

    name: str = "exact"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return zeros."""
        return np.zeros(evidence.terms.shape)

    def forgives_nothing(self, evidence: Evidence) -> bool:
        """Return True."""
        return True
