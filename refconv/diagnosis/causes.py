"""Which bug is behind the failures of a report?  Nothing is run again: models predict the wrong results themselves.

Of every wrong tensor the report holds a digest, and the numbers of its verdict.  A defect model that computes the
case and arrives at the same digest has predicted all of it, to the last bit.  Where results may differ in their
rounding, the number of wrong elements, the first of them and the largest error must be as predicted.
"""

from __future__ import annotations

import functools
import heapq
import math
import time
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.check import Outcome, Report
from refconv.check.causes import Cause
from refconv.check.spool import taken
from refconv.diagnosis.defects import Defect, Triggered
from refconv.diagnosis.defects.resized import resized
from refconv.diagnosis.kills import judge, predicted, widened
from refconv.diagnosis.suspects import defect_models, suspected, suspects
from refconv.errors import GeometryError
from refconv.implementations import RESULT_NAMES
from refconv.judge import Verdict, digest
from refconv.problem import ConvProblem, read_problem
from refconv.suite import Expected, Suite

Array = npt.NDArray[Any]
Key = tuple[str, str]  # case and operation

SECONDS = 3.0  # of computing, for all causes together
SAMPLE = 5  # failures of each operation that are put to all models, the smallest problems first
MOST = 20_000  # outcomes of a long run that are looked at together
QUICK = 10**5  # products of a case
WITNESSES = 12  # right results that are asked whether a defect would show on them
ROUNDING = 2.0**-6  # how much the number of wrong elements may differ where they are judged by an interval


