"""What several commands share: exit codes, options, and how an implementation is named and started."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import click

from refconv.implementations import TIMEOUT, Session, open_session
from refconv.implementations.command import MARK
from refconv.implementations.layouts import IMAGES, WEIGHTS
from refconv.problem import OPERATIONS

GOOD, FAILED, USAGE, TOO_FEW, NOT_STARTED = range(5)  # exit codes
INTERRUPTED = 130  # of Ctrl-C, as a shell says it
MEBIBYTE = 2**20

GIVEN = {
    "IMPL": "mine.py:conv2d, torch, ./libmine.so or -- ./program", "COMMAND": "-- ./program",
}  # fmt: skip

Command = Callable[..., int]
Paths = tuple[Path, ...]

SELECT = click.option("--select", multiple=True, default=("*",), metavar="GLOB", help="Only cases whose id matches.")
OPS = click.option("--ops", default=",".join(OPERATIONS), show_default=True, help="Operations, separated by commas.")
FORCE = click.option("--force", is_flag=True, help="Replace what an earlier run left there.")
JOBS = click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
DASK = click.option("--dask", default=None, metavar="ADDRESS",
                    help="Of a dask scheduler whose workers do it instead; they must share this folder.")  # fmt: skip
VECTORS = click.option(
    "--vectors", type=click.Path(path_type=Path), default=None, metavar="DIR",
    help="A suite; by default the small one that comes with refconv.",
)  # fmt: skip

RUNNING = (
    click.option("--isolate/--in-process", default=True, show_default=True,
                 help="Run it in a process of its own, so that a crash is the outcome of one case."),
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=TIMEOUT, show_default=True,
                 metavar="SECONDS", help="For one call."),
    click.option("--memory-limit", type=click.IntRange(min=1), default=None, metavar="MIB",
                 help="Of the address space of its process; Linux alone holds to it."),
)  # fmt: skip


LAYOUTS = (
    click.option("--layout", type=click.Choice(IMAGES), default=IMAGES[0], show_default=True,
                 help="Of x, y and their gradients."),
    click.option("--weight-layout", type=click.Choice(WEIGHTS), default=WEIGHTS[0], show_default=True,
                 help="Of the weight and its gradient."),
)  # fmt: skip


def with_all(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    """Give a command several options, shown in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def layouts(command: Command) -> Command:
    """Give a command the options that say how tensors lie."""
    return with_all(LAYOUTS, command)


def running(command: Command) -> Command:
    """Give a command the options that say how an implementation is run."""
    return with_all(RUNNING, command)


def opened(impl: str, isolate: bool, timeout: float, memory_limit: int | None) -> Session:
    """Start the implementation that a user names."""
    return open_session(impl, isolate, timeout, memory_limit and memory_limit * MEBIBYTE)


class WithCommand(click.Command):
    """A command whose argument may be a command line itself, behind ``--``; it arrives as one text."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join what follows ``--`` into one argument; say what is meant, where it is missing or is several."""
        if "--" in args:
            place = args.index("--")
            args = [*args[:place], "--", MARK + shlex.join(args[place + 1 :])]
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            name = error.param.human_readable_name if error.param else ""
            raise click.UsageError(f"{name} must be given, such as {GIVEN[name]}.", ctx) from None
        except click.UsageError as error:
            if "extra argument" not in error.message:
                raise
            words = f"a program stands behind two dashes: refconv {ctx.info_name} -- PROGRAM ARGUMENT..."
            raise click.UsageError(f"{error.message}; {words}", ctx) from None
