"""Exporting a suite: a new folder, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from refconv.errors import CatalogueError
from refconv.export.prompts import Prompt, selected
from refconv.export.raw import write_raw
from refconv.export.stream import write_stream
from refconv.problem import OPERATIONS
from refconv.suite import Suite, staged

Writer = Callable[[Path, Suite, Iterable[Prompt], bool], int]

FORMATS: dict[str, Writer] = {"raw": write_raw, "stream": write_stream}
MARKER = "EXPORT.txt"


def export(
    suite: Suite, out: str | Path, form: str, select: Iterable[str] = ("*",), operations: Iterable[str] = OPERATIONS,
    prompt_only: bool = False, force: bool = False,
) -> int:  # fmt: skip
    """Write a suite in another format; equal suites give equal bytes.

    Parameters
    ----------
    suite : Suite
    out : path
        New or empty, unless `force` is given and it holds an earlier export.
    form : str
        One of :data:`FORMATS`.
    select : iterable of str
        Shell patterns over case ids.
    operations : iterable of str
    prompt_only : bool
        Leave out what is expected.
    force : bool

    Returns
    -------
    int
        How many operations there are to compute.

    Raises
    ------
    CatalogueError
        If the format or an operation is unknown, or no case matches.
    SuiteError
        If the suite is damaged, or `out` is in use.
    """
    if form not in FORMATS:
        raise CatalogueError(f"an export format must be one of {', '.join(FORMATS)}, got {form!r}.")
    with staged(out, force, marker=MARKER) as folder:
        count = FORMATS[form](folder, suite, selected(suite, select, operations), prompt_only)
        text = f"refconv export of suite {suite.name} {suite.version}, format {form}: {count} operations\n"
        (folder / MARKER).write_text(text, "ascii", newline="\n")
    return count
