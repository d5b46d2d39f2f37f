"""The commands for what is not Python: header, protocol, exports, and results that were computed elsewhere."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from refconv.check import check
from refconv.cli_options import FAILED, GOOD, WithCommand, command_line, conclude, judging, tidy
from refconv.errors import CatalogueError, ImplementationError
from refconv.export import FORMATS, export, stream_lines
from refconv.export.prompts import selected
from refconv.implementations.abi import include_dir
from refconv.implementations.command import MARK
from refconv.implementations.protocol_test import protocol_test
from refconv.implementations.result_folder import ResultFolder
from refconv.implementations.stream_results import StreamResults
from refconv.problem import OPERATIONS
from refconv.suite import load_suite

Results = ResultFolder | StreamResults
Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
SHOWN = 5  # names of missing or strange files that are printed


def add_to(commands: click.Group, console: Callable[[], Console], progress_bar: Progress) -> None:
    """Add the commands to a group."""
    for command in (include_dir_command, protocol_test_command, export_command, judge_command):
        commands.add_command(command)
    _FRONT.update(console=console, progress_bar=progress_bar)


_FRONT: dict[str, Any] = {}  # how the front door prints


@click.command("include-dir")
def include_dir_command() -> int:
    """Print the folder of refconv_impl.h, for cc -I."""
    click.echo(include_dir())
    return GOOD


@click.command("protocol-test", cls=WithCommand)
@click.argument("command")
@click.option("--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds per answer.")
def protocol_test_command(command: str, timeout: float) -> int:
    """Say what a harness does wrong: refconv protocol-test -- ./harness --flag."""
    words = _words(command)
    wrong = 0
    with tidy():
        for step in protocol_test(words, timeout):
            mark = f"[red]✗ {escape(step.promise)}: {escape(step.wrong)}[/]" if step.wrong else f"✓ {step.promise}"
            _FRONT["console"]().print(mark)
            wrong += bool(step.wrong)
    _FRONT["console"]().print(f"{wrong} steps went wrong." if wrong else "The harness speaks the protocol.")
    return FAILED if wrong else GOOD


def _words(command: str) -> list[str]:
    words = shlex.split(command.removeprefix(MARK))
    if not words:
        raise ImplementationError("a command must follow '--', as in: refconv protocol-test -- ./harness --flag.")
    return words


@click.command("export")
@click.argument("suite", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, metavar="DIR",
              help="New or empty; a stream goes to standard output by default.")  # fmt: skip
@click.option("--select", multiple=True, default=("*",), metavar="GLOB", help="Only cases whose id matches.")
@click.option("--ops", default=",".join(OPERATIONS), show_default=True, help="Operations, separated by commas.")
@click.option("--prompt-only", is_flag=True, help="Leave out what is expected.")
@click.option("--force", is_flag=True, help="Replace an earlier export.")
def export_command(
    suite: Path, form: str, out: Path | None, select: tuple[str, ...], ops: str, prompt_only: bool, force: bool
) -> int:
    """Write a suite in another format."""
    vectors, operations = load_suite(suite), tuple(ops.split(","))
    if out is None and form == "stream":
        for line in stream_lines(selected(vectors, select, operations)):
            click.echo(line)
        return GOOD
    if out is None:
        raise CatalogueError(f"--out must be given for the format {form!r}.")
    count = export(vectors, out, form, select, operations, prompt_only, force)
    _FRONT["console"]().print(f"{count} operations to compute, written to {escape(str(out))}.")
    return GOOD


@click.command("judge")
@click.argument("suite", type=click.Path(path_type=Path), metavar="SUITE")
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS", required=False)
@click.option("--stream", is_flag=True, help="Read result lines from standard input, or from the file RESULTS.")
@judging
def judge_command(
    suite: Path, results: Path | None, stream: bool, select: tuple[str, ...], ops: str, policies: tuple[str, ...],
    min_cases: int, reports: tuple[Path, ...], judged_by: str | None, strict_statistics: bool,
) -> int:  # fmt: skip
    """Judge results that were computed elsewhere: a folder of files, or with --stream lines of text."""
    vectors = load_suite(suite)
    if results is None and not stream:
        raise click.UsageError("RESULTS must be a folder with results, or --stream must say that lines come.")
    with _opened(results, stream, vectors) as session:
        with _FRONT["progress_bar"]("cases") as progress:
            report = check(session, vectors, select, tuple(ops.split(",")), progress, judged_by, strict_statistics,
                           policies)  # fmt: skip
        words = f"refconv judge {suite}{f' {results}' if results else ''}{' --stream' if stream else ''}"
        command = command_line(words, judged_by, strict_statistics, policies)
        code = conclude(report, _FRONT["console"](), command, reports, min_cases)
        for sentence in _remarks(session, vectors, len(report.outcomes)):
            _FRONT["console"]().print(escape(sentence))
    return code


@contextmanager
def _opened(results: Path | None, stream: bool, suite: Any) -> Iterator[Results]:
    if not stream:
        assert results is not None
        yield ResultFolder(results, suite)
    elif results is None:
        yield StreamResults(sys.stdin)
    else:
        with open(results, encoding="utf-8", errors="replace") as lines:
            yield StreamResults(lines, results.name)


def _remarks(session: Results, suite: Any, total: int) -> Iterator[str]:
    if session.missing:
        yield f"missing: {len(session.missing)} of {total} results, which count as failed: {_some(session.missing)}."
    strange = session.strangers(suite) if isinstance(session, ResultFolder) else session.garbage
    if strange:
        kind = "files are results of no case" if isinstance(session, ResultFolder) else "lines are no results"
        yield f"not understood: {len(strange)} {kind}: {_some(strange)}."


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
