"""The structs of ``refconv_impl.h`` for ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, c_float, c_int32, c_int64, c_uint32, c_void_p
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from refconv.problem import ConvProblem
from refconv.quantization import Quantization

VERSION = 1
MAX_AXES = 3
OK, UNSUPPORTED, REJECTED, ERROR = range(4)
OVERFLOWS = {None: 0, "infinity": 1, "saturate": 2, "nan": 3}
DTYPES = {
    "float64": 1, "float32": 2, "float16": 3, "bfloat16": 4, "float8_e4m3fn": 5, "float8_e5m2": 6,
    "int8": 7, "uint8": 8, "int32": 9,
}  # fmt: skip

Axes = c_int64 * MAX_AXES


class Tensor(ctypes.Structure):
    """``refconv_tensor``."""

    _fields_ = [
        ("size", c_uint32), ("dtype", c_int32), ("ndim", c_int32), ("reserved", c_int32),
        ("shape", c_int64 * (MAX_AXES + 2)), ("data", c_void_p),
    ]  # fmt: skip


class Problem(ctypes.Structure):
    """``refconv_problem``."""

    _fields_ = [
        ("size", c_uint32), ("axes", c_int32), ("overflow", c_int32), ("reserved", c_int32),
        ("batch", c_int64), ("in_channels", c_int64), ("out_channels", c_int64), ("groups", c_int64),
        ("input_size", Axes), ("kernel_size", Axes), ("output_size", Axes), ("stride", Axes), ("dilation", Axes),
        ("padding_begin", Axes), ("padding_end", Axes),
    ]  # fmt: skip


class Quantized(ctypes.Structure):
    """``refconv_quantization``."""

    _fields_ = [
        ("size", c_uint32), ("weight_count", c_int32),
        ("weight_scale", POINTER(c_float)), ("weight_zero_point", POINTER(c_int32)),
        ("x_scale", c_float), ("y_scale", c_float), ("x_zero_point", c_int32), ("y_zero_point", c_int32),
    ]  # fmt: skip


def include_dir() -> Path:
    """Return the folder that holds ``refconv_impl.h``, for ``cc -I``.

    Examples
    --------
    >>> (include_dir() / "refconv_impl.h").is_file()
    True
    """
    return Path(str(resources.files("refconv.implementations")))


def problem_struct(problem: ConvProblem, overflow: str | None = None) -> Problem:
    """Describe a problem.

    Examples
    --------
    >>> struct = problem_struct(ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 4),
    ...                                     kernel_size=(3, 2), padding=((1, 0), (2, 1))))
    >>> list(struct.output_size), list(struct.padding_begin)
    ([4, 6, 1], [1, 2, 0])
    """
    axes = {name: _axes(getattr(problem, name), 1)
            for name in ("input_size", "kernel_size", "output_size", "stride", "dilation")}  # fmt: skip
    return Problem(
        size=ctypes.sizeof(Problem), axes=len(problem.input_size), overflow=OVERFLOWS[overflow],
        batch=problem.batch, in_channels=problem.in_channels, out_channels=problem.out_channels,
        groups=problem.groups, **axes, padding_begin=_axes([begin for begin, _ in problem.padding], 0),
        padding_end=_axes([end for _, end in problem.padding], 0),
    )  # fmt: skip


def tensor_struct(dtype: np.dtype[Any], shape: Sequence[int], address: int) -> Tensor:
    """Describe a packed tensor at some address."""
    lengths = [*shape, *[1] * (MAX_AXES + 2 - len(shape))]
    return Tensor(ctypes.sizeof(Tensor), DTYPES[dtype.name], len(shape), 0, (c_int64 * len(lengths))(*lengths), address)


def quantization_struct(quantization: Quantization) -> Quantized:
    """Describe the scales and zero points of a quantised layer; the struct keeps its arrays alive."""
    scales, zeros = zip(*quantization.weight_pairs, strict=True)
    count = len(scales)
    return Quantized(
        ctypes.sizeof(Quantized), count, (c_float * count)(*scales), (c_int32 * count)(*zeros),
        quantization.x_scale, quantization.y_scale, quantization.x_zero_point, quantization.y_zero_point,
    )  # fmt: skip


def _axes(values: Sequence[int], filler: int) -> Any:
    return Axes(*values, *[filler] * (MAX_AXES - len(values)))
