"""Two known defects at once."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from refconv.diagnosis.defects import Triggered, all_defects, every_defect
from refconv.diagnosis.defects.compose import Together
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.observe import Observation
from refconv.diagnosis.predict import same
from refconv.diagnosis.probes import Probe, probe_named
from refconv.errors import RefconvError
from refconv.implementations import ARGUMENTS

SECONDS = 2.0


@functools.lru_cache(maxsize=256)
def together(first: str, second: str) -> Callable[[], Layer]:
    """Return what makes a layer with two defects: what the second one bends, the first one bends again.

    Examples
    --------
    >>> layer = together("bias-twice", "kernel-flipped")()
    >>> layer.padding_value
    0
    """
    models = every_defect()[first], every_defect()[second]
    if any(issubclass(model, Triggered) for model in models):
        return lambda: Together(*models)
    return type("Pair", models, {"__doc__": f"{first} and {second}.", "usually": "two mistakes."})


def find_pair(
    operation: str,
    items: Sequence[Observation],
    suspects: Sequence[str],
    seconds: float = SECONDS,
    without: Collection[str] = (),
) -> tuple[str, str] | None:
    """Find two defects that together predict all results of an operation.

    Parameters
    ----------
    operation : str
    items : sequence of Observation
        What it gave; something is wrong, and all of it has the right shape.
    suspects : sequence of str
        Defects that explain a part, or another operation: one of the two must be among them, unless there
        are none.
    seconds : float
        Gives up after that long.
    without : collection of str
        Defects that are not to be thought of.
    """
    wrong = [item for item in items if item.wrong]
    ordered = sorted(wrong, key=lambda item: math.prod(item.expected_shape))
    others = ordered[1:] + [item for item in items if not item.wrong]
    end = time.monotonic() + seconds
    for first, second in _pairs(operation, suspects, without):
        if time.monotonic() > end:
            break
        if all(_fits(first, second, operation, item, probe_named(item.probe)) for item in (ordered[0], *others)):
            return first, second
    return None


def _pairs(operation: str, suspects: Sequence[str], without: Collection[str]) -> Iterator[tuple[str, str]]:
    known = [slug for slug in dict.fromkeys(suspects) if not every_defect()[slug].stateful]
    models = every_defect() if known else all_defects()
    slugs = [slug for slug, model in models.items() if operation in model.operations and not model.stateful]
    slugs = [slug for slug in slugs if slug not in without]
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
