"""What one accuracy class said about all results that it judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def summarise(rule: str, judged: Sequence[tuple[Verdict, str]]) -> RuleSummary:
    """Sum up verdicts, each with the status that came of it; elements weigh alike.

    Examples
    --------
    >>> verdict = Verdict(4, 0, None, None, interval_use=0.5, correctly_rounded=0.75, interval_rms=0.25)
    >>> summarise("standard:float32", [(verdict, "PASS")]).worst
    0.5
    """
    verdicts = [verdict for verdict, _ in judged]
    elements = max(1, sum(verdict.elements for verdict in verdicts))
    squares = sum(verdict.interval_rms**2 * verdict.elements for verdict in verdicts)
    equal = sum(verdict.correctly_rounded * verdict.elements for verdict in verdicts)
    return RuleSummary(
        rule,
        operations=len(judged),
        suspicious=sum(status == "SUSPICIOUS" for _, status in judged),
        wrong=sum(not verdict.passed for verdict in verdicts),
        worst=max((verdict.interval_use for verdict in verdicts), default=0.0),
        rms=math.sqrt(squares / elements),
        correctly_rounded=equal / elements if any(verdict.elements for verdict in verdicts) else 1.0,
        histogram=tuple(map(sum, zip(*(verdict.histogram for verdict in verdicts if verdict.histogram), strict=True))),
    )
