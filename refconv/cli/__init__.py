"""The command line: one function per command, which parses, calls and prints."""

from __future__ import annotations

import importlib
import os
import sys

import click

from refconv import __version__
from refconv.cli.options import FAILED, INTERRUPTED, NOT_STARTED, USAGE
from refconv.errors import DisagreementError, ImplementationError, RefconvError

WHERE = {  # each command's module, which is imported when the command is asked for; what most people want first
    "quickstart": "story", "check": "judged", "diagnose": "diagnosed", "hunt": "finding", "fingerprint": "finding",
    "judge": "judged", "export": "suites", "protocol-test": "foreign", "include-dir": "foreign", "list": "suites",
    "show": "suites", "generate": "suites", "verify": "suites", "accumulate": "accumulated",
}  # fmt: skip


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence, not in a traceback."""
    try:
        sys.exit(commands.main(standalone_mode=False, prog_name="refconv"))
    except click.exceptions.Abort as abort:
        _say_interrupted(abort.__cause__)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except (RefconvError, OSError) as error:
        _print_error(_sentence(error))
        sys.exit(_exit_code(error))


def _say_interrupted(cause: BaseException | None) -> None:
    print("\n".join(["interrupted", *getattr(cause, "__notes__", ())]), file=sys.stderr)


def _print_error(sentence: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[bold red]error:[/] {escape(sentence)}")


def _sentence(error: Exception) -> str:
    """Return what is told; an error of the system says what it is about and what to do."""
    from refconv.atomic import FULL

    if isinstance(error, RefconvError) or not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if error.errno in FULL:
        where = f"where {error.filename!r} belongs" if error.filename else "for files, also where TMPDIR points"
        return f"there must be room {where}, got {error.strerror!r}; make room, or choose another place."
    if error.filename is None:
        return f"the system refused: {error.strerror}."
    return f"{error.filename!r} must be a place that can be used so, got {error.strerror!r}; choose another place."


def _exit_code(error: Exception) -> int:
    if isinstance(error, ImplementationError):
        return NOT_STARTED
    return FAILED if isinstance(error, DisagreementError) else USAGE


class Commands(click.Group):
    """A group whose commands are imported one by one: most of what one of them needs, another does not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name, if there is one."""
        if cmd_name not in WHERE:
            return None
        module = importlib.import_module(f"refconv.cli.{WHERE[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="refconv")
def commands() -> None:
    """Check convolutions against golden values that are exact to the last bit.

    Begin with: refconv quickstart, then: refconv check mine.py:conv2d
    """
