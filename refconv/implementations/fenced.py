"""Memory between fences: bytes of a known pattern on both sides, and pages behind them that nobody may touch."""

from __future__ import annotations

import ctypes
import mmap
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

PAGE = mmap.PAGESIZE
ALIGNMENT = 64
NEAR = 64  # bytes: what lies between the memory and a forbidden page is at least this, and is compared
FAR = 2**16  # bytes on each side where there are no forbidden pages
FENCE = 0xFF  # in every byte, so that a float that is read there is NaN

_NONE, _READ, _WRITE = 0, 1, 2  # PROT_... of POSIX


class Fenced:
    """A block of memory, aligned to 64 bytes, whose surroundings are watched.

    Parameters
    ----------
    nbytes : int
    pages : bool
        Put a page that may not be touched before and behind the fences, where the system can: what goes
        further astray than the fences ends the process at once.

    Attributes
    ----------
    content : numpy.ndarray of uint8
        The memory itself.

    Examples
    --------
    >>> block = Fenced(12, pages=False)
    >>> block.content[:] = 0
    >>> block.trespass() is None
    True
    """

    def __init__(self, nbytes: int, pages: bool = True) -> None:
        self.nbytes, self.pages = nbytes, pages and _mprotect is not None
        edge = PAGE if self.pages else 0
        fence = NEAR if self.pages else FAR
        inner = _up(nbytes, ALIGNMENT) + fence
        self._span = _up(inner + fence, PAGE)
        self._map = mmap.mmap(-1, self._span + 2 * edge)  # zero pages are never shared with anybody
        self._whole: Bytes = np.frombuffer(self._map, np.uint8)[edge : edge + self._span]
        self._begin = self._span - inner  # as near to the end as the alignment and the fence allow
        self.content = self._whole[self._begin : self._begin + nbytes]
        self._whole[:] = FENCE
        if self.pages:
            base = self._whole.ctypes.data
            _protect(base - PAGE, PAGE, _NONE)
            _protect(base + self._span, PAGE, _NONE)

    @property
    def address(self) -> int:
        """Where the memory begins."""
        return int(self._whole.ctypes.data) + self._begin

    def allow_writes(self, allowed: bool) -> None:
        """Make the memory and its fences read-only, or writable again; nothing happens where the system cannot."""
        if self.pages:
            _protect(int(self._whole.ctypes.data), self._span, _READ | (_WRITE if allowed else 0))

    def trespass(self) -> tuple[int, str] | None:
        """Tell how far the fences were broken: (bytes, "past the end" or "before the beginning")."""
        behind = np.flatnonzero(self._whole[self._begin + self.nbytes :] != FENCE)
        if len(behind):
            return int(behind[-1]) + 1, "past the end"
        ahead = np.flatnonzero(self._whole[: self._begin] != FENCE)
        return (self._begin - int(ahead[0]), "before the beginning") if len(ahead) else None


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


def _find_mprotect() -> Any:
    if sys.platform == "win32":
        return None
    try:
        function = ctypes.CDLL(None, use_errno=True).mprotect
    except (OSError, AttributeError):
        return None
    function.argtypes, function.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int], ctypes.c_int
    return function


_mprotect = _find_mprotect()


def _protect(address: int, nbytes: int, how: int) -> None:
    if _mprotect(address, nbytes, how) != 0:
        raise OSError(ctypes.get_errno(), "mprotect failed")
