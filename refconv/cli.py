"""The command line: one function per command, which parses, calls and prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from refconv import __version__, cli_foreign
from refconv.catalogue import TIERS
from refconv.check import check, expect, may_write_xfails, read_xfails, write_xfails
from refconv.cli_options import WithCommand, tidy
from refconv.diagnosis import diagnose, fingerprint, hunt
from refconv.diagnosis.fingerprint import DTYPES as FLOATING
from refconv.diagnosis.hunt import DTYPES, replay
from refconv.errors import DisagreementError, ImplementationError, RefconvError
from refconv.generate import generate
from refconv.generate import recompute as compute_again
from refconv.implementations import TIMEOUT, Session, SessionRunner, open_session
from refconv.judge.classes import FORMS
from refconv.problem import OPERATIONS
from refconv.quickstart import Story, quickstart
from refconv.report import print_report, with_options, write_report
from refconv.report.fingerprinted import print_fingerprint
from refconv.report.hunted import print_hunt
from refconv.show import print_case, print_list
from refconv.suite import load_suite, verify_files
from refconv.suite.embedded import smoke_folder

GOOD, FAILED, USAGE, TOO_FEW, NOT_STARTED = range(5)  # exit codes

Paths = tuple[Path, ...]
SELECT = click.option("--select", multiple=True, default=("*",), metavar="GLOB", help="Only cases whose id matches.")
VECTORS = click.option(
    "--vectors", type=click.Path(path_type=Path), default=None, metavar="DIR",
    help="A suite; by default the small one that comes with refconv.",
)  # fmt: skip
MEBIBYTE = 2**20


def ISOLATION(command: Callable[..., int]) -> Callable[..., int]:  # noqa: N802  (a decorator among decorators)
    """Add the options that say how an implementation is run."""
    options = (
        click.option("--isolate/--in-process", default=True, show_default=True,
                     help="Run it in a process of its own, so that a crash is the outcome of one case."),
        click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=TIMEOUT, show_default=True,
                     metavar="SECONDS", help="For one call."),
        click.option("--memory-limit", type=click.IntRange(min=1), default=None, metavar="MIB",
                     help="Of the address space of its process."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def opened(impl: str, isolate: bool, timeout: float, memory_limit: int | None) -> Session:
    """Start the implementation that a user names."""
    return open_session(impl, isolate, timeout, memory_limit and memory_limit * MEBIBYTE)


FORCE = click.option("--force", is_flag=True, help="Replace what an earlier run left there.")


def console() -> Console:
    """Return where to print: colours on a terminal only, and never a hard wrap within an id."""
    return Console(soft_wrap=True, highlight=False)


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence, not in a traceback."""
    try:
        sys.exit(commands.main(standalone_mode=False, prog_name="refconv"))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except (RefconvError, OSError) as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(_exit_code(error))


def _exit_code(error: Exception) -> int:
    if isinstance(error, ImplementationError):
        return NOT_STARTED
    return FAILED if isinstance(error, DisagreementError) else USAGE


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="refconv")
def commands() -> None:
    """Check convolutions against golden values that are exact to the last bit.

    Begin with: refconv quickstart
    """


@commands.command("quickstart")
@click.option("--out", type=click.Path(path_type=Path), default=Path("quickstart"), metavar="DIR", show_default=True)
@FORCE
def quickstart_command(out: Path, force: bool) -> int:
    """Tell the whole story: generate, agree, judge a right and a wrong convolution, name the bug."""
    with progress_bar("cases, three references each") as progress:
        story = quickstart(out, force, progress)
    _print_story(story)
    return GOOD if story.told_well else FAILED


