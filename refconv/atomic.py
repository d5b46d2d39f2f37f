"""A file is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(target: Path, content: bytes) -> None:
    """Write a file beside the target, then let it take the target's place in one step.

    Raises
    ------
    OSError
        If it cannot be written; what stood there before is unharmed.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
