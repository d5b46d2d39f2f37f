"""Tensors as hexadecimal words: one per element, its bits as an unsigned number of fixed width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def to_words(tensor: Array) -> list[str]:
    """Return the bits of the elements in C order.

    Examples
    --------
    >>> to_words(np.array([1, -2], np.float32)), to_words(np.array([-1], np.int8))
    (['3f800000', 'c0000000'], ['ff'])
    """
    size = tensor.dtype.itemsize
    bits = np.ascontiguousarray(tensor).reshape(-1).view(f"u{size}")
    return [f"{word:0{2 * size}x}" for word in bits.tolist()]


def from_words(words: Sequence[str], dtype: np.dtype[Any]) -> Array:
    """Return the one-dimensional tensor that words hold.

    Raises
    ------
    ValueError
        If a word is not hexadecimal, or not one of that width.

    Examples
    --------
    >>> from_words(["3f800000"], np.dtype(np.float32))
    array([1.], dtype=float32)
    """
    digits = 2 * dtype.itemsize
    for word in words:
        if len(word) != digits or not set(word) <= set("0123456789abcdefABCDEF"):
            raise ValueError(f"a word of {dtype.name} must have {digits} hexadecimal digits, got {word[:40]!r}")
    return np.array([int(word, 16) for word in words], f"u{dtype.itemsize}").view(dtype)
