"""Memory that two processes share: tensors lie in a file that both have mapped, and travel by their place."""

from __future__ import annotations

import functools
import math
import mmap
import os
import tempfile
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.formats import get_format, name_of

Array = npt.NDArray[Any]

ALIGNMENT = 64  # bytes
SMALLEST = 2**20  # bytes; the file is sparse, so that what is not written costs nothing


class Place(NamedTuple):
    """Where a tensor lies in an arena."""

    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + dtype_named(self.dtype).itemsize * math.prod(self.shape)


class Arena:
    """A mapped file that grows; the one who makes it removes its name as soon as the other one has opened it.

    Examples
    --------
    >>> with Arena() as arena:
    ...     (place,) = arena.put([np.arange(6, dtype=np.int8).reshape(2, 3)])
    ...     arena.get(place).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """

    def __init__(self, path: str | None = None) -> None:
        if path is None:
            handle, path = tempfile.mkstemp(prefix="refconv-")
        else:
            handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self.path, self._handle = path, handle
        self._map: mmap.mmap | None = None
        self._reach(SMALLEST)

    def put(self, tensors: Iterable[Array], begin: int = 0) -> list[Place]:
        """Copy tensors into the arena, one behind the other, and tell where they lie."""
        packed = [np.ascontiguousarray(tensor).reshape(tensor.shape) for tensor in tensors]
        places, offset = [], begin
        for tensor in packed:
            offset = -(-offset // ALIGNMENT) * ALIGNMENT
            places.append(Place(name_of(tensor.dtype), tensor.shape, offset))
            offset = places[-1].end
        self._reach(offset)
        for tensor, place in zip(packed, places, strict=True):
            self._view(place)[...] = tensor
        return places

    def get(self, place: Place) -> Array:
        """Copy a tensor out of the arena.

        Raises
        ------
        ImplementationError
            If it does not lie within the file.
        """
        outside = place.end > len(self._map or b"") and place.end > os.fstat(self._handle).st_size
        if place.offset < 0 or min(place.shape, default=0) < 0 or outside:
            raise ImplementationError(f"a result must lie within the memory that is shared, got {place}.")
        self._reach(place.end)
        return self._view(place).copy()

    def forget_name(self) -> None:
        """Remove the file's name, so that nothing is left behind whatever happens; where the system allows it."""
        if os.name == "posix" and os.path.exists(self.path):
            os.unlink(self.path)

    def close(self) -> None:
        """Give the memory back and remove the file."""
        if self._map is None:
            return
        self._map.close()
        os.close(self._handle)
        self._map = None
        if os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _reach(self, size: int) -> None:
        """Map at least so many bytes, and make the file longer if it is shorter."""
        if self._map is not None and len(self._map) >= size:
            return
        stands = os.fstat(self._handle).st_size
        if stands < size:
            stands = max(size, 2 * stands, SMALLEST)
            os.truncate(self._handle, stands)
        if self._map is not None:
            self._map.close()
        self._map = mmap.mmap(self._handle, stands)

    def _view(self, place: Place) -> Array:
        assert self._map is not None
        count, dtype = math.prod(place.shape), dtype_named(place.dtype)
        if count == 0:
            return np.empty(place.shape, dtype)
        return np.frombuffer(self._map, dtype, count, place.offset).reshape(place.shape)


@functools.cache
def dtype_named(name: str) -> np.dtype[Any]:
    """Return the dtype of a name of NumPy's or ml_dtypes'.

    Examples
    --------
    >>> dtype_named("bfloat16").itemsize, dtype_named("int32").itemsize
    (2, 4)
    """
    try:
        return get_format(name).dtype
    except ValueError:
        return np.dtype(name)
