"""The report for people at a terminal: what came of the run, and the few distinct failures, on one screen."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from refconv.check import Report
from refconv.report.kinds import Kind, kinds_of
from refconv.report.known import known_failures
from refconv.report.overview import family_of, holes
from refconv.report.prose import fitted
from refconv.report.rule_rows import HEADINGS, MODEL, rule_rows, suspicions
from refconv.report.words import (
    compare,
    describe_failure,
    describe_problem,
    hint,
    not_looked_at,
    plain,
    reproduce,
    sentence,
)

LISTED = 10  # entries of expected failures, and families with failures
HOLES = 3  # reasons why something was not executed


def print_report(report: Report, console: Console, limit: int = 5, command: str | None = None) -> None:
    """Print a summary that fits on a screen.

    Parameters
    ----------
    report : Report
    console : rich.console.Console
        Colours and styles appear only where it is a terminal that has them.
    limit : int
        How many kinds of failures to show.
    command : str, optional
        The command line to which ``--select CASE`` is appended, so that a failure can be reproduced.
    """
    console.print(_table(report))
    if rule_rows(report):
        console.print(_rule_table(report))
    _print_families(report, console)
    _print_holes(report, console)
    _print_suspicions(report, console)
    kinds = kinds_of(report)
    for kind in kinds[:limit]:
        _print_kind(kind, console, report, command, whole=len(kinds) == 1)
    rest = kinds[limit:]
    if rest:
        failures = sum(len(kind.outcomes) for kind in rest)
        _line(console, f"... and {failures} more {_failures(failures)} of {len(rest)} more kinds.\n")
    if report.not_looked_at:
        _line(console, fitted(f"{not_looked_at(report)}\n", console))
    _print_known(report, console)
    for warning in report.warnings:
        _line(console, f"warning: {plain(warning)}", "yellow")
    followed = ", ".join(f"{policy} ({count})" for policy, count in report.policies().items())
    if followed:
        _line(console, plain(f"Where several results are right, these policies were followed: {followed}."))
    _line(console, plain(report.summary()), "bold green" if report.passed else "bold red")


def _table(report: Report) -> Table:
    statuses = report.occurring()
    table = _headed("operation", *(status.lower() for status in statuses))
    for operation, row in report.by_operation().items():
        table.add_row(Text(plain(operation)), *(str(row[status] or "-") for status in statuses))
    return table


def _rule_table(report: Report) -> Table:
    table = _headed(*HEADINGS)
    for row in rule_rows(report):
        table.add_row(*map(Text, row))
    return table


def _print_families(report: Report, console: Console) -> None:
    """Say for each family with failures how many of the executed operations failed, those with most first."""
    operations = list(report.by_operation())
    executed: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    for outcome in report.outcomes:
        key = family_of(outcome), outcome.operation
        executed[key] += outcome.status != "UNSUPPORTED"
        failed[key] += outcome.failed
    totals: Counter[str] = Counter()
    for (family, _), count in failed.items():
        totals[family] += count
    bad = [family for family, count in totals.most_common() if count]
    if len(bad) < 2:
        return
    table = _headed("failed of executed", *map(plain, operations))
    for family in bad[:LISTED]:
        table.add_row(Text(family), *(_of(failed[family, name], executed[family, name]) for name in operations))
    console.print(table)
    more = f"{_families(len(bad) - LISTED, 'more ')} with failures, " if bad[LISTED:] else ""
    _line(console, f" {more}{_families(len(totals) - len(bad))} without failures")


def _families(count: int, more: str = "") -> str:
    return f"{count} {more}famil{'y' if count == 1 else 'ies'}"


def _print_holes(report: Report, console: Console) -> None:
    """Say why operations were not executed; a misspelt argument looks like something that is not offered."""
    found = holes(report)
    if not found:
        return
    table = _headed("not executed, because", "operations")
    for hole in found[:HOLES]:
        table.add_row(Text(plain(hole.reason, max(console.width - 20, 20))), str(hole.count))
    console.print(table)
    if found[HOLES:]:
        rest = len(found) - HOLES
        _line(console, f" {rest} more {'reason' if rest == 1 else 'reasons'}, which a report has: --report report.html")


def _of(failed: int, executed: int) -> Text:
    return Text(f"{failed}/{executed}" if executed else "-", "red" if failed else "")


def _headed(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _print_suspicions(report: Report, console: Console, limit: int = 3) -> None:
    found = suspicions(report)
    for outcome in found[:limit]:
        name = f"{outcome.case_id}  {outcome.operation}"
        _line(console, f"\nSUSPICIOUS  {plain(name)}\n  {plain(outcome.message)}")
    if found:
        rest = f"... and {len(found) - limit} more. " if found[limit:] else ""
        _line(console, f"  {rest}{MODEL}")


def _print_kind(kind: Kind, console: Console, report: Report, command: str | None, whole: bool) -> None:
    """Print a kind by its smallest failure: whole where it is the only one, else in a few lines."""
    outcome, count = kind.smallest, len(kind.outcomes)
    again = reproduce(report, outcome.case_id, command)
    each = ", ".join(f"{name} {number}" for name, number in kind.operations.items())
    counted = "" if count == 1 else f"  ({count} failures: {each})"
    _line(console, f"\n{outcome.status}  {plain(kind.title)}{counted}", "bold")
    smallest = f"{plain(outcome.case_id)}  {outcome.operation}"
    if whole:
        for line in (f"case           {smallest}", *describe_failure(outcome, report, again, kind.flag)):
            _told(console, line, 17)
        return
    if kind.cause:
        _told(console, f"{plain(kind.cause.summary)} Usually means: {plain(kind.cause.usually)}", 2)
    for label, text in _few(kind, report, smallest, again):
        _told(console, f"{label:<9}  {text}", 13)


def _few(kind: Kind, report: Report, smallest: str, again: str) -> list[tuple[str, str]]:
    outcome = kind.smallest
    means = "" if kind.cause else hint(outcome, report, kind.flag)
    return [
        ("smallest", smallest),
        ("problem", describe_problem(outcome.descriptor)),
        *(("wrong", sentence(row)) for row in compare(outcome)[:1]),
        *(("message", plain(text)) for text in [outcome.message] if text and not compare(outcome)),
        *(("may mean", plain(text)) for text in [means] if text),
        ("reproduce", again),
    ]


def _print_known(report: Report, console: Console) -> None:
    entries = known_failures(report)
    for known in entries[:LISTED]:
        _line(console, f"\nXFAIL  {known.match}\n  {known.words}")
    if entries[LISTED:]:
        _line(console, f"... and {len(entries) - LISTED} more entries of expected failures.")


def _failures(count: int) -> str:
    return "failure" if count == 1 else "failures"


def _told(console: Console, text: str, indent: int) -> None:
    """Print a line about a failure; a command stays in one piece, so that it can be copied."""
    line = f"  {text}"
    _line(console, line if text.startswith("reproduce ") else fitted(line, console, indent))


def _line(console: Console, text: str, style: str = "") -> None:
    """Print a line as it is: neither wrapped nor read as markup, in what the console's encoding can say."""
    shown = text.encode(console.encoding, "backslashreplace").decode(console.encoding)
    console.print(Text(shown, Style.parse(style)), soft_wrap=True)
