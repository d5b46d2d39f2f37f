"""Two known defects at once."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator, Sequence

from refconv.diagnosis.defects import Defect, all_defects
from refconv.diagnosis.observe import Observation
from refconv.diagnosis.predict import same
from refconv.diagnosis.probes import Probe, probe_named
from refconv.errors import RefconvError
from refconv.implementations import ARGUMENTS

SECONDS = 2.0


@functools.lru_cache(maxsize=256)
def together(first: str, second: str) -> type[Defect]:
    """Return the model of a layer with two defects: what the second one bends, the first one bends again.

    Examples
    --------
    >>> together("bias-twice", "kernel-flipped").summary()
    'bias-twice and kernel-flipped.'
    """
    defects = all_defects()
    text = {"__doc__": f"{first} and {second}.", "usually": "two mistakes."}
    return type("Pair", (defects[first], defects[second]), text)


def find_pair(
    operation: str, items: Sequence[Observation], suspects: Sequence[str], seconds: float = SECONDS
) -> tuple[str, str] | None:
    """Find two defects that together predict all results of an operation.

    Parameters
    ----------
    operation : str
    items : sequence of Observation
        What it gave.
    suspects : sequence of str
        Defects that explain a part, or another operation: one of the two must be among them, unless there
        are none.
    seconds : float
        Gives up after that long.
    """
    wrong = [item for item in items if item.wrong]
    if not wrong or any(item.got_shape != item.expected_shape for item in wrong):
        return None
    ordered = sorted(wrong, key=lambda item: math.prod(item.expected_shape))
    others = ordered[1:] + [item for item in items if not item.wrong]
    end = time.monotonic() + seconds
    for first, second in _pairs(operation, suspects):
        if time.monotonic() > end:
            break
        if all(_fits(first, second, operation, item, probe_named(item.probe)) for item in (ordered[0], *others)):
            return first, second
    return None


def _pairs(operation: str, suspects: Sequence[str]) -> Iterator[tuple[str, str]]:
    slugs = [slug for slug, defect in all_defects().items() if operation in defect.operations and not defect.stateful]
    known = [slug for slug in dict.fromkeys(suspects) if slug in slugs]
    for one in known or slugs:
        for other in slugs:
            if one != other:
                yield one, other
                if known:
                    yield other, one


def _fits(first: str, second: str, operation: str, item: Observation, probe: Probe) -> bool:
    arguments = [probe.tensors[name].astype(probe.truth[operation].dtype) for name in ARGUMENTS[operation]]
    try:
        predicted = getattr(together(first, second)(), operation)(*arguments, probe.problem)
    except (RefconvError, ValueError, IndexError, TypeError):  # two hooks that do not go together
        return False
    return same(item.results[0], predicted)
