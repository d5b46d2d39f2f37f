"""Find the defects that predict everything that was seen."""

from __future__ import annotations

from collections.abc import Sequence

from refconv.diagnosis.defects import all_defects
from refconv.diagnosis.observe import Observation
from refconv.diagnosis.predict import shows
from refconv.diagnosis.probes import probe_named
from refconv.diagnosis.words import Finding
from refconv.problem import OPERATIONS

Names = tuple[str, ...]
Operations = dict[str, list[Observation]]


def find(observations: Sequence[Observation]) -> list[Finding]:
    """Explain as many wrong operations as possible by as few defects as possible.

    Of the defects that explain equally many operations, those win that predict no fault where none
    was seen; what is still even is reported as equal.
    """
    by_operation = {name: [item for item in observations if item.operation == name] for name in OPERATIONS}
    wrong = {name: items for name, items in by_operation.items() if any(item.wrong for item in items)}
    candidates = {name: _candidates(items) for name, items in wrong.items()}
    findings = []
    while any(candidates.values()):
        operations, slugs = _best(candidates, by_operation)
        items = [item for name in operations for item in wrong[name]]
        shown, judged = {item.problem for item in items if item.wrong}, {item.problem for item in items}
        findings.append(Finding(operations, slugs, len(shown), len(judged)))
        candidates = {name: found for name, found in candidates.items() if name not in operations}
    return findings


def _best(candidates: dict[str, set[str]], by_operation: Operations) -> tuple[Names, Names]:
    """Return the operations that the best defect explains, and all defects that are as good."""
    slugs = [slug for slug in all_defects() if any(slug in found for found in candidates.values())]
    explained = {slug: tuple(name for name, found in candidates.items() if slug in found) for slug in slugs}
    scores = {slug: (len(explained[slug]), -_surplus(slug, by_operation)) for slug in slugs}
    first = max(slugs, key=scores.__getitem__)  # the earliest of the best
    equals = (slug for slug in slugs if scores[slug] == scores[first] and explained[slug] == explained[first])
    return explained[first], tuple(equals)


def _candidates(observations: Sequence[Observation]) -> set[str]:
    """Return the defects that predict all results of one operation."""
    first, *others = sorted(observations, key=lambda item: not item.wrong)
    return {slug for slug in first.matches if all(_explains(slug, item) for item in others)}


def _explains(slug: str, item: Observation) -> bool:
    return slug in item.matches if item.wrong else not _predicts_fault(slug, item)


def _predicts_fault(slug: str, item: Observation) -> bool:
    return shows(slug, item.operation, probe_named(item.probe))


def _surplus(slug: str, by_operation: Operations) -> int:
    """Count the operations in which a defect would show, but is not what was seen."""
    return sum(
        any(_predicts_fault(slug, item) for item in items) and not all(_explains(slug, item) for item in items)
        for items in by_operation.values()
    )
