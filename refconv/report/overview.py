"""The whole run at a glance: family by format by operation, what was not executed and why, what came closest."""

from __future__ import annotations

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
    found: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        if outcome.status == "UNSUPPORTED":
            found.setdefault(_VARIABLE.sub("#", outcome.message), []).append(outcome)
    return [
        Hole(
            plain(outcomes[0].message) or "no reason given",
            len(outcomes),
            *(_some(Counter(map(key, outcomes))) for key in (_operation, _element, family_of)),
        )
        for outcomes in sorted(found.values(), key=len, reverse=True)
    ]


def closest(report: Report) -> list[Outcome]:
    """List the right results that use most of their bound, where there is one."""
    bounded = [
        outcome for outcome in report.outcomes
        if outcome.status in ("PASS", "SUSPICIOUS") and outcome.verdict and outcome.rule != "exact"
    ]  # fmt: skip
    used = [outcome for outcome in bounded if outcome.verdict and outcome.verdict.interval_use > 0]
    return sorted(used, key=lambda outcome: -outcome.verdict.interval_use if outcome.verdict else 0.0)[:CLOSEST]


def _operation(outcome: Outcome) -> str:
    return outcome.operation


def _element(outcome: Outcome) -> str:
    return plain(outcome.element)


def _some(counts: Counter[str], limit: int = 6) -> str:
    listed = [f"{name} ({count})" for name, count in counts.most_common(limit)]
    return ", ".join(listed) + (f" and {len(counts) - limit} more" if len(counts) > limit else "")
