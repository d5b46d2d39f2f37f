"""The commands that search and measure: hunt, fingerprint."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import click

from refconv.atomic import replace_file
from refconv.cli.options import FAILED, GOOD, OPS, TOO_FEW, WithCommand, opened, running
from refconv.cli.output import console, tidy, waiting
from refconv.diagnosis import fingerprint, hunt
from refconv.diagnosis.fingerprint import DTYPES as FLOATING
from refconv.diagnosis.hunt import DTYPES, replay
from refconv.errors import ReportError
from refconv.implementations import SessionRunner
from refconv.judge.classes import FORMS
from refconv.report.fingerprinted import print_fingerprint
from refconv.report.hunted import print_hunt


@click.command("hunt", cls=WithCommand, short_help="Search beyond the vectors for the smallest failure.")
@click.argument("impl")
@click.option("--seconds", type=click.FloatRange(min=0), default=60, show_default=True, help="When to stop.")
@OPS
@click.option("--dtypes", default=",".join(DTYPES), show_default=True, help="Number formats, separated by commas.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another one is another search.")
@click.option("--class", "judged_by", metavar="CLASS", default=None, help=f"The arithmetic that it claims: {FORMS}.")
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Write what was found, as JSON.")
@click.option("--case", type=click.Path(path_type=Path), metavar="FILE", help="Only try what an earlier hunt saved.")
@running
def hunt_command(
    impl: str, seconds: float, ops: str, dtypes: str, seed: int, judged_by: str | None, save: Path | None,
    case: Path | None, **isolation: Any,
) -> int:  # fmt: skip
    """Search for a problem on which an implementation fails; shrink it to the smallest."""
    if save and not save.parent.is_dir():
        raise ReportError(f"the folder of --save must exist, got {str(save)!r}; create {str(save.parent)!r} first.")
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(gettempdir(), "refconv-hypothesis"))
    with tidy(), opened(impl, **isolation) as session, waiting(f"hunting for {seconds:g} s at most"):
        runner = SessionRunner(session)
        if case:
            found = replay(runner, case, judged_by, source=impl)
        else:
            words = tuple(ops.split(",")), tuple(dtypes.split(","))
            found = hunt(runner, seconds, *words, seed, judged_by, runner.renewed, source=impl)
    print_hunt(found, console())
    if found.caught and save:
        replace_file(save, found.caught.attempt.as_json(found.caught.operation).encode("utf-8"))
    if found.caught:
        return FAILED
    return GOOD if found.executed else TOO_FEW


@click.command("fingerprint", cls=WithCommand, short_help="Measure which arithmetic an implementation uses.")
@click.argument("impl")
@running
@click.option("--dtypes", default=",".join(FLOATING), show_default=True, help="Number formats, separated by commas.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fingerprint_command(impl: str, dtypes: str, as_json: bool, **isolation: Any) -> int:
    """Find out which arithmetic an implementation uses, and which class check should claim for it."""
    with tidy(), opened(impl, **isolation) as session, waiting("measuring the arithmetic"):
        found = fingerprint(SessionRunner(session), tuple(dtypes.split(",")))
    if as_json:
        click.echo(found.as_json())
    else:
        print_fingerprint(found, console())
    return GOOD if found.found else TOO_FEW
