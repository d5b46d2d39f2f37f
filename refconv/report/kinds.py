"""Failures that look alike: one group of cases, one operation, one status."""

from __future__ import annotations

import math
from dataclasses import dataclass

from refconv.check import Outcome, Report
from refconv.report.words import problem_of


@dataclass(frozen=True)
class Kind:
    """The failures of one group of cases with one operation and one status.

    Attributes
    ----------
    outcomes : tuple of Outcome
        The smallest problem first; at least one.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def smallest(self) -> Outcome:
        """The failure that is easiest to look at."""
        return self.outcomes[0]

    @property
    def others(self) -> tuple[Outcome, ...]:
        """The failures that follow the smallest one."""
        return self.outcomes[1:]


def kinds_of(report: Report) -> list[Kind]:
    """Sort the failures of a report into kinds: wrong results first, the smallest problem first.

    Examples
    --------
    >>> kinds_of(Report("mine", "core", "2026.1.31", ()))
    []
    """
    found: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in report.failures:
        found.setdefault((outcome.family, outcome.operation, outcome.status), []).append(outcome)
    kinds = [Kind(tuple(sorted(outcomes, key=_size))) for outcomes in found.values()]
    return sorted(kinds, key=lambda kind: (kind.smallest.status != "FAIL", _size(kind.smallest)))


def _size(outcome: Outcome) -> float:
    """Count the elements of all tensors, the measure of how hard a failure is to follow by hand."""
    problem = problem_of(outcome.descriptor)
    if problem is None:
        return math.inf
    return sum(math.prod(problem.shape_of(name)) for name in ("x", "weight", "y"))
