"""Which bug is behind the failures of a report?  Nothing is run again: models predict the wrong results themselves.

Of every wrong tensor the report holds a digest, and the numbers of its verdict.  A defect model that computes the
case and arrives at the same digest has predicted all of it, to the last bit.  Where results may differ in their
rounding, the number of wrong elements, the first of them and the largest error must be as predicted.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from refconv.check import Outcome, Report
from refconv.check.causes import Cause
from refconv.check.spool import taken
from refconv.diagnosis.models import Models, refused
from refconv.diagnosis.products import count_products
from refconv.diagnosis.suspects import suspects
from refconv.errors import GeometryError
from refconv.problem import read_problem
from refconv.suite import Suite

Key = tuple[str, str]  # case and operation

SECONDS = 3.0  # of computing, for all causes together; counted, see Models
SAMPLE = 5  # failures of each operation that are put to all models, the smallest problems first
LARGE = 10**6  # products of a sample, which all models compute
MOST = 20_000  # outcomes of a long run that are looked at together
QUICK = 10**5  # products of a case
WITNESSES = 12  # right results that are asked whether a defect would show on them


def with_causes(report: Report, suite: Suite, seconds: float = SECONDS) -> Report:
    """Return a report that names the known defects behind its failures.

    Parameters
    ----------
    report : Report
        As :func:`refconv.check.check` returns it.
    suite : Suite
        The one that was checked.
    seconds : float
        Of computing, counted as :class:`refconv.diagnosis.models.Models` does, so that a report is the same on every
        machine; what there is no time for is counted in ``not_looked_at``.

    Returns
    -------
    Report
        With its ``causes``, those of most failures first; its method ``cause_of`` tells that of an outcome.

    Examples
    --------
    >>> from refconv.check import check
    >>> from refconv.diagnosis.defects.orientation import KernelFlipped
    >>> from refconv.suite import load_suite
    >>> from refconv.suite.embedded import smoke_folder
    >>> suite = load_suite(smoke_folder())
    >>> [cause.defect for cause in with_causes(check(KernelFlipped(), suite), suite).causes]
    ['kernel-flipped']
    """
    models, seen = Models(suite, seconds), _Seen(report)
    wrong = [number for number, outcome in enumerate(report.failures) if outcome.digest or refused(outcome)]
    riddles = heapq.nsmallest(MOST, map(_slim, taken(report.failures, wrong)), key=_work)
    causes: list[Cause] = []
    while riddles:
        sample = _sample(riddles)
        best = _best(sample, seen, models)
        if models.late and not (best and len(best[0].found) == len(sample)):
            break  # not all defects were asked, so that one which predicts a part may be the wrong one
        if best:
            explained = [outcome for outcome in _by_group(riddles) if best[0].explains(outcome, models)]
            causes.append(_cause(best, explained))
        done = causes[-1].failures if best else set(map(_key, sample))
        riddles = [outcome for outcome in riddles if _key(outcome) not in done]
    ordered = sorted(causes, key=lambda cause: -len(cause.failures))
    return replace(report, causes=tuple(ordered), not_looked_at=len(riddles) + max(0, len(wrong) - MOST))


class _Seen:
    """A few outcomes of a report that a defect must agree with, each choice made once."""

    def __init__(self, report: Report) -> None:
        self._outcomes, self._failures = _some(report.outcomes), _some(report.failures)
        self._chosen: dict[tuple[str, frozenset[str]], list[Outcome]] = {}

    def right(self, operations: frozenset[str]) -> list[Outcome]:
        """Return right results of some operations."""
        right = (o for o in self._outcomes if o.status == "PASS" and o.operation in operations and not o.policy)
        return self._once(("right", operations), right)

    def wrong(self, operations: frozenset[str]) -> list[Outcome]:
        """Return wrong results of some operations, of those without rounding."""
        wrong = (o for o in self._failures if o.digest and o.operation in operations and _is_certain(o))
        return self._once(("wrong", operations), wrong)

    def refused(self, reasons: frozenset[str]) -> list[Outcome]:
        """Return problems that were refused for one of these reasons."""
        return self._once(("refused", reasons), (o for o in self._failures if refused(o) and _reason(o) in reasons))

    def _once(self, key: tuple[str, frozenset[str]], outcomes: Iterable[Outcome]) -> list[Outcome]:
        if key not in self._chosen:
            self._chosen[key] = _spread(outcomes)
        return self._chosen[key]


@dataclass(frozen=True)
class _Candidate:
    """A defect that predicts some of a sample."""

    slug: str
    found: frozenset[Key]
    contradicted: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.found), -self.contradicted

    def explains(self, outcome: Outcome, models: Models) -> bool:
        """Say whether it predicts a wrong result; of those outside of the sample, if there is time."""
        return _key(outcome) in self.found or models.predicts(self.slug, outcome)


def _best(sample: Sequence[Outcome], seen: _Seen, models: Models) -> list[_Candidate]:
    """Return the defects that predict most of a sample, and of those the ones that are contradicted least."""
    found = {slug: _predicted(slug, sample, seen, models) for slug in suspects()}
    most = max(map(len, found.values()))
    if not most:
        return []
    candidates = [
        _Candidate(slug, keys, _contradictions(slug, frozenset(operation for _, operation in keys), seen, models))
        for slug, keys in found.items()
        if len(keys) == most
    ]
    best = max(candidates, key=lambda one: one.rank)  # the earliest of the best
    equals = [one for one in candidates if one.rank == best.rank and one.found == best.found]
    return _narrowest(equals, seen, models) if len(equals) > 1 else equals


def _predicted(slug: str, sample: Sequence[Outcome], seen: _Seen, models: Models) -> frozenset[Key]:
    """Return what a defect predicts of a sample, if that tells; of refusals, those whose reason it always predicts."""
    found = [outcome for outcome in sample if models.predicts(slug, outcome)]
    if not _tells(slug, found, models):
        return frozenset()
    reasons = {_reason(outcome) for outcome in found if refused(outcome)}
    others = {_reason(outcome) for outcome in seen.refused(frozenset(reasons)) if not models.predicts(slug, outcome)}
    return frozenset(_key(outcome) for outcome in found if not refused(outcome) or _reason(outcome) not in others)


def _tells(slug: str, found: Iterable[Outcome], models: Models) -> bool:
    """Say whether predicted results tell a bug: numbers that differ, or a number in two problems."""
    numbers = [(models.numbers(slug, outcome), outcome.descriptor) for outcome in found]
    return any(count > 1 for count, _ in numbers) or len({problem for count, problem in numbers if count}) > 1


def _reason(outcome: Outcome) -> str:
    """Return why a problem was refused, but for the numbers."""
    return re.sub(r"\d+", "_", outcome.message)


def _contradictions(slug: str, operations: frozenset[str], seen: _Seen, models: Models) -> int:
    """Count the right results on which a defect would show, and the wrong ones on which it would, but as others."""
    others = (outcome for outcome in seen.wrong(operations) if not models.predicts(slug, outcome))
    return _shown(slug, operations, seen, models) + sum(models.shows(slug, outcome) for outcome in others)


def _shown(slug: str, operations: frozenset[str], seen: _Seen, models: Models) -> int:
    """Count the right results of some operations on which a defect would show."""
    return sum(models.shows(slug, outcome) for outcome in seen.right(operations))


def _narrowest(equals: Sequence[_Candidate], seen: _Seen, models: Models) -> list[_Candidate]:
    """Of defects that explain the same, return those that would show least in what is right of other operations."""
    surplus = []
    for one in equals:
        others = frozenset(suspects()[one.slug].operations) - {operation for _, operation in one.found}
        surplus.append(_shown(one.slug, others, seen, models))
    return [one for one, count in zip(equals, surplus, strict=True) if count == min(surplus)]


def _some(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return all outcomes, or as many as may be in memory together, from one end to the other."""
    return outcomes[:: max(1, math.ceil(len(outcomes) / MOST))]


