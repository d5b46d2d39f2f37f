"""Failures that are alike: those that one known defect predicts, and those that one pattern covers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from refconv.check import FAILURES, STATUSES, Outcome, Report
from refconv.check.causes import Cause
from refconv.check.spool import taken
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
    outcomes : sequence of Outcome
        The smallest problem first; at least one.
    cause : Cause or None
        The known defect that predicts them.
    flag : str
        What they have in common, if no defect is known and they were not sorted by their message.
    """

    title: str
    outcomes: Sequence[Outcome]
    cause: Cause | None = None
    flag: str = ""

    @property
    def smallest(self) -> Outcome:
        """The failure that is easiest to look at."""
        return self.outcomes[0]

    @property
    def others(self) -> Sequence[Outcome]:
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
    explained: dict[Cause, list[_Failure]] = {cause: [] for cause in report.causes}
    riddles: dict[tuple[str, str, str], list[_Failure]] = {}
    for number, outcome in enumerate(report.failures):
        cause, failure = report.cause_of(outcome), _Failure(number, size_of(outcome), outcome.flags)
        if cause:
            explained[cause].append(failure)
        else:
            riddles.setdefault((outcome.operation, outcome.status, _saying(outcome)), []).append(failure)
    kinds = [_kind(report, _name(cause), found, cause) for cause, found in explained.items() if found]
    kinds += _by_message(report, [found for (_, _, saying), found in riddles.items() if saying])
    for (operation, _, saying), found in riddles.items():
        if not saying:
            kinds += _by_flag(report, operation, found)
    return sorted(kinds, key=lambda kind: (kind.smallest.status != "FAIL", kind.cause is None, -len(kind.outcomes)))


@dataclass(frozen=True)
class _Failure:
    """What failures are sorted by; there may be more of them than fit into memory."""

    number: int  # among the failures of the report
    size: float
    flags: tuple[str, ...]


def _by_message(report: Report, groups: Iterable[list[_Failure]]) -> Iterator[Kind]:
    """Title failures by what they say; where several operations break down in the same words, they are one kind."""
    found: dict[tuple[str, ...], list[_Failure]] = {}
    for group in groups:
        smallest = _kind(report, "", group).smallest
        words = _VARIABLE.sub("_", smallest.message)
        alone = smallest.status not in ("ERROR", "REJECTED", "CRASH", "TIMEOUT") or not words
        key = (smallest.status, *((smallest.operation, _saying(smallest)) if alone else (words,)))
        found.setdefault(key, []).extend(group)
    for failures in found.values():
        kind = _kind(report, "", failures)
        where = f"{kind.smallest.operation}: " if len(kind.operations) == 1 else ""
        yield replace(kind, title=plain(f"{where}{kind.smallest.message or kind.smallest.status}", TITLE))


def _name(cause: Cause) -> str:
    return f"like {cause.defect}" if cause.contradicted else cause.defect


def _kind(report: Report, title: str, failures: Iterable[_Failure], cause: Cause | None = None, flag: str = "") -> Kind:
    numbers = [failure.number for failure in sorted(failures, key=lambda failure: failure.size)]
    return Kind(title, taken(report.failures, numbers), cause, flag)


def _saying(outcome: Outcome) -> str:
    """Return a message without its numbers and names; nothing, where the numbers of a plain call are wrong."""
    wrong = outcome.status == "FAIL" and outcome.verdict is not None and outcome.verdict.wrong
    if wrong and not outcome.message.startswith("the result is right"):
        return ""
    if outcome.status == "XPASS" and outcome.xfail is not None:
        return outcome.xfail.where  # an entry is named by its number
    return _VARIABLE.sub("_", outcome.message.partition(": ")[0]) or outcome.status


def _by_flag(report: Report, operation: str, failures: Sequence[_Failure]) -> Iterator[Kind]:
    """Cover wrong results with few flags: those on which most results are wrong, and few are right."""
    rest = list(failures)
    counts = report.by_operation()[operation]
    if not any(counts[status] for status in STATUSES if status not in (*FAILURES, "UNSUPPORTED")):
        yield _kind(report, f"{operation}: wrong on every case", rest)
        return
    while rest:
        seen = Counter(flag for failure in rest for flag in failure.flags)
        if not seen:
            yield _kind(report, f"{operation}: wrong", rest)
            return
        best = max(seen, key=lambda flag: (report.failing_share(operation, flag) * seen[flag], -specific(flag)))
        where = f"every {best} case" if report.failing_share(operation, best) == 1 else f"some {best} cases"
        title = plain(f"{operation}: wrong on {where}")
        yield _kind(report, title, [failure for failure in rest if best in failure.flags], flag=best)
        rest = [failure for failure in rest if best not in failure.flags]


def size_of(outcome: Outcome) -> float:
    """Count the elements of all tensors, the measure of how hard a failure is to follow by hand."""
    problem = problem_of(outcome.descriptor)
    if problem is None:
        return math.inf
    return sum(math.prod(problem.shape_of(name)) for name in ("x", "weight", "y"))
