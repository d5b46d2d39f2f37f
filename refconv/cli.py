"""The command line: one function per command, which parses, calls and prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from refconv import __version__
from refconv.catalogue import TIERS
from refconv.check import check
from refconv.diagnosis import diagnose
from refconv.errors import DisagreementError, ImplementationError, RefconvError
from refconv.generate import generate
from refconv.generate import recompute as compute_again
from refconv.implementations import load_implementation
from refconv.judge.classes import FORMS
from refconv.problem import OPERATIONS
from refconv.quickstart import Story, quickstart
from refconv.report import print_report, write_report
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


@commands.command("check")
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
@click.option("--strict-statistics", is_flag=True, help="Fail results whose errors rounding hardly explains.")
def check_command(
    impl: str, vectors: Path | None, select: Paths, ops: str, policies: tuple[str, ...], min_cases: int, reports: Paths,
    judged_by: str | None, strict_statistics: bool,
) -> int:  # fmt: skip
    """Judge an implementation: NAME[:OPTION], package.module:name or path/file.py:name."""
    runner = load_implementation(impl)
    suite = load_suite(vectors or smoke_folder())
    with progress_bar("cases") as progress:
        report = check(runner, suite, tuple(map(str, select)), tuple(ops.split(",")), progress, judged_by,
                       strict_statistics, policies)  # fmt: skip
    command = f"refconv check {impl}" + (f" --vectors {vectors}" if vectors else "")
    command += (f" --class {judged_by}" if judged_by else "") + (" --strict-statistics" if strict_statistics else "")
    command += "".join(f" --policy {policy}" for policy in policies)
    for path in reports:
        write_report(report, path, command=command)
    print_report(report, console(), command=command)
    if report.failures:
        return FAILED
    if report.executed_cases < min_cases:
        console().print(f"executed {report.executed_cases} cases, fewer than --min-cases {min_cases}.")
        return TOO_FEW
    return GOOD


@commands.command("diagnose")
@click.argument("impl")
def diagnose_command(impl: str) -> int:
    """Name the defect of an implementation."""
    diagnosis = diagnose(load_implementation(impl))
    console().print(escape(diagnosis.description))
    return GOOD if diagnosis.correct else FAILED


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