def _spread(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Take some outcomes of all sizes, among the smaller quarter."""
    found = sorted(map(_slim, outcomes), key=_work)
    return found[:: max(1, len(found) // (4 * WITNESSES))][:WITNESSES]


def _is_certain(outcome: Outcome) -> bool:
    """Say whether a result has no roundings, so that it equals what a defect predicts if it is of this defect."""
    return outcome.rule == "exact" and outcome.element in ("float32", "float64", "int8", "uint8")


def _cause(equals: Sequence[_Candidate], items: Sequence[Outcome]) -> Cause:
    first, *others = (one.slug for one in equals)
    model = suspects()[first]
    return Cause(
        first, tuple(others), model.summary(), model.usually, frozenset(map(_key, items)),
        tuple(dict.fromkeys(outcome.operation for outcome in items)), len({outcome.descriptor for outcome in items}),
        equals[0].contradicted,
    )  # fmt: skip


def _sample(riddles: Iterable[Outcome]) -> list[Outcome]:
    """Take a few failures of each operation: the first of each family and kind, for what is wrong stands together.

    Where there are few families, the second ones follow, and so on.  Of large problems there are fewer.
    """
    ranked: list[tuple[int, Outcome]] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for outcome in riddles:
        key = outcome.operation, outcome.family, outcome.status
        seen[key] += 1
        ranked.append((seen[key], outcome))
    chosen: dict[str, list[Outcome]] = {}
    for _, outcome in sorted(ranked, key=lambda pair: pair[0]):
        chosen.setdefault(outcome.operation, []).append(outcome)
    sample = [outcome for found in chosen.values() for outcome in found[:SAMPLE]]
    total = itertools.accumulate(map(_work, sample))
    return [outcome for outcome, products in zip(sample, total, strict=True) if products <= LARGE] or sample[:1]


def _by_group(riddles: Iterable[Outcome]) -> list[Outcome]:
    """Order failures so that files are read once: the quick ones of each group, then the slow ones."""
    return sorted(riddles, key=lambda outcome: (_work(outcome) > QUICK, outcome.family))


def _slim(outcome: Outcome) -> Outcome:
    """Return an outcome without the picture of its errors, which takes most of its memory."""
    return replace(outcome, verdict=outcome.verdict and replace(outcome.verdict, closeup=None))


def _key(outcome: Outcome) -> Key:
    return outcome.case_id, outcome.operation


def _work(outcome: Outcome) -> float:
    """Count the products of a case."""
    return _products(outcome.descriptor)


@functools.lru_cache(maxsize=2**14)
def _products(descriptor: str) -> float:
    try:
        return count_products(read_problem(descriptor))
    except GeometryError:
        return math.inf
