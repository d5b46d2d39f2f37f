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
    """Deal integers 0 <= value < bound such that each occurs equally often, to within one.

    The tensor's elements are put in the order of their bits and numbered; so they are pairwise distinct
    if there are at most ``bound`` of them.
    """
    order = np.argsort(bits(key, shape).ravel(), kind="stable")
    dealt = np.empty(len(order), dtype=np.int64)
    dealt[order] = np.arange(len(order)) % bound
    return dealt.reshape(shape)
