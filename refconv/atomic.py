"""A file is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def replace_file(target: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file beside the target, then let it take the target's place in one step.

    Parameters
    ----------
    target : path
    content : bytes, or an iterable of bytes
        In parts, it need not be in memory as a whole.

    Raises
    ------
    OSError
        If it cannot be written; what stood there before is unharmed.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
