"""Where the arrays of the exact engine live: in main memory, or on a device.

What follows speaks to all of them in NumPy's words.  NumPy hands those on to arrays of other libraries, CuPy's among
them, which answer with arrays of their own (NEP 13, 18 and 35: ``__array_ufunc__``, ``__array_function__``, ``like=``).
So the engine computes where its tensors are, and carries from there only what would be read or rounded wrongly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.formats import NumberFormat

AT_ONCE = 2**25  # elements that a device is given at a time: enough for all of its cores, and bounded


def is_elsewhere(tensor: Any) -> bool:
    """Tell whether a tensor is an array of a library other than NumPy that understands NumPy's words."""
    return hasattr(type(tensor), "__array_function__") and not isinstance(tensor, np.ndarray)


def in_place(tensor: Any) -> Any:
    """Return an array: NumPy's, unless the tensor is one elsewhere already.

    Examples
    --------
    >>> in_place([1.0, 2.0])
    array([1., 2.])
    """
    return tensor if is_elsewhere(tensor) else np.asarray(tensor)


def fetched(tensor: Any) -> Any:
    """Return an array in main memory, wherever it was."""
    return tensor.get() if is_elsewhere(tensor) else tensor


def at_once(tensor: Any, cached: int) -> int:
    """Return how many elements to work on at a time: as many as a cache holds, or a device keeps busy with."""
    return AT_ONCE if is_elsewhere(tensor) else cached


def held(tensor: Any, out: NumberFormat, low: int) -> Any:
    """Return multiples of 2**low where they can be rounded to a format: narrow ones in main memory alone.

    Devices lack bfloat16 and float8, CuPy rounds to float16 by way of float32, and it takes subnormal numbers of
    float32 for zeros.
    """
    rounds_there = out.is_integer or out.name == "float64" or (out.name == "float32" and low >= out.min_exponent)
    return tensor if rounds_there else fetched(tensor)


def readable(tensor: Any) -> Any:
    """Return a tensor of float32 as float64 if it has subnormal numbers and is elsewhere, where they count as zeros."""
    if not is_elsewhere(tensor) or tensor.dtype != np.float32:
        return tensor
    magnitude = tensor.view(np.uint32) & np.uint32(0x7FFFFFFF)
    if not (magnitude - np.uint32(1) < np.uint32(0x007FFFFF)).any():  # from 1, for 0 becomes the largest
        return tensor
    return np.asarray(fetched(tensor).astype(np.float64), like=tensor)
