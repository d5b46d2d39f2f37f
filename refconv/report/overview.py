"""The whole run at a glance: family by format by operation, what was not executed and why, what came closest."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from refconv.check import Outcome, Report
from refconv.report.words import plain

_VARIABLE = re.compile(r"\d+")
CLOSEST = 8  # results that are listed because they use most of their bound


@dataclass
class Cell:
    """The outcomes of one operation in one family and format."""

    counts: Counter[str] = field(default_factory=Counter)
    anchor: str = ""

    @property
    def total(self) -> int:
        """How many there are."""
        return self.counts.total()

    @property
    def executed(self) -> int:
        """How many of them were run."""
        return self.total - self.counts["UNSUPPORTED"]

    @property
    def failed(self) -> int:
        """How many of them make the run fail."""
        return self.counts["failed"]


def family_of(outcome: Outcome) -> str:
    """Return the family of a case: its group without number format and fill.

    Examples
    --------
    >>> family_of(Outcome("tile-edges-float32-exact/a", "forward", "PASS", (), "", "", "float32", "exact"))
    'tile-edges'
    """
    return plain(outcome.family.partition(f"-{outcome.element}-")[0])


@dataclass(frozen=True)
class Matrix:
    """Family by format and operation.

    Attributes
    ----------
    formats : dict
        The operations that occur in each format: the columns.
    rows : dict
        The cells of each family, by format and operation.
    """

    formats: dict[str, list[str]]
    rows: dict[str, dict[tuple[str, str], Cell]]


def matrix_of(report: Report, anchors: Iterable[tuple[str, Iterable[Outcome]]] = ()) -> Matrix:
    """Count the outcomes of a report by family, format and operation.

    Parameters
    ----------
    report : Report
    anchors : iterable of (str, outcomes)
        Where the failures are told: a cell leads to the first place that tells one of its own.
    """
    rows: dict[str, dict[tuple[str, str], Cell]] = {}
    order = list(report.by_operation())
    found: dict[str, set[str]] = {}
    for outcome in report.outcomes:
        element = plain(outcome.element)
        cell = rows.setdefault(family_of(outcome), {}).setdefault((element, outcome.operation), Cell())
        cell.counts[outcome.status if not outcome.failed else "failed"] += 1
        found.setdefault(element, set()).add(outcome.operation)
    for anchor, outcomes in anchors:
        for outcome in outcomes:
            cell = rows[family_of(outcome)][plain(outcome.element), outcome.operation]
            cell.anchor = cell.anchor or anchor
    return Matrix({name: sorted(operations, key=order.index) for name, operations in found.items()}, rows)


@dataclass(frozen=True)
class Hole:
    """What was not executed for one reason."""

    reason: str
    count: int
    operations: str
    formats: str
    families: str


def holes(report: Report) -> list[Hole]:
    """List what was not executed, by the reason that was given; the largest hole first."""
    found: dict[str, tuple[str, list[Counter[str]]]] = {}
    for outcome in report.outcomes:
        if outcome.status == "UNSUPPORTED":
            first = outcome.message, [Counter[str](), Counter[str](), Counter[str]()]
            _, counters = found.setdefault(_VARIABLE.sub("#", outcome.message), first)
            for counter, name in zip(counters, _where(outcome), strict=True):
                counter[name] += 1
    holes = [
        Hole(plain(message) or "no reason given", counters[0].total(), *map(_some, counters))
        for message, counters in found.values()
    ]
    return sorted(holes, key=lambda hole: -hole.count)


def closest(report: Report) -> list[Outcome]:
    """List the right results that use most of their bound, where there is one."""
    right = (outcome for outcome in report.outcomes if outcome.status in ("PASS", "SUSPICIOUS"))
    return heapq.nlargest(CLOSEST, filter(_use, right), key=_use)


def _use(outcome: Outcome) -> float:
    return outcome.verdict.interval_use if outcome.verdict and outcome.rule != "exact" else 0.0


def _where(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.operation, plain(outcome.element), family_of(outcome)


def _some(counts: Counter[str], limit: int = 6) -> str:
    listed = [f"{name} ({count})" for name, count in counts.most_common(limit)]
    return ", ".join(listed) + (f" and {len(counts) - limit} more" if len(counts) > limit else "")
