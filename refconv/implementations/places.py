"""Where in the code of a user an exception was raised."""

from __future__ import annotations

import os
import sysconfig
import traceback
from pathlib import Path

OURS = (str(Path(__file__).parents[1]), *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")))
INSTALLED = {"site-packages", "dist-packages"}


def place_of(error: BaseException) -> str:
    """Return `` at FILE:LINE`` for the innermost frame in a file of the user, or nothing if there is none.

    Files of Python, of installed packages and of refconv are not the user's.

    Examples
    --------
    >>> place_of(ValueError("never raised"))
    ''
    """
    frames = traceback.extract_tb(error.__traceback__, limit=None)
    own = [frame for frame in frames if _is_users(frame.filename)]
    return f" at {os.path.basename(own[-1].filename)}:{own[-1].lineno}" if own else ""


def _is_users(filename: str) -> bool:
    path = Path(filename).absolute()
    return not (filename.startswith("<") or INSTALLED & set(path.parts) or any(map(path.is_relative_to, OURS)))


def told(error: BaseException, before: str = "", after: str = "") -> str:
    """Say which exception it was, where, and what it says.

    Examples
    --------
    >>> told(ValueError("no."), "raised ", " on a legal problem"), told(AssertionError())
    ('raised ValueError on a legal problem: no.', 'AssertionError')
    """
    return f"{before}{type(error).__name__}{place_of(error)}{after}: {error}".rstrip(": ")
