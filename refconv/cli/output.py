"""How the command line prints and ends: console, progress, signals."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from refconv.workers import dask_executor

WIDE = 200  # columns, where nobody looks at a terminal


def plainly() -> bool:
    """Tell whether the environment asks for plain output: ``NO_COLOR`` or ``CI``, unless ``FORCE_COLOR`` does not.

    Examples
    --------
    >>> plainly() == (not os.environ.get("FORCE_COLOR") and bool(os.environ.get("NO_COLOR") or os.environ.get("CI")))
    True
    """
    said = {name for name in ("NO_COLOR", "CI", "FORCE_COLOR") if os.environ.get(name, "").lower() not in ("", "false")}
    return bool(said) and "FORCE_COLOR" not in said


def console(stderr: bool = False) -> Console:
    """Return where to print: colours on a terminal only, never a hard wrap within an id, tables whole in a file."""
    terminal = False if plainly() else None  # None: as it is
    stream = sys.stderr if stderr else sys.stdout
    seen = (stream is not None and stream.isatty()) or "COLUMNS" in os.environ  # None: closed by who started us
    width = None if seen else WIDE
    return Console(stderr=stderr, soft_wrap=True, highlight=False, force_terminal=terminal, width=width)


class RateColumn(ProgressColumn):
    """How many units are done in a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        """Say it, as soon as it is known."""
        speed = task.finished_speed or task.speed
        return Text(f"{self.unit}, {speed:.3g}/s" if speed else self.unit)


@contextmanager
def progress_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a progress bar with rate and remaining time on a terminal, and nothing elsewhere."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield lambda done, total: None
        return
    columns: tuple[Any, ...] = (
        BarColumn(), MofNCompleteColumn(), RateColumn(unit), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on a terminal what is being done, and for how long already; nothing elsewhere."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield
        return
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True
    ) as bar:
        bar.add_task(what, total=None)
        yield


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


@contextmanager
def cluster(dask: str | None) -> Iterator[Executor | None]:
    """Reach the cluster that a user names; None means processes here."""
    if dask is None:
        yield None
        return
    with dask_executor(dask) as executor:
        yield executor
