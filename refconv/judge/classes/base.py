"""What all accuracy classes have in common: a name, a bound, and the interval that follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.judge.bounds import Interval
from refconv.judge.evidence import Evidence
from refconv.judge.verdict import Verdict, judge_tensor

Array = npt.NDArray[Any]
Float64s = npt.NDArray[np.float64]

LARGEST = float(np.finfo(np.float64).max)


class AccuracyClass(ABC):
    """A claim about the arithmetic of an implementation, and the rule that follows from it.

    A subclass says with :meth:`bound` how far the sum may be from the exact y before it is rounded to the
    output format; rounding is monotone, so the result lies in ``[round(y - E), round(y + E)]``.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The text form, such as ``"split:4:bfloat16"``."""

    @abstractmethod
    def bound(self, evidence: Evidence) -> Float64s:
        """Return E for every element, in float64, rounded up."""

    def finite_bound(self, evidence: Evidence) -> Float64s:
        """Return E, but the largest number where float64 does not hold it, as where it does not hold S."""
        with np.errstate(over="ignore", invalid="ignore"):
            bound = self.bound(evidence)
        return np.where(bound < LARGEST, bound, LARGEST)

    def forgives_nothing(self, evidence: Evidence) -> bool:
        """Whether no arithmetic of this class can round on such inputs; by default for integers only."""
        return evidence.out.is_integer

    def interval(self, evidence: Evidence) -> Interval:
        """Return what an implementation of this class may answer."""
        if self.forgives_nothing(evidence):
            return Interval(evidence.truth, evidence.truth, evidence.magnitude)
        bound = self.finite_bound(evidence)
        lo, hi = (evidence.total.plus(e).round(evidence.out, evidence.overflow) for e in (-bound, bound))
        return Interval(lo, hi, evidence.magnitude)

    def judge(self, got: Array, evidence: Evidence) -> Verdict:
        """Judge a result of the right shape."""
        lo, hi, _ = self.interval(evidence)
        return judge_tensor(got, evidence.truth, lo, hi)


def upward(values: Array, operations: int) -> Float64s:
    """Raise a float64 result of nonnegative arithmetic so that it is not below the exact one.

    Each of ``operations`` roundings lost at most a part of 2**-53, or half the smallest subnormal.

    Examples
    --------
    >>> float(upward(np.array(1.0), 3)) > 1 + 3 * 2.0**-53
    True
    """
    raised = np.asarray(values, dtype=np.float64) * (1 + (operations + 2) * 2.0**-52)
    tiny = operations * 5e-324
    return np.where(raised > 0, np.nextafter(raised + tiny, np.inf), 0.0)
