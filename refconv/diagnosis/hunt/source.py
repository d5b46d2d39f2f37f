"""Where an implementation comes from, in lines of Python that a reproducer begins with."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refconv.implementations import engines
from refconv.implementations.command import is_command


@dataclass(frozen=True)
class Source:
    """How to get at an implementation.

    Attributes
    ----------
    lines : tuple of str
        Imports.
    name : str
        The expression for the implementation; its gradients are beside it, as ``NAME_backward``.
    """

    lines: tuple[str, ...]
    name: str


def source_of(implementation: Any) -> Source:
    """Return the source of a text that the command line takes, or of a Python object.

    Examples
    --------
    >>> source_of("mine.layers:conv2d")
    Source(lines=('from mine.layers import conv2d',), name='conv2d')
    """
    if isinstance(implementation, str):
        return _of_text(implementation)
    target = implementation if hasattr(implementation, "__qualname__") else type(implementation)
    name, module = target.__qualname__.partition(".")[0], target.__module__
    expression = name if target is implementation else f"{name}()"
    if inspect.ismodule(implementation):
        return Source((f"import {implementation.__name__}",), implementation.__name__)
    if module in ("__main__", "builtins") or "<" in target.__qualname__:
        return Source((f"# {expression} is the implementation under test",), expression)
    return Source((f"from {module} import {name}",), expression)


def _of_text(text: str) -> Source:
    if is_command(text):
        opening = "from refconv.implementations import SessionRunner, open_session"
        return Source((opening,), f"SessionRunner(open_session({text!r}))")
    where, _, name = text.rpartition(":")
    first, path = text.partition(":")[0], Path(where)
    if first in engines() or not name.isidentifier():
        return _loaded(text)
    if not where.endswith(".py"):
        return Source((f"from {where} import {name}",), name)
    if not path.stem.isidentifier():
        return _loaded(text)
    folder = str(path.resolve().parent)
    return Source(("import sys", "", f"sys.path.insert(0, {folder!r})", f"from {path.stem} import {name}"), name)


def _loaded(text: str) -> Source:
    return Source(
        ("from refconv.implementations import load_implementation", "", f"layer = load_implementation({text!r})"),
        "layer",
    )
