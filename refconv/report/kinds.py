"""Failures that are alike: those that one known defect predicts, and those that one pattern covers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from refconv.check import Outcome, Report
from refconv.check.causes import Cause
from refconv.report.words import plain, problem_of, specific

_VARIABLE = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|\"[^\"]*\"")
TITLE = 110  # characters of a message that serves as a title


@dataclass(frozen=True)
class Kind:
    """Failures of one kind.

    Attributes
    ----------
    title : str
        The slug of the defect behind them, or what they have in common.
    outcomes : tuple of Outcome
        The smallest problem first; at least one.
    cause : Cause or None
        The known defect that predicts them.
    flag : str
        What they have in common, if no defect is known and they were not sorted by their message.
    """

    title: str
    outcomes: tuple[Outcome, ...]
    cause: Cause | None = None
    flag: str = ""

    @property
    def smallest(self) -> Outcome:
        """The failure that is easiest to look at."""
        return self.outcomes[0]

    @property
    def others(self) -> tuple[Outcome, ...]:
        """The failures that follow the smallest one."""
        return self.outcomes[1:]

    @property
    def operations(self) -> dict[str, int]:
        """How many failures there are of each operation."""
        return dict(Counter(outcome.operation for outcome in self.outcomes))


def kinds_of(report: Report) -> list[Kind]:
    """Sort the failures of a report into kinds: wrong results first, those of most failures first.

    What no known defect predicts goes by what it says, if it gave no numbers, or by the flag that tells it best from
    what is right.

    Examples
    --------
    >>> kinds_of(Report("mine", "core", "2026.1.31", ()))
    []
    """
    explained: dict[Cause, list[Outcome]] = {cause: [] for cause in report.causes}
    riddles: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in report.failures:
        cause = report.cause_of(outcome)
        if cause:
            explained[cause].append(outcome)
        else:
            riddles.setdefault((outcome.operation, outcome.status, _saying(outcome)), []).append(outcome)
    kinds = [_kind(_name(cause), found, cause) for cause, found in explained.items() if found]
    for (operation, _, saying), found in riddles.items():
        if saying:
            smallest = min(found, key=size_of)
            kinds.append(_kind(plain(f"{operation}: {smallest.message or smallest.status}", TITLE), found))
        else:
            kinds += _by_flag(report, operation, found)
    return sorted(kinds, key=lambda kind: (kind.smallest.status != "FAIL", kind.cause is None, -len(kind.outcomes)))


def _name(cause: Cause) -> str:
    return f"like {cause.defect}" if cause.contradicted else cause.defect


def _kind(title: str, outcomes: Sequence[Outcome], cause: Cause | None = None, flag: str = "") -> Kind:
    return Kind(title, tuple(sorted(outcomes, key=size_of)), cause, flag)


def _saying(outcome: Outcome) -> str:
    """Return a message without its numbers and names; nothing, where the numbers of a plain call are wrong."""
    wrong = outcome.status == "FAIL" and outcome.verdict is not None and outcome.verdict.wrong
    if wrong and not outcome.message.startswith("the result is right"):
        return ""
    if outcome.status == "XPASS" and outcome.xfail is not None:
        return outcome.xfail.where  # an entry is named by its number
    return _VARIABLE.sub("_", outcome.message.partition(": ")[0]) or outcome.status


def _by_flag(report: Report, operation: str, failures: Sequence[Outcome]) -> Iterator[Kind]:
    """Cover wrong results with few flags: those on which most results are wrong, and few are right."""
    rest = list(failures)
    executed = [o for o in report.outcomes if o.operation == operation and o.status != "UNSUPPORTED"]
    if all(outcome.failed for outcome in executed):
        yield _kind(f"{operation}: wrong on every case", rest)
        return
    while rest:
        counts = Counter(flag for outcome in rest for flag in outcome.flags)
        if not counts:
            yield _kind(f"{operation}: wrong", rest)
            return
        best = max(counts, key=lambda flag: (report.failing_share(operation, flag) * counts[flag], -specific(flag)))
        where = f"every {best} case" if report.failing_share(operation, best) == 1 else f"some {best} cases"
        title = plain(f"{operation}: wrong on {where}")
        yield _kind(title, [outcome for outcome in rest if best in outcome.flags], flag=best)
        rest = [outcome for outcome in rest if best not in outcome.flags]


def size_of(outcome: Outcome) -> float:
    """Count the elements of all tensors, the measure of how hard a failure is to follow by hand."""
    problem = problem_of(outcome.descriptor)
    if problem is None:
        return math.inf
    return sum(math.prod(problem.shape_of(name)) for name in ("x", "weight", "y"))
