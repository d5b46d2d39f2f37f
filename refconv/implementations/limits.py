"""How an engine says, in one sentence, what it does not offer."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.problem import ConvProblem

Array = npt.NDArray[Any]


def require(offered: object, reason: str) -> None:
    """Raise NotImplementedError with the reason unless it is offered."""
    if not offered:
        raise NotImplementedError(reason)


def require_formats(engine: str, formats: Container[str], *tensors: Array | None) -> None:
    """Demand that all tensors have one and the same dtype, one of those that an engine convolves.

    Raises
    ------
    NotImplementedError

    Examples
    --------
    >>> require_formats("an engine", ("float32",), np.zeros(2, np.int8))
    Traceback (most recent call last):
        ...
    NotImplementedError: an engine has no int8 convolution.
    """
    names = list(dict.fromkeys(tensor.dtype.name for tensor in tensors if tensor is not None))
    require(len(names) == 1, f"{engine} has no convolution of {' with '.join(names)}.")
    require(names[0] in formats, f"{engine} has no {names[0]} convolution.")


def zero_padded(x: Array, problem: ConvProblem) -> Array:
    """Pad and crop an image before the call, as users do where an engine cannot; shape (N, C, H + pads, W + pads)."""
    kept = (slice(max(0, -begin), length - max(0, -end))
            for length, (begin, end) in zip(problem.input_size, problem.padding, strict=True))  # fmt: skip
    added = [(max(0, begin), max(0, end)) for begin, end in problem.padding]
    return np.pad(x[:, :, *kept], ((0, 0), (0, 0), *added))


def leftovers(problem: ConvProblem) -> tuple[int, ...]:
    """Count the trailing rows and columns of the padded input that no window reaches, in elements.

    A transposed convolution needs them, as its ``output_padding``, to return the whole grad_input.

    Examples
    --------
    >>> leftovers(ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(6, 7), kernel_size=(3, 3),
    ...                       stride=(2, 2)))
    (1, 0)
    """
    axes = zip(problem.input_size, problem.kernel_size, problem.stride, problem.dilation, problem.padding, strict=True)
    return tuple(
        (length + sum(pads) - dilation * (kernel - 1) - 1) % stride for length, kernel, stride, dilation, pads in axes
    )
