"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the system says so where there is no room


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
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("xb") as file:  # a link that somebody has put there is not followed
            file.writelines([content] if isinstance(content, bytes) else content)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
