"""How a tensor may lie in memory, beside packed in C order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

POISON = 0xFF  # in every byte: NaN in all floating formats, -1 in signed integers


def poisoned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return an array whose every byte is poison.

    Examples
    --------
    >>> poisoned((2,), np.float32), poisoned((1,), np.int8)
    (array([nan, nan], dtype=float32), array([-1], dtype=int8))
    """
    array = np.empty(shape, dtype)
    array.reshape(-1).view(np.uint8).fill(POISON)
    return array


def _packed(tensor: Array) -> Array:
    return np.array(tensor, order="C")


def _fortran(tensor: Array) -> Array:
    return np.array(tensor, order="F")


def _channels_last(tensor: Array) -> Array:
    """Keep the order of the axes, and lay the second one innermost: NHWC in memory."""
    if tensor.ndim < 3:
        return _strided(tensor)
    return np.moveaxis(np.array(np.moveaxis(tensor, 1, -1), order="C"), -1, 1)


def _strided(tensor: Array) -> Array:
    """Take every second element of rows that are filled with poison in between."""
    wide = poisoned((*tensor.shape[:-1], 2 * tensor.shape[-1] + 1), tensor.dtype)
    view = wide[..., 1::2]
    view[...] = tensor
    return view


def _window(tensor: Array) -> Array:
    """Cut the tensor out of the middle of a larger one, so that it begins at an odd place and rows have gaps."""
    large = poisoned(tuple(length + 2 for length in tensor.shape), tensor.dtype)
    view = large[tuple(slice(1, 1 + length) for length in tensor.shape)]
    view[...] = tensor
    return view


def _reversed(tensor: Array) -> Array:
    """Lay the rows from right to left, so that the last stride is negative."""
    return np.array(tensor[..., ::-1], order="C")[..., ::-1]


def _channel_slice(tensor: Array) -> Array:
    """Take some of the channels of a larger tensor that lies channels-last: steps between pixels, and an offset."""
    if tensor.ndim < 3:
        return _window(tensor)
    rows = np.moveaxis(tensor, 1, -1)
    large = poisoned((*rows.shape[:-1], rows.shape[-1] + 3), tensor.dtype)
    large[..., 1:-2] = rows
    return np.moveaxis(large[..., 1:-2], -1, 1)


def _expanded(tensor: Array) -> Array:
    """Spread one element over the shape, with strides of zero: only where all elements are equal."""
    return np.ndarray(tensor.shape, tensor.dtype, np.array(tensor.flat[:1]), 0, (0,) * tensor.ndim)


def is_constant(tensor: Array) -> bool:
    """Tell whether one element, spread over the shape, is the tensor."""
    return tensor.size > 1 and bool(np.all(tensor == tensor.flat[0]))


ARRANGEMENTS: dict[str, Callable[[Array], Array]] = {
    "packed": _packed,
    "fortran": _fortran,
    "channels-last": _channels_last,
    "strided": _strided,
    "window": _window,
    "reversed": _reversed,
    "channel-slice": _channel_slice,
}


EXPANDED = "expanded"  # for tensors of equal elements only: the gradient of a sum is one


def arranged(tensor: Array, arrangement: str) -> Array:
    """Return a writable copy of a tensor that lies in memory as asked.

    Examples
    --------
    >>> arranged(np.ones((2, 3, 4, 5), np.float32), "strided").strides
    (528, 176, 44, 8)
    """
    if arrangement == EXPANDED:
        return _expanded(tensor) if is_constant(tensor) else _packed(tensor)
    return ARRANGEMENTS[arrangement](tensor)


def arrangement_of(tensor: Array) -> str:
    """Name the arrangement that is most like the memory of a tensor.

    Examples
    --------
    >>> arrangement_of(np.ones((2, 3, 4, 5))[..., ::-1]), arrangement_of(np.ones((2, 3, 4, 5))[..., ::2])
    ('reversed', 'strided')
    """
    if tensor.flags.c_contiguous or tensor.size == 0:
        return "packed"
    if tensor.flags.f_contiguous:
        return "fortran"
    if tensor.strides[-1] < 0:
        return "reversed"
    if tensor.ndim > 2 and np.moveaxis(tensor, 1, -1).flags.c_contiguous:
        return "channels-last"
    return "strided" if tensor.strides[-1] != tensor.itemsize else "window"


def memory_of(tensor: Array) -> bytes:
    """Return all bytes of the block that an arranged tensor lies in, its gaps included."""
    whole = tensor
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    return whole.tobytes(order="A")
