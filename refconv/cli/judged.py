"""The commands that judge: check an implementation, judge results that were computed elsewhere."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import join, quote
from typing import Any

import click
from rich.markup import escape

from refconv.check import FreshSuite, Outcome, Report, check, expect, may_write_xfails, read_xfails, write_xfails
from refconv.cli.options import (
    DASK,
    FAILED,
    FORCE,
    GOOD,
    MEBIBYTE,
    OPS,
    SELECT,
    TOO_FEW,
    VECTORS,
    Command,
    Paths,
    WithCommand,
    layouts,
    running,
    with_all,
)
from refconv.cli.output import cluster, console, progress_bar, tidy
from refconv.implementations.command import named
from refconv.implementations.layouts import Layouts
from refconv.implementations.result_folder import ResultFolder
from refconv.implementations.stream_results import StreamResults
from refconv.judge.classes import FORMS
from refconv.problem import OPERATIONS
from refconv.report import may_write_report, print_report, with_options, write_report
from refconv.suite import Suite, load_suite
from refconv.suite.embedded import smoke_folder
from refconv.suite.strict_json import visible

Results = ResultFolder | StreamResults
SHOWN = 5  # names of missing or strange files that are printed


JUDGING = (
    SELECT,
    OPS,
    click.option("--policy", "policies", multiple=True, metavar="NAME",
                 help="A policy that it claims; may be repeated."),
    click.option("--min-cases", type=click.IntRange(min=0), default=1, show_default=True, help="Fewer are a failure."),
    click.option("--report", "reports", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
                 help="Write a report; the form follows from the suffix: .json .xml .html .md"),
    click.option("--class", "judged_by", metavar="CLASS", default=None,
                 help=f"The arithmetic that it claims: {FORMS}. By default what the vectors say."),
    click.option("--strict-statistics", is_flag=True, help="Fail results whose errors rounding hardly explains."),
)  # fmt: skip


def judging(command: Command) -> Command:
    """Give a command the options by which results are judged."""
    return with_all(JUDGING, command)


@click.command("check", cls=WithCommand, short_help="Check an implementation, and say which bug it looks like.")
@click.argument("impl")
@VECTORS
@judging
@click.option("--xfails", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Expected failures, in TOML.")  # fmt: skip
@click.option("--write-xfails", "written", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Write down what fails, as a file for --xfails.")  # fmt: skip
@FORCE
@running
@click.option("--thorough/--quick", default=True, show_default=True,
              help="Ask again after right results, with other values and memory layouts.")  # fmt: skip
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=None,
    help="Processes, each with an implementation of its own; by default what fits, and one for a command.",
)
@DASK
@click.option(
    "--fresh",
    type=click.IntRange(min=0),
    default=None,
    metavar="SEED",
    help="Deal the numbers of the vectors again, and compute what they give: nobody has seen it.",
)
def check_command(
    impl: str, vectors: Path | None, select: Paths, ops: str, policies: tuple[str, ...], min_cases: int, reports: Paths,
    judged_by: str | None, xfails: Path | None, written: Path | None, force: bool, strict_statistics: bool,
    thorough: bool, jobs: int | None, dask: str | None, fresh: int | None, isolate: bool, timeout: float,
    memory_limit: int | None,
) -> int:  # fmt: skip
    r"""Judge an implementation, say which bug it looks like, and write reports.

    \b
    IMPL is one of these:
    path/file.py:name     a function or a class in Python, or package.module:name
    NAME[:OPTION]         an engine: torch, onnxruntime, jax, ...
    path/library.so       a shared library, see refconv include-dir
    -- program argument   a program that speaks JSON lines, see refconv protocol-test
    """
    known = read_xfails(xfails) if xfails else ()
    if written:
        may_write_xfails(written, force)
    for path in reports:
        may_write_report(path)
    suite = load_suite(vectors or smoke_folder())
    suite = suite if fresh is None else FreshSuite(suite, fresh)
    with tidy(), progress_bar("cases") as progress, cluster(dask) as executor:
        memory = memory_limit and memory_limit * MEBIBYTE
        report = check(impl, suite, tuple(map(str, select)), tuple(ops.split(",")), progress, judged_by,
                       strict_statistics, policies, thorough, isolate, timeout, memory, jobs, executor)  # fmt: skip
    report = _explained(expect(report, known), suite)
    words = "".join(
        f" --{name} {quote(str(path))}" for name, path in (("vectors", vectors), ("xfails", xfails)) if path
    )
    words += "" if fresh is None else f" --fresh {fresh}"
    command = with_options(f"refconv check {named(impl)}", words + claims(judged_by, strict_statistics, policies, ops))
    code = _conclude(report, command, reports, min_cases)
    if any(_is_riddle(report, outcome, suite) for outcome in report.failures):
        console().print(f"Which bug is it? {escape(f'refconv diagnose {named(impl)}')} looks closer.", soft_wrap=True)
    if written:
        waiting = write_xfails(report, written, known, force, named(impl))
        console().print(f"{escape(str(written))} is written; {waiting} of its entries need a link in 'issue'.")
    return code


@click.command("judge", short_help="Judge results that were computed elsewhere.")
@click.argument("suite", type=click.Path(path_type=Path), metavar="SUITE")
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS", required=False)
@click.option("--stream", is_flag=True, help="Read result lines from standard input, or from the file RESULTS.")
@layouts
@judging
def judge_command(
    suite: Path, results: Path | None, stream: bool, layout: str, weight_layout: str, select: tuple[str, ...], ops: str,
    policies: tuple[str, ...], min_cases: int, reports: tuple[Path, ...], judged_by: str | None,
    strict_statistics: bool,
) -> int:  # fmt: skip
    """Judge results that were computed elsewhere: a folder of files, or with --stream lines of text."""
    for path in reports:
        may_write_report(path)
    vectors = load_suite(suite)
    if results is None and not stream:
        raise click.UsageError("RESULTS must be a folder with results, or --stream must say that lines come.")
    lie = Layouts(layout, weight_layout)
    with _opened(results, stream, vectors, lie) as session:
        with progress_bar("cases") as progress:
            report = check(session, vectors, select, tuple(ops.split(",")), progress, judged_by, strict_statistics,
                           policies)  # fmt: skip
        report = _explained(report, vectors)
        words = join(
            ["refconv", "judge", str(suite), *([str(results)] if results else []), *(["--stream"] if stream else [])]
        )
        words += "" if lie == Layouts() else f" --layout {layout} --weight-layout {weight_layout}"
        command = words + claims(judged_by, strict_statistics, policies, ops)
        code = _conclude(report, command, reports, min_cases)
        for sentence in _remarks(session, vectors, len(report.outcomes)):
            console().print(escape(sentence))
    return code


def _explained(report: Report, suite: Suite) -> Report:
    """Name the bugs behind failures; what knows them takes a while to import, and most runs do not need it."""
    if not report.failures:
        return report
    from refconv.diagnosis import with_causes

    return with_causes(report, suite)


@contextmanager
def _opened(results: Path | None, stream: bool, suite: Any, lie: Layouts) -> Iterator[Results]:
    if not stream:
        assert results is not None
        yield ResultFolder(results, suite, lie)
    elif results is None:
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        yield StreamResults(sys.stdin, layouts=lie)
    else:
        with open(results, encoding="utf-8", errors="replace") as lines:
            yield StreamResults(lines, results.name, lie)


def _remarks(session: Results, suite: Any, total: int) -> Iterator[str]:
    if session.missing:
        yield f"missing: {len(session.missing)} of {total} results, which count as failed: {_some(session.missing)}."
    strange = session.strangers(suite) if isinstance(session, ResultFolder) else session.garbage
    if strange:
        one = len(strange) == 1
        if isinstance(session, ResultFolder):
            kind = "file is a result of no case" if one else "files are results of no case"
        else:
            kind = "line is no result" if one else "lines are no results"
        yield f"not understood: {len(strange)} {kind}: {_some(strange)}."


def _some(names: list[str]) -> str:
    return visible(", ".join(names[:SHOWN])) + (" ..." if len(names) > SHOWN else "")


def claims(judged_by: str | None, strict: bool, policies: Iterable[str], ops: str = "") -> str:
    """Return the options that judge in the same way, for the command line that reproduces a failure.

    Examples
    --------
    >>> claims("ftz", False, ["padding-is-absent"])
    ' --class ftz --policy padding-is-absent'
    >>> claims(None, False, [], "forward,grad_input")
    ' --ops forward,grad_input'
    """
    text = (f" --class {judged_by}" if judged_by else "") + (" --strict-statistics" if strict else "")
    text += f" --ops {ops}" if ops not in ("", ",".join(OPERATIONS)) else ""
    return text + "".join(f" --policy {policy}" for policy in policies)


def _conclude(report: Report, command: str, reports: Iterable[Path], min_cases: int) -> int:
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


def _is_riddle(report: Report, outcome: Outcome, suite: Suite) -> bool:
    """Say whether a diagnosis may tell more, where no known defect predicts a failure, or one that is only alike."""
    from refconv.diagnosis.bugs import can_be_diagnosed

    cause = report.cause_of(outcome)
    return (cause is None or bool(cause.contradicted)) and can_be_diagnosed(outcome, suite)
