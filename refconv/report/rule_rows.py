"""The table of accuracy classes that the forms of a report share: one row for each class that judged."""

from __future__ import annotations

import math
from collections.abc import Sequence

from refconv.check import Outcome, Report
from refconv.check.spool import taken
from refconv.report.words import plain

HEADINGS = ("judged by", "operations", "bound used", "rms", "correctly rounded")
MODEL = "Suspicious is no failure: these errors are allowed, but larger than rounding usually makes (by a model)."


def rule_rows(report: Report) -> list[tuple[str, ...]]:
    """Write one row of :data:`HEADINGS` for each accuracy class, the largest error first in its row.

    Examples
    --------
    >>> rule_rows(Report("mine", "core", "2026.1.31", ()))
    []
    """
    return [
        (
            plain(summary.rule),
            str(summary.operations),
            percent(summary.worst),
            percent(summary.rms),
            percent(summary.correctly_rounded),
        )
        for summary in report.by_rule()
    ]


def percent(share: float) -> str:
    """Write a share as a percentage; where no error was allowed there is no share.

    Examples
    --------
    >>> percent(0.0123456), percent(1.0), percent(0.99999), percent(1e5), percent(float("inf"))
    ('1.23 %', '100 %', '99.999 %', '1e+05 times', 'beyond')
    """
    if not math.isfinite(share):
        return "beyond"
    if share > 10:
        return f"{share:.3g} times"
    nearly = 0.9995 <= share < 1  # which three digits would round to 100 %
    return f"{100 * share:.6g} %" if nearly else f"{100 * share:.3g} %"


def suspicions(report: Report) -> Sequence[Outcome]:
    """List the suspicious outcomes, the largest errors first."""
    found = {number: outcome.statistics.rms if outcome.statistics else 0.0
             for number, outcome in enumerate(report.outcomes) if outcome.status == "SUSPICIOUS"}  # fmt: skip
    return taken(report.outcomes, sorted(found, key=lambda number: -found[number]))
