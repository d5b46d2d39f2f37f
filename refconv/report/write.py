"""Write a report to a file, in the form that its name asks for, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from refconv.atomic import replace_file
from refconv.check import Report
from refconv.errors import ReportError
from refconv.report.html import html_text
from refconv.report.json_report import json_parts
from refconv.report.junit import junit_parts
from refconv.report.markdown import markdown_text

SUFFIXES = (".json", ".xml", ".html", ".md")


def may_write_report(path: str | os.PathLike[str]) -> Path:
    """Return the path, if a report may be written there: asked before a long run, so that none is lost.

    Raises
    ------
    ReportError
        If the suffix names no form, or there is no such folder.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise ReportError(f"a report must end in {', '.join(SUFFIXES)}, got {str(path)!r}.")
    if not target.parent.is_dir():
        raise ReportError(f"the folder of a report must exist, got {str(path)!r}; create {str(target.parent)!r} first.")
    return target


def write_report(
    report: Report, path: str | os.PathLike[str], *,
    command: str | None = None, title: str | None = None, diagnosis: Any = None,
) -> Path:  # fmt: skip
    """Write a report to a file.

    Parameters
    ----------
    report : Report
    path : path
        Its suffix names the form: ``.json``, ``.xml`` (JUnit), ``.html`` or ``.md``.
    command : str, optional
        The command line to which ``--select CASE`` is appended, so that a failure can be reproduced.
    title, diagnosis : optional
        For ``.html``, see :func:`refconv.report.html_text`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ReportError
        If the suffix is another one, or the file cannot be written; what stood there before is unharmed.
    """
    forms: dict[str, Callable[[Report], str | Iterable[str]]] = {
        ".json": json_parts,
        ".xml": partial(junit_parts, command=command),
        ".html": partial(html_text, title=title, diagnosis=diagnosis, command=command),
        ".md": partial(markdown_text, command=command),
    }
    target = may_write_report(path)
    return write_text(target, forms[target.suffix.lower()](report))


def write_text(target: Path, text: str | Iterable[str]) -> Path:
    """Write a text, or its parts, to a file, whole or not at all.

    Raises
    ------
    ReportError
        If the file cannot be written; what stood there before is unharmed.
    """
    try:
        replace_file(target, (part.encode("utf-8") for part in ([text] if isinstance(text, str) else text)))
    except OSError as error:
        raise ReportError(f"{str(target)!r} cannot be written: {error.strerror or error}.") from error
    return target
