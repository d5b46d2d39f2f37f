"""How the command line prints and ends: console, progress, signals, the conclusion of a run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from refconv.check import Report
from refconv.cli.options import FAILED, GOOD, TOO_FEW
from refconv.report import print_report, write_report


def console() -> Console:
    """Return where to print: colours on a terminal only, and never a hard wrap within an id."""
    return Console(soft_wrap=True, highlight=False)


@contextmanager
def progress_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a progress bar on a terminal, and nothing elsewhere."""
    columns: tuple[Any, ...] = (
        BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    err = Console(stderr=True)
    if not err.is_terminal:
        yield lambda done, total: None
        return
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def conclude(report: Report, command: str, reports: Iterable[Path], min_cases: int) -> int:
    """Write the reports, print what came of the run, and return the exit code."""
    for path in reports:
        write_report(report, path, command=command)
    print_report(report, console(), command=command)
    if report.failures:
        return FAILED
    if report.executed_cases < min_cases:
        console().print(f"executed {report.executed_cases} cases, fewer than --min-cases {min_cases}.")
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
