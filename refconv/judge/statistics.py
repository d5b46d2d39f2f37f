"""The statistical companion of the intervals: how large rounding errors usually are.

A worst-case bound grows with n, the errors themselves with the root of n, so that a bound goes blind on
long sums.  If the products come in random order, the partial sum after k of n of them has a mean square of
about ``(k/n) * Q**2 + (k/n)**2 * (y**2 - Q**2)``, with y the result and Q**2 the sum of the squared
products; added up over k this is ``n * (y**2 / 3 + Q**2 / 6)``.  A number rounded to nearest errs with a mean
square of ``u**2 / (3 * m**2)`` relative to itself, m its significand in [1, 2); if m is distributed as
Benford's law has it, that is ``(0.42 * u)**2`` (Higham, "Accuracy and Stability of Numerical Algorithms",
section 2.8; Hull and Swenson, "Tests of probabilistic models for propagation of roundoff errors", CACM 9,
1966).  Products are rounded once each, which adds Q**2:

    tau = 0.42 * u * sqrt(n * (y**2 / 3 + Q**2 / 6) + Q**2)

and, independently, the one rounding to a narrower output errs evenly over a step.

**This is a model, not a theorem.**  Honest arithmetic may break it, so what it finds is *suspicious*, not
wrong.  It is asked only where its hypothesis can be seen in the exact numbers: the mean square of the results
is about that of Q, as it is for products of zero mean and independent signs, and there are enough of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.exact.slicing import as_float64
from refconv.formats import NumberFormat
from refconv.judge.evidence import Evidence

Array = npt.NDArray[Any]

LARGEST_RMS, LARGEST = 1.5, 16.0
ROUNDING = 0.42  # sqrt(1/3 * 0.541), the root of the mean of 1 / (3 * m**2) under Benford's law
FEWEST = 64  # results: the mean square of fewer scatters too much to be compared with 1.5
BALANCE = 4.0  # how far the mean squares of y and Q may lie apart


@dataclass(frozen=True)
class Statistics:
    """Errors in units of what the model expects.

    Attributes
    ----------
    elements : int
    rms, largest : float
        The root mean square and the largest of abs(error) / tau.
    """

    elements: int
    rms: float
    largest: float

    @property
    def suspicious(self) -> bool:
        """Whether the errors are larger than rounding explains.

        Examples
        --------
        >>> Statistics(100, 0.9, 3.5).suspicious, Statistics(100, 27.0, 80.0).suspicious
        (False, True)
        """
        return not (self.rms <= LARGEST_RMS and self.largest <= LARGEST)


def is_zero_mean(evidence: Evidence) -> bool:
    """Whether the products of the results behave as if their signs were independent.

    Then the squares of the results are on average those of Q.  All positive products make them n times
    larger, and cancelling ones smaller; fewer than 64 results tell nothing.
    """
    if math.prod(evidence.problem.shape_of(evidence.operation)) < FEWEST:
        return False
    results, squares = float(np.mean(as_float64(evidence.truth) ** 2)), float(np.mean(evidence.squares))
    return squares > 0 and squares / BALANCE <= results <= squares * BALANCE


def expected_error(evidence: Evidence, accumulator: NumberFormat) -> npt.NDArray[np.float64]:
    """Return tau for every element, in float64."""
    y, squares, n = as_float64(evidence.truth), evidence.squares, evidence.terms
    u = ROUNDING * 2.0**-accumulator.precision
    variance = u * u * (n * (y * y / 3 + squares / 6) + squares)
    variance = variance + n * 4.0**accumulator.quantum_exponent / 12  # products that underflow
    if evidence.out.precision < accumulator.precision:
        lowest = evidence.out.quantum_exponent
        step = np.maximum(np.frexp(y)[1] - evidence.out.precision, lowest)
        variance = variance + np.ldexp(1.0, 2 * step) / 12
    result: npt.NDArray[np.float64] = np.sqrt(variance)
    return result


def companion(got: Array, evidence: Evidence, accumulator: NumberFormat) -> Statistics | None:
    """Compare the errors of a result with what rounding in an accumulator usually makes.

    Parameters
    ----------
    got : array
        Finite, of the shape of the result.
    evidence : Evidence
    accumulator : NumberFormat

    Returns
    -------
    Statistics or None
        None where the model has nothing to say.
    """
    if evidence.out.is_integer or evidence.exact_fill or not is_zero_mean(evidence):
        return None
    usual, error = expected_error(evidence, accumulator), np.abs(evidence.error_of(got))
    share = (error / np.where(usual > 0, usual, 1.0))[usual > 0]  # elsewhere there is no product
    return Statistics(share.size, float(np.sqrt(np.mean(share * share))), float(share.max()))
