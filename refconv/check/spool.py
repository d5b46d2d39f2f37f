"""Where many things lie: the first few in memory, else all in a temporary file, so that memory does not grow."""

from __future__ import annotations

import pickle
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from refconv.errors import ReportError

Item = TypeVar("Item")

KEPT = 2**13  # that stay in memory: some 10 MiB of outcomes that passed


def kept(items: Iterable[Item], most: int | None = None) -> Sequence[Item]:
    """Return items as a tuple, or as what reads them from a file, if they are more than ``KEPT``.

    Raises
    ------
    ReportError
        If there is no room for the file.

    Examples
    --------
    >>> kept("abc")
    ('a', 'b', 'c')
    >>> many = kept("abcd", most=3)
    >>> many[-1], len(many), "".join(many), "".join(many[::2]), "".join(taken(many, [2, 0]))
    ('d', 4, 'abcd', 'ac', 'ca')
    """
    most = KEPT if most is None else most
    few: list[Item] = []
    spool: _Spool | None = None
    for item in items:
        few.append(item)
        if len(few) > most or spool:
            spool = spool or _Spool()
            spool.write(few)
            few.clear()
    return tuple(few) if spool is None else Spooled(spool, np.arange(len(spool)))


def taken(items: Sequence[Item], numbers: Any) -> Sequence[Item]:
    """Return some of the items, by their numbers: a tuple, unless they lie in a file."""
    if isinstance(items, Spooled):
        return items.taken(numbers)
    return tuple(items[int(number)] for number in numbers)


class Spooled(Sequence[Item]):
    """Items in a file that goes when nobody reads it any more; each is read when it is asked for."""

    def __init__(self, spool: _Spool, numbers: Any) -> None:
        self._spool, self._numbers = spool, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        """Read one, or choose some."""
        if isinstance(index, slice):
            return Spooled(self._spool, self._numbers[index])
        found: Item = self._spool.read(int(self._numbers[index]))
        return found

    def taken(self, numbers: Any) -> Spooled[Item]:
        """Choose some by their numbers."""
        return Spooled(self._spool, self._numbers[np.asarray(numbers, dtype=np.int64)])


class _Spool:
    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="refconv-")  # noqa: SIM115 - it is closed when this object goes
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def write(self, items: Iterable[Any]) -> None:
        for item in items:
            record = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
            try:
                self._file.write(record)
                self._file.flush()  # so that it is here that there is no room
            except OSError as error:
                raise ReportError(
                    f"{tempfile.gettempdir()} must have room for the outcomes of a long run: "
                    f"{error.strerror or error}; TMPDIR names another folder."
                ) from error
            self._ends.append(self._ends[-1] + len(record))

    def read(self, number: int) -> Any:
        begin, end = self._ends[number], self._ends[number + 1]
        self._file.seek(begin)
        return pickle.loads(self._file.read(end - begin))
