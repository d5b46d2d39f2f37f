"""The commands for authors of harnesses and libraries: include-dir, protocol-test."""

from __future__ import annotations

import shlex

import click
from rich.markup import escape

from refconv.cli.options import FAILED, GOOD, WithCommand
from refconv.cli.output import console, tidy
from refconv.errors import ImplementationError
from refconv.implementations.abi import include_dir
from refconv.implementations.command import MARK
from refconv.implementations.protocol_test import protocol_test


@click.command("include-dir", short_help="Print the folder of refconv_impl.h, for cc -I.")
def include_dir_command() -> int:
    """Print the folder of refconv_impl.h, for cc -I."""
    click.echo(include_dir())
    return GOOD


@click.command("protocol-test", cls=WithCommand, short_help="Say what a program that speaks JSON lines does wrong.")
@click.argument("command")
@click.option("--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds per answer.")
def protocol_test_command(command: str, timeout: float) -> int:
    """Say what a harness does wrong: refconv protocol-test -- ./harness --flag."""
    words = _words(command)
    wrong = 0
    with tidy():
        for step in protocol_test(words, timeout):
            mark = f"[red]✗ {escape(step.promise)}: {escape(step.wrong)}[/]" if step.wrong else f"✓ {step.promise}"
            console().print(mark)
            wrong += bool(step.wrong)
    console().print(f"{wrong} steps went wrong." if wrong else "The harness speaks the protocol.")
    return FAILED if wrong else GOOD


def _words(command: str) -> list[str]:
    words = shlex.split(command.removeprefix(MARK))
    if not words:
        raise ImplementationError("a command must follow '--', as in: refconv protocol-test -- ./harness --flag.")
    return words
