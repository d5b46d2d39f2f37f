"""The commands that look for causes: diagnose, hunt, fingerprint."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import click
from rich.markup import escape

from refconv.atomic import replace_file
from refconv.cli.options import FAILED, GOOD, OPS, TOO_FEW, VECTORS, WithCommand, opened, running
from refconv.cli.output import console, tidy, waiting
from refconv.diagnosis import diagnose, fingerprint, hunt
from refconv.diagnosis.fingerprint import DTYPES as FLOATING
from refconv.diagnosis.hunt import DTYPES, replay
from refconv.diagnosis.wider import building_ahead
from refconv.errors import ReportError
from refconv.implementations import SessionRunner
from refconv.judge.classes import FORMS
from refconv.report.fingerprinted import print_fingerprint
from refconv.report.hunted import print_hunt
from refconv.suite import load_suite
from refconv.suite.embedded import smoke_folder


@click.command("diagnose", cls=WithCommand)
@click.argument("impl")
@click.option("--case", default=None, metavar="ID", help="A case of a suite that fails.")
@VECTORS
@click.option("--json", "for_machines", is_flag=True, help="Print JSON.")
@running
def diagnose_command(
    impl: str, case: str | None, vectors: Path | None, for_machines: bool, **isolation: Any
) -> int:  # fmt: skip
    """Name the defect of an implementation, or describe what it computes instead."""
    problem = load_suite(vectors or smoke_folder()).case(case).problem if case else None
    with tidy(), ExitStack() as stack:
        with building_ahead():
            session = stack.enter_context(opened(impl, **isolation))
        stack.enter_context(waiting("looking for the defect"))
        diagnosis = diagnose(SessionRunner(session), problem=problem)
    if for_machines:
        click.echo(json.dumps(diagnosis.as_json(), indent=2))
    else:
        drawing = diagnosis.drawing
        console().print(escape(diagnosis.description + (f"\n\n{drawing.text()}" if drawing else "")))
    return GOOD if diagnosis.correct else FAILED


@click.command("hunt", cls=WithCommand)
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


@click.command("fingerprint", cls=WithCommand)
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
