"""The expected failures of a run, in the words that all forms of a report share."""

from __future__ import annotations

from dataclasses import dataclass

from refconv.check import Report
from refconv.report.words import plain


@dataclass(frozen=True)
class Known:
    """How many outcomes one entry of a file of expected failures explains."""

    count: int
    match: str
    reason: str
    issue: str

    @property
    def words(self) -> str:
        """One line: how many, why, and where it is tracked."""
        return f"{self.count} expected: {self.reason} ({self.issue})"


def known_failures(report: Report) -> list[Known]:
    """List the entries that explain failures of a run, those that explain most first.

    Examples
    --------
    >>> known_failures(Report("mine", "core", "2026.1.31", ()))
    []
    """
    counts = sorted(report.known().items(), key=lambda item: -item[1])
    return [Known(count, plain(entry.match), plain(entry.reason), plain(entry.issue)) for entry, count in counts]
