"""Which way numbers are rounded, read off a tie and a number three quarters on its way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from refconv.diagnosis.fingerprint.bench import Bench
from refconv.diagnosis.fingerprint.bits import Triple, ordered_sums, unit_exponent

Steps = Callable[[float], set[float]]


def output_rounding(bench: Bench, accumulator: int | None) -> str | None:
    """Say how results are rounded to the output; None where the accumulator leaves nothing to round."""
    precision = bench.element.precision
    if accumulator is not None and accumulator < precision + 2:
        return None
    step = 2.0 ** (1 - precision)

    def steps(share: float) -> set[float]:
        base = np.copysign(1.5, share)
        return {(bench.add({0: base, 1: share * step}) - base) / step}

    return classify(steps)


def accumulator_rounding(bench: Bench, places: Triple, precision: int | None) -> str | None:
    """Say how partial sums are rounded: ``base + t - base`` in all orders; None where that cannot be seen."""
    if precision is None:
        return None
    top = 14 if unit_exponent(bench.element) else 0
    base, step = 1.5 * 2.0**top, 2.0 ** (top + 1 - precision)
    if step * 0.25 < 2.0**bench.element.quantum_exponent:
        return None

    def steps(share: float) -> set[float]:
        signed = float(np.copysign(base, share))
        got = ordered_sums(bench, places, (signed, share * step, -signed)) / step
        return {float(value) for value in got} - {share}  # share: the two bases met first

    return classify(steps)


def classify(steps: Steps) -> str:
    """Name a rounding.

    Parameters
    ----------
    steps : callable
        ``steps(share)`` returns where a number lands that lies a share of a step above an even one: the
        set of steps that were seen.  A negative share is below a negative number.

    Examples
    --------
    >>> classify(lambda share: {float(np.rint(share))}), classify(lambda share: {float(np.trunc(share))})
    ('nearest even', 'toward zero')
    """
    up, down = steps(0.75), steps(-0.75)
    if up == {1.0} and down == {-1.0}:
        ties = steps(0.5) | {-value for value in steps(-0.5)}
        if ties == {0.0}:  # to the even one, or to the smaller one, as between an odd one and the next
            return "nearest even" if steps(1.5) <= {2.0} else "nearest, ties toward zero"
        return "nearest away" if 1.0 in ties else "nearest"
    if up == {0.0} and down == {-1.0}:
        return "downward"
    if up == {1.0} and down == {0.0}:
        return "upward"
    return "toward zero" if 0.0 in up and 0.0 in down else "unknown"
