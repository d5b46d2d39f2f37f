"""Results that are right but for their range: cut off at two ends, or wrapped around in a few bits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refconv.diagnosis.observe import Observation
from refconv.diagnosis.probes import probe_named
from refconv.diagnosis.products import Array

WIDTHS = (8, 16, 32)  # bits
ENOUGH = 2  # results beyond an end, and within both


def cut_off(items: Sequence[Observation]) -> str:
    """Say how the range of an operation's results is cut, if that explains all of them; else nothing.

    Parameters
    ----------
    items : sequence of Observation
        Of one operation, the right ones among them.
    """
    if any(item.got_shape != item.expected_shape for item in items):
        return ""
    truth = np.concatenate([probe_named(item.probe).truth[item.operation].ravel() for item in items])
    got = np.concatenate([item.results[0].ravel() for item in items])
    return _clipped(got, truth) or _wrapped(got, truth)


def _clipped(got: Array, truth: Array) -> str:
    low, high = got.min(), got.max()
    ends = {"below": (low, truth < low), "above": (high, truth > high)}
    within = (truth > low) & (truth < high)
    if within.sum() < ENOUGH or not np.array_equal(got, np.clip(truth, low, high)):
        return ""
    used = [f"{side} {end:.9g}" for side, (end, beyond) in ends.items() if beyond.sum() >= ENOUGH]
    return f"Every result is right but for being cut off {' and '.join(used)}." if used else ""


def _wrapped(got: Array, truth: Array) -> str:
    for bits in WIDTHS:
        for lowest, kind in ((-(2 ** (bits - 1)), "signed"), (0, "unsigned")):
            if np.array_equal(got, (truth - lowest) % 2**bits + lowest):
                return f"Every result is right but for the bits above the {bits} of {kind} integers: it wraps around."
    return ""
