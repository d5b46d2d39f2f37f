"""The report for people at a terminal: what came of the run, and the first failures."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from refconv.check import Report
from refconv.report.kinds import Kind, kinds_of
from refconv.report.known import known_failures
from refconv.report.rule_rows import HEADINGS, MODEL, rule_rows, suspicions
from refconv.report.words import describe_failure, plain, reproduce

LISTED = 10  # entries of expected failures


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
    _print_suspicions(report, console)
    kinds = kinds_of(report)
    for kind in kinds[:limit]:
        _print_kind(kind, console, report, command)
    rest = kinds[limit:]
    if rest:
        failures = sum(len(kind.outcomes) for kind in rest)
        _line(console, f"... and {failures} more {_failures(failures)} of {len(rest)} more kinds.\n")
    for known in known_failures(report)[:LISTED]:
        _line(console, f"\nXFAIL  {known.match}\n  {known.words}")
    if len(known_failures(report)) > LISTED:
        _line(console, f"... and {len(known_failures(report)) - LISTED} more entries of expected failures.")
    for warning in report.warnings:
        _line(console, f"warning: {plain(warning)}", "yellow")
    followed = ", ".join(f"{policy} ({count})" for policy, count in report.policies().items())
    if followed:
        _line(console, plain(f"Where several results are right, these policies were followed: {followed}."))
    _line(console, plain(report.summary()), "bold green" if report.passed else "bold red")


def _table(report: Report) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False)
    table.add_column("operation", no_wrap=True)
    statuses = report.occurring()
    for status in statuses:
        table.add_column(status.lower(), justify="right", no_wrap=True)
    for operation, row in report.by_operation().items():
        table.add_row(Text(plain(operation)), *(str(row[status] or "-") for status in statuses))
    return table


def _rule_table(report: Report) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False)
    table.add_column(HEADINGS[0], no_wrap=True)
    for heading in HEADINGS[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rule_rows(report):
        table.add_row(*map(Text, row))
    return table


def _print_suspicions(report: Report, console: Console, limit: int = 3) -> None:
    found = suspicions(report)
    for outcome in found[:limit]:
        name = f"{outcome.case_id}  {outcome.operation}"
        _line(console, f"\nSUSPICIOUS  {plain(name)}\n  {plain(outcome.message)}")
    if found:
        rest = f"... and {len(found) - limit} more. " if found[limit:] else ""
        _line(console, f"  {rest}{MODEL}")


def _print_kind(kind: Kind, console: Console, report: Report, command: str | None) -> None:
    outcome = kind.smallest
    _line(console, f"\n{outcome.status}  {plain(outcome.case_id)}  {outcome.operation}", "bold")
    for line in describe_failure(outcome, report, reproduce(report, outcome.case_id, command)):
        _line(console, f"  {line}")
    if kind.others:
        count = len(kind.others)
        _line(console, f"  ... and {count} more {_failures(count)} of {outcome.operation} in {plain(outcome.family)}.")


def _failures(count: int) -> str:
    return "failure" if count == 1 else "failures"


def _line(console: Console, text: str, style: str = "") -> None:
    """Print a line as it is: neither wrapped nor read as markup, in what the console's encoding can say."""
    shown = text.encode(console.encoding, "backslashreplace").decode(console.encoding)
    console.print(Text(shown, Style.parse(style)), soft_wrap=True)
