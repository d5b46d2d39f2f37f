"""What an export format is: a writer, what it takes, what it cannot say, and the words about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from refconv.errors import CatalogueError
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.suite import Suite

Writer = Callable[[Path, Suite, Iterable[Prompt], Options], None]
COMMON = frozenset({"prompt_only", "max_bytes"})
LAYOUTS = frozenset({"layout", "weight_layout"})


def nothing(prompt: Prompt, options: Options) -> str:
    """Leave nothing out."""
    return ""


@dataclass(frozen=True)
class Form:
    """An export format.

    Attributes
    ----------
    write : callable
        ``write(folder, suite, prompts, options)`` fills an empty folder.
    holds : str
        What lies in the folder and how to read it, in ASCII; it ends up there.
    takes : frozenset of str
        The options that it takes, beside those that all take.
    leaves_out : callable
        ``leaves_out(prompt, options)`` is why a prompt cannot be said, or the empty string.
    any_layer : bool
        Whether it can say any number of spatial axes, and transposed convolutions.
    """

    write: Writer
    holds: str
    takes: frozenset[str] = frozenset()
    leaves_out: Callable[[Prompt, Options], str] = nothing
    any_layer: bool = False

    def check(self, name: str, options: Options) -> None:
        """Demand that every option that is given means something.

        Raises
        ------
        CatalogueError
        """
        for option in options.given:
            if option not in self.takes | COMMON:
                raise CatalogueError(f"the format {name!r} has no option --{option.replace('_', '-')}; leave it out.")
