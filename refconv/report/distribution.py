"""How the errors of all elements are distributed, in units of what each accuracy class allows."""

from __future__ import annotations

from dataclasses import dataclass

from refconv.check import Report
from refconv.judge import EDGES
from refconv.report.words import plain

HEADINGS = ("no error", *(f"≤ 1/{round(1 / edge)}" if edge < 1 else "≤ 1" for edge in EDGES), "beyond")


@dataclass(frozen=True)
class Bars:
    """The share of the elements in each bin, and in words."""

    rule: str
    elements: int
    bars: tuple[tuple[float, str], ...]


def distributions(report: Report) -> list[Bars]:
    """Return the distribution for each class that allows errors.

    Examples
    --------
    >>> distributions(Report("mine", "core", "2026.1.31", ()))
    []
    """
    found = [(rule, sum(rule.histogram)) for rule in report.by_rule() if rule.rule != "exact"]
    return [
        Bars(plain(rule.rule), total, tuple((count / total, _share(count, total)) for count in rule.histogram))
        for rule, total in found
        if total
    ]


def _share(count: int, total: int) -> str:
    share = 100 * count / total
    return "" if not count else f"{share:.1f} %" if share >= 0.1 else f"{count}"
