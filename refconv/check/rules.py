"""What one accuracy class said about all results that it judged."""

from __future__ import annotations

import math
from dataclasses import dataclass

from refconv.judge import Verdict


@dataclass(frozen=True)
class RuleSummary:
    """One row of a report.

    Attributes
    ----------
    rule : str
        The text form of the accuracy class.
    operations, suspicious, wrong : int
        Results that it judged, those that were suspicious, and those outside of what it allows.
    worst, rms : float
        The largest error and the root mean square of all, in units of the bound.
    correctly_rounded : float
        Share of the elements that equal the exact result rounded once.
    histogram : tuple of int
        Their elements by error, see :attr:`refconv.judge.Verdict.histogram`.
    """

    rule: str
    operations: int
    suspicious: int
    wrong: int
    worst: float
    rms: float
    correctly_rounded: float
    histogram: tuple[int, ...] = ()


@dataclass
class RuleTally:
    """What is added up, verdict by verdict; elements weigh alike.

    Examples
    --------
    >>> tally = RuleTally("standard:float32")
    >>> tally.add(Verdict(4, 0, None, None, interval_use=0.5, correctly_rounded=0.75, interval_rms=0.25), "PASS")
    >>> tally.summary().worst
    0.5
    """

    rule: str
    operations: int = 0
    suspicious: int = 0
    wrong: int = 0
    worst: float = 0.0
    elements: int = 0
    squares: float = 0.0
    equal: float = 0.0
    histogram: tuple[int, ...] = ()

    def add(self, verdict: Verdict, status: str) -> None:
        """Add a verdict, with the status that came of it."""
        self.operations += 1
        self.suspicious += status == "SUSPICIOUS"
        self.wrong += not verdict.passed
        self.worst = max(self.worst, verdict.interval_use)
        self.elements += verdict.elements
        self.squares += verdict.interval_rms**2 * verdict.elements
        self.equal += verdict.correctly_rounded * verdict.elements
        if verdict.histogram:
            before = self.histogram or (0,) * len(verdict.histogram)
            self.histogram = tuple(map(sum, zip(before, verdict.histogram, strict=True)))

    def summary(self) -> RuleSummary:
        """Return the row of a report."""
        rms = math.sqrt(self.squares / max(1, self.elements))
        equal = self.equal / self.elements if self.elements else 1.0
        return RuleSummary(
            self.rule, self.operations, self.suspicious, self.wrong, self.worst, rms, equal, self.histogram
        )
