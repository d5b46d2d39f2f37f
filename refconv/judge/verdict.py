"""The verdict on one tensor: whether every element is where it must be, and what it looks like if not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.judge.closeup import Closeup, close_up

Array = npt.NDArray[Any]

EDGES = tuple(2.0**-power for power in range(7, -1, -1))  # of the histogram, in units of the bound


@dataclass(frozen=True)
class Element:
    """One element of a result beside what was expected.

    Attributes
    ----------
    index : tuple of int
        Position in the tensor.
    expected, got : float
        The exact result rounded once, and what the implementation returned.
    lo, hi : float
        The interval in which it had to lie; both equal ``expected`` for exact cases.
    error : float
        abs(got - expected) in units of the bound on that side; infinite where no error was allowed.
    """

    index: tuple[int, ...]
    expected: float
    got: float
    lo: float
    hi: float
    error: float


@dataclass(frozen=True)
class Verdict:
    """What is to be said about one tensor.

    Attributes
    ----------
    elements, wrong : int
        How many there are, and how many lie outside of their interval.
    first, worst : Element or None
        The first wrong element in C order, and the one with the largest error; ``first`` is None if
        nothing is wrong, ``worst`` only if there are no elements.
    interval_use : float
        The largest error in units of the bound; 0 for an exact match.
    correctly_rounded : float
        Share of the elements that equal the exact result rounded once; 1 for empty tensors.
    interval_rms : float
        The root mean square of the errors in units of the bound.
    violation : str
        What is wrong with the tensor as a whole, for rules that say so; empty otherwise.
    histogram : tuple of int
        How many elements have no error at all; an error up to each of :data:`EDGES`, in units of the bound;
        a larger one.
    closeup : Closeup or None
        Where the errors are, if there are any; it takes no part in comparisons.
    """

    elements: int
    wrong: int
    first: Element | None
    worst: Element | None
    interval_use: float
    correctly_rounded: float
    interval_rms: float = 0.0
    violation: str = ""
    histogram: tuple[int, ...] = ()
    closeup: Closeup | None = field(default=None, compare=False, repr=False)

    @property
    def passed(self) -> bool:
        """Whether every element lies in its interval, and the tensor as a whole keeps the rule."""
        return self.wrong == 0 and not self.violation


@np.errstate(all="ignore")  # whatever numbers come, they are judged without a noise
def judge_tensor(got: Array, expected: Array, lo: Array | None = None, hi: Array | None = None) -> Verdict:
    """Judge a tensor against its interval, or for equality where there is none.

    Parameters
    ----------
    got, expected : array, of one shape
    lo, hi : array, optional
        The interval; without it every element must equal ``expected`` (-0 equals +0).  Where ``expected``
        is NaN, any NaN is accepted and nothing else; an infinity must come with its sign.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> verdict = judge_tensor(np.array([1.0, 2.5]), np.array([1.0, 2.0]))
    >>> verdict.wrong, verdict.first.index, verdict.first.got
    (1, (1,), 2.5)
    >>> judge_tensor(np.array([2.5]), np.array([2.0]), np.array([1.0]), np.array([3.0])).interval_use
    0.5
    """
    if _truth_itself(got, expected):
        return _faultless(expected, lo, hi)
    result, truth = _float64(got), _float64(expected)
    low, high = (truth if bound is None else _float64(bound) for bound in (lo, hi))
    same = (result == truth) | (np.isnan(result) & np.isnan(truth))
    outside = ~(same | ((low <= result) & (result <= high)))  # a NaN lies nowhere
    error = np.where(same, 0.0, _in_units_of_the_bound(result, truth, low, high))

    def element(position: int) -> Element:
        index = tuple(int(i) for i in np.unravel_index(position, truth.shape))
        values = (float(array.flat[position]) for array in (truth, result, low, high, error))
        return Element(index, *values)

    wrong = np.flatnonzero(outside)
    return Verdict(
        elements=truth.size,
        wrong=len(wrong),
        first=element(int(wrong[0])) if len(wrong) else None,
        worst=element(int(np.argmax(error))) if truth.size else None,
        interval_use=float(error.max(initial=0.0)),
        correctly_rounded=float(np.mean(same)) if truth.size else 1.0,
        interval_rms=float(np.sqrt(np.mean(error * error))) if truth.size else 0.0,
        histogram=_histogram(error),
        closeup=close_up(truth, result, outside, error) if len(wrong) else None,
    )


def _truth_itself(got: Array, expected: Array) -> bool:
    """Tell whether a result has the bytes of what is expected, so that no interval need be looked at."""
    return got.dtype == expected.dtype and got.tobytes() == expected.tobytes()


def _faultless(truth: Array, lo: Array | None, hi: Array | None) -> Verdict:
    """Return the verdict on the truth itself; all errors are equal, so that the first element is the worst."""
    count, origin = truth.size, (0,) * truth.ndim
    ends = (truth if bound is None else bound for bound in (lo, hi))
    worst = None
    if count:
        value, low, high = (float(array[origin]) for array in (truth, *ends))
        worst = Element(origin, value, value, low, high, 0.0)
    return Verdict(count, 0, None, worst, 0.0, 1.0, 0.0, "", (count, *[0] * (len(EDGES) + 1)))


def _histogram(error: Array) -> tuple[int, ...]:
    bins = np.searchsorted((0.0, *EDGES), error.ravel())
    return tuple(np.bincount(bins, minlength=len(EDGES) + 2).tolist())


def _float64(values: Array) -> npt.NDArray[np.float64]:
    return np.asarray(values).astype(np.float64)


def _in_units_of_the_bound(result: Array, truth: Array, low: Array, high: Array) -> Array:
    distance = np.abs(result - truth)
    width = np.where(result > truth, high - truth, truth - low)
    error = distance / width
    overflowed = (low <= result) & (result <= high)  # beside an infinite end, every distance is infinite
    return np.where(np.isnan(error), np.where(overflowed, 1.0, np.inf), error)
