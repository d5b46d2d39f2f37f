"""The bit stream: SHAKE-256 keyed by a name, and integer operations only from there on.

No random generator of a library, no libm: the same name gives the same bits on every machine and in
every version (FIPS 202 defines SHAKE-256).
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]


def bits(key: str, shape: tuple[int, ...]) -> UInt64s:
    """Draw 64 bits for every element of a shape.

    Parameters
    ----------
    key : str
        For vectors ``"<case id>/<tensor>"``.
    shape : tuple of int

    Examples
    --------
    >>> print(hex(bits("a/x", (2,))[0]))
    0xcf694fd1d68cfa0d
    """
    count = math.prod(shape)
    stream = hashlib.shake_256(f"refconv/1/{key}".encode()).digest(8 * count)
    return np.frombuffer(stream, dtype="<u8").astype(np.uint64).reshape(shape)


def below(key: str, shape: tuple[int, ...], bound: int) -> Int64s:
    """Draw integers 0 <= value < bound; bound is small beside 2**48, which bounds the bias to bound / 2**48."""
    return ((bits(key, shape) >> np.uint64(16)) % np.uint64(bound)).astype(np.int64)


def spread(key: str, shape: tuple[int, ...], bound: int) -> Int64s:
    """Deal integers 0 <= value < bound as evenly as can be, in an order that the bits decide.

    With fewer elements than values, every element gets a stretch of the range to itself and draws from
    it, so that all are distinct and reach from end to end; with more, every value occurs equally often, to
    within one.
    """
    drawn = bits(key, shape).ravel()
    rank = np.empty(len(drawn), dtype=np.int64)
    rank[np.argsort(drawn, kind="stable")] = np.arange(len(drawn))
    if len(drawn) > bound:
        return (rank % bound).reshape(shape)
    count = max(1, len(drawn))
    edges = np.array([-(-place * bound // count) for place in range(count + 1)], dtype=np.int64)
    stretch = np.diff(edges)[rank]
    jitter = bits(f"{key}/jitter", shape).ravel() % stretch.astype(np.uint64)
    return (edges[rank] + jitter.astype(np.int64)).reshape(shape)