def with_causes(report: Report, suite: Suite, seconds: float = SECONDS) -> Report:
    """Return a report that names the known defects behind its failures.

    Parameters
    ----------
    report : Report
        As :func:`refconv.check.check` returns it.
    suite : Suite
        The one that was checked.
    seconds : float
        Of computing; what there is no time for is counted in ``not_looked_at``.

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
    models = _Models(suite, seconds)
    wrong = [number for number, outcome in enumerate(report.failures) if outcome.digest or _refused(outcome)]
    riddles = heapq.nsmallest(MOST, taken(report.failures, wrong), key=_work)
    causes: list[Cause] = []
    while riddles and not models.late:
        sample = _sample(riddles)
        best = _best(sample, report, models)
        if best:
            explained = [outcome for outcome in _by_group(riddles) if models.explains(best[0], outcome)]
            causes.append(_cause(best, explained))
        done = causes[-1].failures if best else set(map(_key, sample))
        riddles = [outcome for outcome in riddles if _key(outcome) not in done]
    ordered = sorted(causes, key=lambda cause: -len(cause.failures))
    return replace(report, causes=tuple(ordered), not_looked_at=len(riddles) + max(0, len(wrong) - MOST))


class _Models:
    """Lets defect models compute cases, until the time is over."""

    def __init__(self, suite: Suite, seconds: float) -> None:
        self.suite, self.end = suite, time.process_time() + seconds
        self._case = functools.lru_cache(maxsize=64)(suite.case)

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.process_time() > self.end

    def explains(self, candidate: _Candidate, outcome: Outcome) -> bool:
        """Say whether a candidate predicts a wrong result; of those outside of its sample, if there is time."""
        return _key(outcome) in candidate.found or self.predicts(candidate.slug, outcome)

    def predicts(self, slug: str, outcome: Outcome) -> bool:
        """Say whether a defect predicts a wrong result; no, if there is no time to tell."""
        if _refused(outcome):
            return self._refuses(slug, outcome)
        found = self._predicted(slug, outcome)
        if found is None:
            return False
        got, expected = found
        if outcome.verdict is None:
            return outcome.digest in (digest(got), self._resized(slug, outcome, expected))
        if expected.lo is None or got.shape != expected.tensor.shape:
            return digest(got) == outcome.digest
        return _alike(judge(got, expected), outcome.verdict)

    def shows(self, slug: str, outcome: Outcome) -> bool:
        """Say whether a defect would make a result wrong; no, if there is no time to tell."""
        if self._refuses(slug, outcome):
            return True
        found = self._predicted(slug, outcome)
        return found is not None and (found[0].shape != found[1].tensor.shape or not judge(*found).passed)

    def _refuses(self, slug: str, outcome: Outcome) -> bool:
        model = defect_models().get(slug)
        if model is None or not model.refuses or self.late or outcome.operation not in model.operations:
            return False
        try:
            predicted(self._case(outcome.case_id), model, outcome.operation)
        except ValueError:
            return True
        return False

    def _resized(self, slug: str, outcome: Outcome, expected: Expected) -> str:
        """Return the digest of the y whose size follows from the defect; nothing where there is none."""
        layer, case = suspects()[slug](), self._case(outcome.case_id)
        if outcome.operation != "forward" or isinstance(layer, Triggered) or not isinstance(layer, Defect):
            return ""
        x, weight, bias = widened(case, "forward")
        if x is None or weight is None or not isinstance(case.problem, ConvProblem):
            return ""
        with np.errstate(all="ignore"):
            y = resized(layer, x, weight, bias, case.problem)
            return "" if y is None else digest(y.astype(expected.tensor.dtype))

    def _predicted(self, slug: str, outcome: Outcome) -> tuple[Array, Expected] | None:
        if self.late or outcome.operation not in suspects()[slug].operations:
            return None
        case, name = self._case(outcome.case_id), RESULT_NAMES[outcome.operation]
        expected = case.expected.get(name) or case.alternatives.get(outcome.policy, {}).get(name)
        if expected is None:
            return None
        try:
            got = suspected(case, slug, outcome.operation, expected, outcome.digest)
        except (ValueError, IndexError):  # there is nothing to compute
            return None
        with np.errstate(all="ignore"):
            return None if got is None else (got.astype(expected.tensor.dtype), expected)


@dataclass(frozen=True)
class _Candidate:
    """A defect that predicts some of a sample."""

    slug: str
    found: frozenset[Key]
    contradicted: int = 0

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.found), -self.contradicted


def _best(sample: Sequence[Outcome], report: Report, models: _Models) -> list[_Candidate]:
    """Return the defects that predict most of a sample, and of those the ones that are contradicted least."""
    found = {slug: frozenset(_key(o) for o in sample if models.predicts(slug, o)) for slug in suspects()}
    most = max(map(len, found.values()))
    if not most:
        return []
    candidates = [
        _Candidate(slug, keys, _contradictions(slug, {operation for _, operation in keys}, report, models))
        for slug, keys in found.items()
        if len(keys) == most
    ]
    best = max(candidates, key=lambda one: one.rank)  # the earliest of the best
    equals = [one for one in candidates if one.rank == best.rank and one.found == best.found]
    return _narrowest(equals, report, models) if len(equals) > 1 else equals


def _contradictions(slug: str, operations: Container[str], report: Report, models: _Models) -> int:
    """Count the right results on which a defect would show, and the wrong ones on which it would, but as others."""
    wrong = (o for o in _some(report.failures) if o.digest and o.operation in operations and _is_certain(o))
    others = (o for o in _spread(wrong) if not models.predicts(slug, o))
    return _shown(slug, operations, report, models) + sum(models.shows(slug, outcome) for outcome in others)


def _shown(slug: str, operations: Container[str], report: Report, models: _Models) -> int:
    """Count the right results of some operations on which a defect would show."""
    right = (o for o in _some(report.outcomes) if o.status == "PASS" and o.operation in operations and not o.policy)
    return sum(models.shows(slug, outcome) for outcome in _spread(right))


def _narrowest(equals: Sequence[_Candidate], report: Report, models: _Models) -> list[_Candidate]:
    """Of defects that explain the same, return those that would show least in what is right of other operations."""
    surplus = []
    for one in equals:
        others = set(suspects()[one.slug].operations) - {operation for _, operation in one.found}
        surplus.append(_shown(one.slug, others, report, models))
    return [one for one, count in zip(equals, surplus, strict=True) if count == min(surplus)]


def _some(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return all outcomes, or as many as may be in memory together, from one end to the other."""
    return outcomes[:: 1 + (len(outcomes) - 1) // MOST]


def _spread(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Take some outcomes of all sizes, among the smaller quarter."""
    found = sorted(outcomes, key=_work)
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


def _refused(outcome: Outcome) -> bool:
    """Say whether a legal problem was refused; a case that must be refused has no digest either, but is no failure."""
    return outcome.status == "REJECTED"


def _sample(riddles: Iterable[Outcome]) -> list[Outcome]:
    """Take a few failures of each operation: the first of each family and kind, for what is wrong stands together.

    Where there are few families, the second ones follow, and so on.
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
    return [outcome for found in chosen.values() for outcome in found[:SAMPLE]]


def _alike(predicted: Verdict, seen: Verdict) -> bool:
    """Say whether two wrong tensors may be the same but for rounding."""
    if not predicted.wrong or abs(predicted.wrong - seen.wrong) > 1 + ROUNDING * seen.wrong:
        return False
    one, other = predicted.first, seen.first
    if one is None or other is None or one.index != other.index:
        return False
    near = abs(other.got - one.got) <= ROUNDING * abs(one.got - one.expected) + (one.hi - one.lo)
    return bool(near and math.isclose(predicted.interval_use, seen.interval_use, rel_tol=2 * ROUNDING, abs_tol=2.0))


def _by_group(riddles: Iterable[Outcome]) -> list[Outcome]:
    """Order failures so that files are read once: the quick ones of each group, then the slow ones."""
    return sorted(riddles, key=lambda outcome: (_work(outcome) > QUICK, outcome.family))


def _key(outcome: Outcome) -> Key:
    return outcome.case_id, outcome.operation


def _work(outcome: Outcome) -> float:
    """Count the products of a case."""
    try:
        problem = read_problem(outcome.descriptor)
    except GeometryError:
        return math.inf
    return math.prod(problem.y_shape) * math.prod(problem.weight_shape[1:])
