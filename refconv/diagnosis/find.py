"""Find the defects that predict everything that was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from refconv.diagnosis.defects import known_defects
from refconv.diagnosis.observe import Observation
from refconv.diagnosis.predict import fits, shows
from refconv.diagnosis.probes import FORMAT, PROBLEMS, probe_named
from refconv.diagnosis.words import Finding
from refconv.problem import OPERATIONS

NEAR = 2.0**-12  # differences below, as a share of the largest result, may be rounding
FEW, MANY = 3, 8  # wrong results of an operation that are put to all defects; the others only to those that are left

Names = tuple[str, ...]
Operations = dict[str, list[Observation]]


def find(observations: Sequence[Observation]) -> list[Finding]:
    """Explain as many wrong operations as possible by as few defects as possible.

    Of the defects that explain equally many operations, those win that predict no fault where none
    was seen; what is still even is reported as equal.
    """
    by_operation = {name: [item for item in observations if item.operation == name] for name in OPERATIONS}
    wrong = {name: items for name, items in by_operation.items() if any(item.wrong for item in items)}
    left = {name: candidates(items) for name, items in wrong.items()}
    findings = []
    while any(left.values()):
        operations, slugs = _best(left, by_operation)
        items = [item for name in operations for item in wrong[name]]
        shown, judged = {item.problem for item in items if item.wrong}, {item.problem for item in items}
        findings.append(Finding(operations, slugs, len(shown), len(judged), any(item.near for item in items)))
        left = {name: found for name, found in left.items() if name not in operations}
    return findings


def _best(left: dict[str, set[str]], by_operation: Operations) -> tuple[Names, Names]:
    """Return the operations that the best defect explains, and all defects that are as good."""
    slugs = [slug for slug in known_defects() if any(slug in found for found in left.values())]
    explained = {slug: tuple(name for name, found in left.items() if slug in found) for slug in slugs}
    scores = {slug: (len(explained[slug]), -_surplus(slug, by_operation)) for slug in slugs}
    first = max(slugs, key=scores.__getitem__)  # the earliest of the best
    equals = (slug for slug in slugs if scores[slug] == scores[first] and explained[slug] == explained[first])
    return explained[first], tuple(equals)


def matched(observations: Iterable[Observation], without: Collection[str] = ()) -> list[Observation]:
    """Put some wrong results of each operation to all defects, but for those in ``without``.

    A few at first, and some more where no defect predicts all that was seen.
    """
    found = list(observations)
    for operation in OPERATIONS:
        items = [item for item in found if item.operation == operation]
        others = [item for item in found if item.operation != operation]
        for count in (FEW, MANY):
            items = _put_to_all(items, count, without)
            if candidates(items):
                break
        found = others + items
    return found


def softened(items: Iterable[Observation]) -> list[Observation]:
    """Let small differences pass for rounding, as those of an FFT or of Winograd's transforms are."""
    small = [item.wrong > 0 and item.error <= NEAR for item in items]
    return [
        replace(item, near=NEAR, wrong=0 if right else item.wrong, matches=() if right or not item.wrong else None)
        for item, right in zip(items, small, strict=True)
    ]


def is_inexact(items: Iterable[Observation]) -> bool:
    """Say whether wrong results are no integers, although all inputs are."""
    return any(item.wrong and not np.array_equal(item.results[0], np.rint(item.results[0])) for item in items)


def _put_to_all(items: Sequence[Observation], count: int, without: Collection[str]) -> list[Observation]:
    """Fill in who predicts the first wrong results: those of the usual probes, then those of the smallest problems."""
    wrong = sorted((item for item in items if item.wrong), key=lambda item: (item.probe not in PROBLEMS, item.elements))
    first = {item.probe for item in wrong[:count]}
    return [replace(i, matches=_matches(i, without)) if i.probe in first and i.matches is None else i for i in items]


def _matches(item: Observation, without: Collection[str]) -> tuple[str, ...]:
    return tuple(slug for slug in known_defects() if slug not in without and _predicts(slug, item))


def candidates(observations: Sequence[Observation]) -> set[str]:
    """Return the defects that predict all results of one operation; some wrong ones were put to all defects."""
    asked = [item for item in observations if item.matches is not None and item.wrong]
    others = [item for item in observations if item.matches is None or not item.wrong]
    common = set.intersection(*(set(item.matches or ()) for item in asked)) if asked else set()
    return {slug for slug in common if all(explains(slug, item) for item in others)}


def explains(slug: str, item: Observation) -> bool:
    """Say whether a defect predicts what was seen, right or wrong.

    In narrow formats wrong results need not be exact: that something is wrong must do.
    """
    probe = probe_named(item.probe)
    if not item.wrong:
        return not _predicts_fault(slug, item)
    return _predicts(slug, item) or (probe.element.precision < FORMAT.precision and _predicts_fault(slug, item))


def _predicts(slug: str, item: Observation) -> bool:
    known = item.operation in known_defects()[slug].operations
    return known and fits(slug, item.operation, probe_named(item.probe), item.results, item.near)


def _predicts_fault(slug: str, item: Observation) -> bool:
    return shows(slug, item.operation, probe_named(item.probe))


def _surplus(slug: str, by_operation: Operations) -> int:
    """Count the operations in which a defect would show, but is not what was seen."""
    return sum(
        any(_predicts_fault(slug, item) for item in items) and not all(explains(slug, item) for item in items)
        for items in by_operation.values()
    )
