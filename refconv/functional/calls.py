"""What all the functions of this room do: read the call, choose the reference, compute."""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv import exact
from refconv.errors import CatalogueError, GeometryError
from refconv.formats import FORMATS
from refconv.functional.borders import Bordered, check_mode
from refconv.implementations.references import Reference
from refconv.problem import ConvProblem
from refconv.reference import direct, im2col, sparse

Array = Any
METHODS: dict[str, ModuleType] = {"direct": direct, "sparse": sparse, "im2col": im2col}
SHAPES = {1: ("(N, C, W)", "(K, C/G, kW)"), 2: ("(N, C, H, W)", "(K, C/G, kH, kW)"),
          3: ("(N, C, D, H, W)", "(K, C/G, kD, kH, kW)")}  # fmt: skip


class Gradients(NamedTuple):
    """The gradients of a loss, each in the shape of its tensor: that of x, of weight, and (K,)."""

    input: Array
    weight: Array
    bias: Array


class How(NamedTuple):
    """The number of spatial axes of a function, and the keywords of a call."""

    axes: int
    stride: Any
    padding: Any
    dilation: Any
    groups: int
    padding_mode: str
    method: str


def forward(x: Array, weight: Array, bias: Array | None, how: How) -> Array:
    """Compute y by a reference."""
    x, weight = _as_array(x), _as_array(weight)
    problem, using = _problem(x, weight, how), _narrowing(_reference(how), x)
    return using.forward(x, weight, None if bias is None else _as_array(bias), problem)


def backward(grad_output: Array, x: Array, weight: Array, how: How) -> Gradients:
    """Compute the three gradients by a reference."""
    grad_output, x, weight = _as_array(grad_output), _as_array(x), _as_array(weight)
    problem, using = _problem(x, weight, how), _narrowing(_reference(how), x)
    return Gradients(
        using.grad_input(grad_output, weight, problem),
        using.grad_weight(x, grad_output, problem),
        using.grad_bias(grad_output, problem),
    )


def exactly(
    x: Array, weight: Array, bias: Array | None, how: How, out_format: str, overflow: str | None
) -> npt.NDArray[Any]:
    """Compute the exact y, rounded once."""
    x, weight = np.asarray(x), np.asarray(weight)
    problem, using = _problem(x, weight, how), _reference(how)
    return exact.forward(x, weight, bias, problem, out_format, using=using, overflow=overflow)


def _problem(x: Array, weight: Array, how: How) -> ConvProblem:
    if not len(x.shape) == len(weight.shape) == how.axes + 2:
        of_x, of_weight = SHAPES[how.axes]
        raise GeometryError(
            f"x must be {of_x} and weight {of_weight}, got x.shape={tuple(x.shape)}, "
            f"weight.shape={tuple(weight.shape)}."
        )
    problem = ConvProblem.from_shapes(x.shape, weight.shape, how.stride, how.padding, how.dilation, how.groups)
    check_mode(how.padding_mode, problem)
    return problem


def _as_array(tensor: Any) -> Any:
    return tensor if hasattr(tensor, "shape") and hasattr(tensor, "dtype") else np.asarray(tensor)


def _reference(how: How) -> Any:
    if how.method not in METHODS:
        raise CatalogueError(f"method must be one of {', '.join(METHODS)}, got {how.method!r}.")
    module = METHODS[how.method]
    return module if how.padding_mode == "zeros" else Bordered(module, how.padding_mode)


def _narrowing(reference: Any, x: Array) -> Any:
    """Return the reference; for narrow NumPy formats made to compute in their accumulator."""
    element = FORMATS.get(x.dtype.name) if isinstance(x, np.ndarray) else None
    return reference if element is None or element.accumulator == element.name else Reference(reference)
