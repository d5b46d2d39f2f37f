"""The command that names the bug; what it looks at starts in its own process before the code that looks is imported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click

from refconv.cli.options import FAILED, GOOD, VECTORS, WithCommand, opened, running
from refconv.cli.output import console, tidy, waiting
from refconv.implementations import SessionRunner


@click.command("diagnose", cls=WithCommand, short_help="Name the bug of an implementation, without a suite.")
@click.argument("impl")
@click.option("--case", default=None, metavar="ID", help="A case of a suite that fails.")
@VECTORS
@click.option("--json", "for_machines", is_flag=True, help="Print JSON.")
@running
def diagnose_command(
    impl: str, case: str | None, vectors: Path | None, for_machines: bool, **isolation: Any
) -> int:  # fmt: skip
    """Name the defect of an implementation, or describe what it computes instead."""
    problem = _problem_of(case, vectors) if case else None
    with tidy(), ExitStack() as stack:
        with _getting_ready():
            session = stack.enter_context(opened(impl, **isolation))
        from refconv.diagnosis import diagnose

        with waiting("looking for the defect"):
            diagnosis = diagnose(SessionRunner(session), problem=problem)
        if for_machines:
            click.echo(json.dumps(diagnosis.as_json(), indent=2))
        else:
            from refconv.report.prose import fitted

            drawing = diagnosis.drawing
            text = fitted(diagnosis.description, console(), 2) + (f"\n\n{drawing.text()}" if drawing else "")
            console().print(text, markup=False)
    return GOOD if diagnosis.correct else FAILED


def _problem_of(case: str, vectors: Path | None) -> Any:
    from refconv.suite import load_suite
    from refconv.suite.embedded import smoke_folder

    return load_suite(vectors or smoke_folder()).case(case).problem


@contextmanager
def _getting_ready() -> Iterator[None]:
    """Import what looks for bugs, and make its problems, in a thread, while something else is waited for."""
    enough = Event()

    def work() -> None:
        from refconv.diagnosis.wider import build_ahead

        build_ahead(enough.is_set)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
