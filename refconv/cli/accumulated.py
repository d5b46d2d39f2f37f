"""The command for the tier ``accumulated``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from refconv.cli.options import DASK, FAILED, GOOD, JOBS, TOO_FEW
from refconv.cli.output import cluster, console, progress_bar
from refconv.generate.accumulate import Accumulated, accumulate, check_known
from refconv.generate.stream import FAMILIES


@click.command("accumulate", short_help="Fold the results of many small cases into one hash.")
@click.option("--family", type=click.Choice(list(FAMILIES)), required=True)
@click.option("--count", type=click.IntRange(min=1), required=True, help="Cases: the first ones of the family.")
@click.option("--check", "impl", default=None, metavar="IMPL", help="Ask an implementation about every case, too.")
@click.option("--isolate/--in-process", default=True, show_default=True, help="Run it in processes of its own.")
@click.option("--checkpoint", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE",
              help="Write there how far it is, and go on from there.")  # fmt: skip
@JOBS
@DASK
def accumulate_command(
    family: str, count: int, impl: str | None, isolate: bool, checkpoint: Path | None, jobs: int, dask: str | None
) -> int:
    """Fold the exact results of a great many small cases into one SHA-256."""
    with progress_bar("cases") as progress, cluster(dask) as executor:
        found = accumulate(family, count, jobs, impl, checkpoint, executor, progress, isolate)
    known = check_known(family, count, found.sha256)
    console().print(f"{family} {count}: {found.sha256}{', as it must be' if known else ''}")
    return GOOD if impl is None else _told(impl, found)


def _told(impl: str, found: Accumulated) -> int:
    for sentence in found.examples:
        console().print(f"[red]wrong:[/] {escape(sentence)}")
    console().print(f"{escape(impl)}: {found.asked} operations, {found.wrong} of them wrong.")
    if not found.asked:
        return TOO_FEW
    return FAILED if found.wrong else GOOD
