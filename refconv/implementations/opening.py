"""From what a user types, or holds in his hands, to a session."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from refconv.errors import ImplementationError
from refconv.implementations.callables import as_runner
from refconv.implementations.command import Command, is_command
from refconv.implementations.in_process import InProcess
from refconv.implementations.isolated import TIMEOUT, Isolated
from refconv.implementations.loading import load_implementation
from refconv.implementations.session import Session


def open_session(
    implementation: Any, isolate: bool = True, timeout: float = TIMEOUT, memory_limit: int | None = None,
    threads: int | None = None,
) -> Session:  # fmt: skip
    """Start an implementation.

    Parameters
    ----------
    implementation : str or object
        As :func:`load_implementation` or :func:`as_runner` take it, or a command behind two dashes,
        ``"-- ./harness --flag"``, which always has a process of its own.
    isolate : bool
        Whether it runs in a process of its own.
    timeout : float
        Seconds for one call; in this process nothing can be stopped.
    memory_limit : int, optional
        Bytes of address space of its process.
    threads : int, optional
        Of the numerical libraries in its process.

    Raises
    ------
    ImplementationError
        If it cannot be found or started, or is an object that another process cannot import.

    Examples
    --------
    >>> with open_session("im2col") as session:
    ...     session.name
    'im2col'
    """
    if isinstance(implementation, str) and is_command(implementation):
        return Command.from_text(implementation, timeout)
    if not isolate:
        if isinstance(implementation, str):
            return InProcess(load_implementation(implementation), lambda: load_implementation(implementation))
        return InProcess(as_runner(implementation))
    text = implementation if isinstance(implementation, str) else address_of(implementation)
    return Isolated(text, timeout, memory_limit, threads)


def address_of(implementation: Any) -> str:
    """Return the text by which another process finds an object: ``package.module:name`` or ``path.py:name``.

    Raises
    ------
    ImplementationError
        If it is not the object of that name in its module.

    Examples
    --------
    >>> import refconv
    >>> address_of(refconv.conv2d)
    'refconv.functional.images:conv2d'
    """
    name, module = getattr(implementation, "__qualname__", ""), getattr(implementation, "__module__", "")
    if getattr(sys.modules.get(module), name, None) is not implementation:
        raise ImplementationError(
            f"an isolated implementation must be something that another process can import, got {implementation!r}: "
            "give its address, such as package.module:name."
        )
    path = getattr(sys.modules[module], "__file__", None)
    return f"{Path(path).resolve()}:{name}" if module == "__main__" and path else f"{module}:{name}"
