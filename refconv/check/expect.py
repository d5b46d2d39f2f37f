"""What was expected to fail: outcomes set beside the entries of a file of expected failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from refconv.check.outcomes import Outcome, Report
from refconv.check.spool import kept
from refconv.check.xfails import EXPECTABLE, Xfail

RIGHT = ("PASS", "SUSPICIOUS")

REMEDY = (
    "remove that entry or narrow its match; refconv check IMPL --xfails FILE --write-xfails FILE --force drops what "
    "passes"
)


def expect(report: Report, xfails: Sequence[Xfail]) -> Report:
    """Mark the failures that were expected, and what was expected to fail and did not.

    Parameters
    ----------
    report : Report
    xfails : sequence of Xfail

    Returns
    -------
    Report
        A failure that an entry covers is an ``XFAIL``; a right result that a strict entry covers is an
        ``XPASS``, which is a failure.  Entries that cover nothing that was executed are a warning.

    Examples
    --------
    >>> known = Xfail("grouped-*", "groups are ignored", "https://example.org/7", where="known.toml, entry 1")
    >>> expect(Report("mine", "core", "2026.1.31", ()), [known]).warnings
    ('this entry matches nothing that was executed: known.toml, entry 1 (grouped-*).',)
    """
    outcomes = kept(expected(outcome, xfails) for outcome in report.outcomes) if xfails else report.outcomes
    executed = ((outcome.case_id, outcome.operation) for outcome in outcomes if outcome.status != "UNSUPPORTED")
    return replace(report, outcomes=outcomes, warnings=(*report.warnings, *idle_warning(xfails, executed)))


def expected(outcome: Outcome, xfails: Iterable[Xfail]) -> Outcome:
    """Mark one outcome, if an entry covers it; of several entries the first decides."""
    covering = [entry for entry in xfails if entry.covers(outcome.case_id, outcome.operation)]
    if outcome.status in EXPECTABLE:
        for entry in covering:
            if entry.status in ("", outcome.status):
                message = f"expected, {entry.words}: {outcome.message or outcome.status}"
                return replace(outcome, status="XFAIL", message=message, xfail=entry)
    if outcome.status in RIGHT:
        for entry in filter(lambda entry: entry.strict, covering):
            message = f"the result is right, but {entry.where} expects a failure: {REMEDY}"
            return replace(outcome, status="XPASS", message=message, xfail=entry)
    return outcome


def idle(xfails: Iterable[Xfail], executed: Iterable[tuple[str, str]]) -> list[Xfail]:
    """List the entries that cover none of the operations that were executed."""
    found = list(xfails)
    for pair in executed:
        found = [entry for entry in found if not entry.covers(*pair)]
        if not found:
            break
    return found


def idle_warning(xfails: Iterable[Xfail], executed: Iterable[tuple[str, str]]) -> list[str]:
    """Say in one sentence which entries cover nothing, if any do."""
    found = idle(xfails, executed)
    listed = ", ".join(f"{entry.where} ({entry.match})" for entry in found)
    subject = "this entry matches" if len(found) == 1 else f"{len(found)} entries match"
    return [f"{subject} nothing that was executed: {listed}."] if found else []