@commands.command("generate")
@click.option("--tier", type=click.Choice(list(TIERS)), default="core", show_default=True)
@SELECT
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--oracle", type=click.Choice(["torch"]), default=None, help="An outside oracle that must agree too.")
@click.option("--recipe", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Write the hashes of the extended tier there, instead of checking them.")  # fmt: skip
@FORCE
def generate_command(
    tier: str, select: Paths, out: Path, jobs: int, oracle: str | None, recipe: Path | None, force: bool
) -> int:
    """Make a suite; nothing is written unless all references agree on every bit."""
    patterns = tuple(map(str, select))
    with progress_bar("cases") as progress:
        count = generate(out, tier, patterns, jobs, oracle, force, progress=progress, recipe=recipe)
    opinion = f"; {oracle} agrees on all that no policy leaves open" if oracle else ""
    written = f"{count} cases written to {escape(str(out))}"
    console().print(f"{written}; direct, sparse and im2col agree on every element{opinion}.")
    return GOOD


@commands.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--recompute", is_flag=True, help="Compute every golden value again, by all references.")
@click.option("--oracle", type=click.Choice(["torch"]), default=None, help="With --recompute: ask it too.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
def verify_command(folder: Path, recompute: bool, oracle: str | None, jobs: int) -> int:
    """Verify a suite: hashes, schema and lint; on demand every value."""
    findings = verify_files(folder)
    if recompute and not findings:
        with progress_bar("cases") as progress:
            findings = compute_again(folder, jobs, oracle, progress)
    for finding in findings:
        console().print(f"[red]wrong:[/] {escape(finding)}")
    if not findings:
        suite = load_suite(folder)
        done = "every value was computed again and is the same" if recompute else "hashes, schema and lint are fine"
        console().print(f"{suite.name} {suite.version}: {len(suite)} cases, {done}.")
    return FAILED if findings else GOOD


@commands.command("check", cls=WithCommand)
@click.argument("impl")
@VECTORS
@SELECT
@click.option("--ops", default=",".join(OPERATIONS), show_default=True, help="Operations, separated by commas.")
@click.option("--policy", "policies", multiple=True, metavar="NAME", help="A policy that it claims; may be repeated.")
@click.option("--min-cases", type=click.IntRange(min=0), default=1, show_default=True, help="Fewer are a failure.")
@click.option("--report", "reports", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
              help="Write a report; the form follows from the suffix: .json .xml .html .md")  # fmt: skip
@click.option("--class", "judged_by", metavar="CLASS", default=None,
              help=f"The arithmetic that it claims: {FORMS}. By default what the vectors say.")  # fmt: skip
@click.option("--xfails", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Expected failures, in TOML.")  # fmt: skip
@click.option("--write-xfails", "written", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Write down what fails, as a file for --xfails.")  # fmt: skip
@FORCE
@click.option("--strict-statistics", is_flag=True, help="Fail results whose errors rounding hardly explains.")
@ISOLATION
@click.option("--thorough/--quick", default=True, show_default=True,
              help="Ask again after right results, with other values and memory layouts.")  # fmt: skip
def check_command(
    impl: str, vectors: Path | None, select: Paths, ops: str, policies: tuple[str, ...], min_cases: int, reports: Paths,
    judged_by: str | None, xfails: Path | None, written: Path | None, force: bool, strict_statistics: bool,
    thorough: bool, **isolation: Any,
) -> int:  # fmt: skip
    """Judge an implementation: NAME[:OPTION], package.module:name or path/file.py:name."""
    known = read_xfails(xfails) if xfails else ()
    if written:
        may_write_xfails(written, force)
    suite = load_suite(vectors or smoke_folder())
    with tidy(), opened(impl, **isolation) as session, progress_bar("cases") as progress:
        report = check(session, suite, tuple(map(str, select)), tuple(ops.split(",")), progress, judged_by,
                       strict_statistics, policies, thorough)  # fmt: skip
    report = expect(report, known)
    options = (f" --vectors {vectors}" if vectors else "") + (f" --class {judged_by}" if judged_by else "")
    options += " --strict-statistics" if strict_statistics else ""
    options += f" --xfails {xfails}" if xfails else ""
    options += "".join(f" --policy {policy}" for policy in policies)
    command = with_options(f"refconv check {impl}", options)
    for path in reports:
        write_report(report, path, command=command)
    print_report(report, console(), command=command)
    if written:
        waiting = write_xfails(report, written, known, force)
        console().print(f"{escape(str(written))} is written; {waiting} of its entries need a link in 'issue'.")
    if report.failures:
        return FAILED
    if report.executed_cases < min_cases:
        console().print(f"executed {report.executed_cases} cases, fewer than --min-cases {min_cases}.")
        return TOO_FEW
    return GOOD


@commands.command("diagnose", cls=WithCommand)
@click.argument("impl")
@click.option("--case", default=None, metavar="ID", help="A case of a suite that fails.")
@VECTORS
@click.option("--json", "for_machines", is_flag=True, help="Print JSON.")
@ISOLATION
def diagnose_command(
    impl: str, case: str | None, vectors: Path | None, for_machines: bool, **isolation: Any
) -> int:  # fmt: skip
    """Name the defect of an implementation, or describe what it computes instead."""
    problem = load_suite(vectors or smoke_folder()).case(case).problem if case else None
    with tidy(), opened(impl, **isolation) as session:
        diagnosis = diagnose(SessionRunner(session), problem=problem)
    if for_machines:
        click.echo(json.dumps(diagnosis.as_json(), indent=2))
    else:
        drawing = diagnosis.drawing
        console().print(escape(diagnosis.description + (f"\n\n{drawing.text()}" if drawing else "")))
    return GOOD if diagnosis.correct else FAILED


@commands.command("hunt", cls=WithCommand)
@click.argument("impl")
@click.option("--seconds", type=click.FloatRange(min=0), default=60, show_default=True, help="When to stop.")
@click.option("--ops", default=",".join(OPERATIONS), show_default=True, help="Operations, separated by commas.")
@click.option("--dtypes", default=",".join(DTYPES), show_default=True, help="Number formats, separated by commas.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another one is another search.")
@click.option("--class", "judged_by", metavar="CLASS", default=None, help=f"The arithmetic that it claims: {FORMS}.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found, as JSON.")
@click.option("--case", type=click.Path(path_type=Path), metavar="FILE", help="Only try what an earlier hunt saved.")
@ISOLATION
def hunt_command(
    impl: str, seconds: float, ops: str, dtypes: str, seed: int, judged_by: str | None, save: Path | None,
    case: Path | None, **isolation: Any,
) -> int:  # fmt: skip
    """Search for a problem on which an implementation fails; shrink it to the smallest."""
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(gettempdir(), "refconv-hypothesis"))
    with tidy(), opened(impl, **isolation) as session:
        runner = SessionRunner(session)
        if case:
            found = replay(runner, case, judged_by, source=impl)
        else:
            words = tuple(ops.split(",")), tuple(dtypes.split(","))
            found = hunt(runner, seconds, *words, seed, judged_by, runner.renewed, source=impl)
    print_hunt(found, console())
    if found.caught and save:
        save.write_text(found.caught.attempt.as_json(found.caught.operation), encoding="utf-8")
    if found.caught:
        return FAILED
    return GOOD if found.executed else TOO_FEW


@commands.command("fingerprint", cls=WithCommand)
@click.argument("impl")
@ISOLATION
@click.option("--dtypes", default=",".join(FLOATING), show_default=True, help="Number formats, separated by commas.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fingerprint_command(impl: str, dtypes: str, as_json: bool, **isolation: Any) -> int:
    """Find out which arithmetic an implementation uses, and which class check should claim for it."""
    with tidy(), opened(impl, **isolation) as session:
        found = fingerprint(SessionRunner(session), tuple(dtypes.split(",")))
    if as_json:
        click.echo(found.as_json())
    else:
        print_fingerprint(found, console())
    return GOOD if found.found else TOO_FEW


@commands.command("list")
@VECTORS
@SELECT
def list_command(vectors: Path | None, select: Paths) -> int:
    """List the cases of a suite."""
    print_list(load_suite(vectors or smoke_folder()), tuple(map(str, select)), console())
    return GOOD


@commands.command("show")
@click.argument("case")
@VECTORS
def show_command(case: str, vectors: Path | None) -> int:
    """Show one case: what it is, what it hunts, its geometry and its numbers."""
    print_case(load_suite(vectors or smoke_folder()).case(case), console())
    return GOOD


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


def _print_story(story: Story) -> None:
    out, command = console(), f"refconv check {story.example}:conv2d --vectors {story.vectors}"
    out.print(f"\n[bold]1. Golden vectors.[/] {story.cases} cases in {escape(str(story.vectors))}, each computed by "
              "the seven loops, the sparse matrix W* and im2col: all bytes equal.")  # fmt: skip
    out.print(f"   Verified: {'hashes, schema and lint are fine' if not story.findings else story.findings[0]}.")
    out.print(f"\n[bold]2. A right convolution.[/] {escape(story.right.summary())}")
    out.print(f"\n[bold]3. A wrong one.[/] {escape(str(story.example))} is a convolution with one mistake in it.")
    print_report(story.wrong, out, command=command, limit=2)
    out.print(f"\n[bold]4. Which bug is it?[/] {escape(story.diagnosis.description)}")
    out.print(f"""
[bold]What next?[/]
   open {escape(str(story.html))} in a browser
   mend the line in {escape(str(story.example))}, then: {escape(command)}
   check your own: refconv check path/to/your_file.py:your_conv2d
   more vectors: refconv generate --tier core --out core
""")


cli_foreign.add_to(commands, console, progress_bar)
