"""The rows of the tables in C: structs of refconv_impl.h and refconv_vector.h, by position, as C++17 wants them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

from refconv.export.c_literals import scalar
from refconv.export.prompts import Prompt
from refconv.implementations.abi import MAX_AXES, OVERFLOWS
from refconv.problem import Problem
from refconv.quantization import Quantization

Array = npt.NDArray[Any]
PLACES = 3
ABSENT = "{sizeof(refconv_tensor),0,0,0,{1,1,1,1,1},NULL}"


def vector_row(prompt: Prompt, inputs: list[str], quantization: str, goldens: str) -> str:
    """Return the row of one operation.

    Parameters
    ----------
    prompt : Prompt
    inputs : list of str
        The rows of its tensors.
    quantization, goldens : str
        An address and the name of a table, or NULL.
    """
    count = 0 if goldens == "NULL" else len(prompt.expected)
    tensors = ",\n   ".join([*inputs, *[ABSENT] * (PLACES - len(inputs))])
    return (
        f' {{"{prompt.case.id}",REFCONV_{prompt.operation.upper()},{int(prompt.may_refuse)},\n'
        f"  {_problem(prompt.case.problem, prompt.overflow)},\n  {quantization},\n  {{{tensors}}},\n"
        f"  {tensor_row(prompt.first.tensor, 'NULL')},{count},{goldens}}}"
    )


def tensor_row(tensor: Array, data: str) -> str:
    """Return a ``refconv_tensor``.

    Examples
    --------
    >>> import numpy as np
    >>> tensor_row(np.zeros((2, 3), np.int8), "x")
    '{sizeof(refconv_tensor),REFCONV_INT8,2,0,{2,3,1,1,1},(void *)x}'
    """
    name, shape = tensor.dtype.name.upper(), _axes(tensor.shape, 1, MAX_AXES + 2)
    address = data if data == "NULL" else f"(void *){data}"
    return f"{{sizeof(refconv_tensor),REFCONV_{name},{tensor.ndim},0,{shape},{address}}}"


def quantization_rows(name: str, q: Quantization) -> list[str]:
    """Return the lines that define a ``refconv_quantization`` and its arrays."""
    scales, zeros = zip(*q.weight_pairs, strict=True)
    count = len(scales)
    numbers = (scalar(q.x_scale), scalar(q.y_scale), q.x_zero_point, q.y_zero_point)
    return [
        f"static const float {name}_scale[{count}] = {{{_list(map(scalar, scales))}}};",
        f"static const int32_t {name}_zero[{count}] = {{{_list(zeros)}}};",
        f"static const refconv_quantization {name} = "
        f"{{sizeof(refconv_quantization),{count},{name}_scale,{name}_zero,{_list(numbers)}}};",
    ]


def _problem(problem: Problem, overflow: str | None) -> str:
    begins, ends = zip(*problem.padding, strict=True)
    sizes = (problem.input_size, problem.kernel_size, problem.output_size, problem.stride, problem.dilation)
    fields = [
        "sizeof(refconv_problem)", len(problem.input_size), OVERFLOWS[overflow], 0,
        problem.batch, problem.in_channels, problem.out_channels, problem.groups,
        *(_axes(size, 1, MAX_AXES) for size in sizes), _axes(begins, 0, MAX_AXES), _axes(ends, 0, MAX_AXES),
    ]  # fmt: skip
    return f"{{{_list(fields)}}}"


def _axes(values: Sequence[int], filler: int, places: int) -> str:
    return f"{{{_list([*values, *[filler] * (places - len(values))])}}}"


def _list(values: Iterable[object]) -> str:
    return ",".join(map(str, values))
