"""What several commands of the command line share: exit codes, options, and how a run is concluded."""

from __future__ import annotations

import shlex
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from refconv.check import Report
from refconv.implementations.command import MARK
from refconv.judge.classes import FORMS
from refconv.problem import OPERATIONS
from refconv.report import print_report, write_report

GOOD, FAILED, USAGE, TOO_FEW, NOT_STARTED = range(5)  # exit codes

JUDGING = (
    click.option("--select", multiple=True, default=("*",), metavar="GLOB", help="Only cases whose id matches."),
    click.option("--ops", default=",".join(OPERATIONS), show_default=True, help="Operations, separated by commas."),
    click.option("--policy", "policies", multiple=True, metavar="NAME",
                 help="A policy that it claims; may be repeated."),
    click.option("--min-cases", type=click.IntRange(min=0), default=1, show_default=True, help="Fewer are a failure."),
    click.option("--report", "reports", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
                 help="Write a report; the form follows from the suffix: .json .xml .html .md"),
    click.option("--class", "judged_by", metavar="CLASS", default=None,
                 help=f"The arithmetic that it claims: {FORMS}. By default what the vectors say."),
    click.option("--strict-statistics", is_flag=True, help="Fail results whose errors rounding hardly explains."),
)  # fmt: skip


def judging(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options by which results are judged."""
    for option in reversed(JUDGING):
        command = option(command)
    return command


class WithCommand(click.Command):
    """A command whose argument may be a command line itself, behind ``--``; it arrives as one text."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join what follows ``--`` into one argument."""
        if "--" in args:
            place = args.index("--")
            args = [*args[:place], "--", MARK + shlex.join(args[place + 1 :])]
        return super().parse_args(ctx, args)


def command_line(words: str, judged_by: str | None, strict: bool, policies: Iterable[str]) -> str:
    """Return the command line that judges in the same way, to which ``--select`` can be added.

    Examples
    --------
    >>> command_line("refconv check mine.py:f", "ftz", False, ["padding-is-absent"])
    'refconv check mine.py:f --class ftz --policy padding-is-absent'
    """
    text = words + (f" --class {judged_by}" if judged_by else "") + (" --strict-statistics" if strict else "")
    return text + "".join(f" --policy {policy}" for policy in policies)


def conclude(report: Report, console: Console, command: str, reports: Iterable[Path], min_cases: int) -> int:
    """Write the reports, print what came of the run, and return the exit code."""
    for path in reports:
        write_report(report, path, command=command)
    print_report(report, console, command=command)
    if report.failures:
        return FAILED
    if report.executed_cases < min_cases:
        console.print(f"executed {report.executed_cases} cases, fewer than --min-cases {min_cases}.")
        return TOO_FEW
    return GOOD


@contextmanager
def tidy() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack, as Ctrl-C does, so that started programs and files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGTERM", "SIGHUP")
    before = {number: signal.signal(number, _leave) for name in names if (number := getattr(signal, name, None))}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)
