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
from refconv.problem import ConvProblem, Size, TransposedProblem
from refconv.reference import direct, im2col, sparse, transposed

Array = Any
METHODS: dict[str, ModuleType] = {"direct": direct, "sparse": sparse, "im2col": im2col}


class Gradients(NamedTuple):
    """The gradients of a loss, each in the shape of its tensor: that of x, of weight, and (K,)."""

    input: Array
    weight: Array
    bias: Array


class How(NamedTuple):
    """The number of spatial axes of a convolution, and the keywords of a call."""

    axes: int
    stride: Any
    padding: Any
    dilation: Any
    groups: int
    padding_mode: str
    method: str

    def problem(self, x_shape: Size, weight_shape: Size) -> ConvProblem:
        """Read the call."""
        _check_axes(x_shape, weight_shape, self.axes, "(K, C/G, {})")
        problem = ConvProblem.from_shapes(
            x_shape, weight_shape, self.stride, self.padding, self.dilation, self.groups
        )  # fmt: skip
        check_mode(self.padding_mode, problem)
        return problem

    def reference(self) -> Any:
        """Choose the reference."""
        module = METHODS[_checked(self.method)]
        return module if self.padding_mode == "zeros" else Bordered(module, self.padding_mode)


class TransposedHow(NamedTuple):
    """The number of spatial axes of a transposed convolution, and the keywords of a call."""

    axes: int
    stride: Any
    padding: Any
    output_padding: Any
    groups: int
    dilation: Any
    method: str

    def problem(self, x_shape: Size, weight_shape: Size) -> TransposedProblem:
        """Read the call."""
        _check_axes(x_shape, weight_shape, self.axes, "(C, K/G, {})")
        return TransposedProblem.from_shapes(
            x_shape, weight_shape, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )

    def reference(self) -> Any:
        """Choose the reference."""
        return getattr(transposed, _checked(self.method))


def forward(x: Array, weight: Array, bias: Array | None, how: How | TransposedHow) -> Array:
    """Compute y by a reference."""
    x, weight = _as_array(x), _as_array(weight)
    problem, using = how.problem(x.shape, weight.shape), _narrowing(how.reference(), x)
    return using.forward(x, weight, None if bias is None else _as_array(bias), problem)


def backward(grad_output: Array, x: Array, weight: Array, how: How | TransposedHow) -> Gradients:
    """Compute the three gradients by a reference."""
    grad_output, x, weight = _as_array(grad_output), _as_array(x), _as_array(weight)
    problem, using = how.problem(x.shape, weight.shape), _narrowing(how.reference(), x)
    return Gradients(
        using.grad_input(grad_output, weight, problem),
        using.grad_weight(x, grad_output, problem),
        using.grad_bias(grad_output, problem),
    )


def exactly(
    x: Array, weight: Array, bias: Array | None, how: How | TransposedHow, out_format: str, overflow: str | None
) -> npt.NDArray[Any]:
    """Compute the exact y, rounded once."""
    x, weight = np.asarray(x), np.asarray(weight)
    problem, using = how.problem(x.shape, weight.shape), how.reference()
    return exact.forward(x, weight, bias, problem, out_format, using=using, overflow=overflow)


def _check_axes(x_shape: Size, weight_shape: Size, axes: int, weight: str) -> None:
    if not len(x_shape) == len(weight_shape) == axes + 2:
        letters = "DHW"[-axes:]
        kernel = weight.format(", ".join("k" + letter for letter in letters))
        raise GeometryError(
            f"x must be (N, C, {', '.join(letters)}) and weight {kernel}, got x.shape={tuple(x_shape)}, "
            f"weight.shape={tuple(weight_shape)}."
        )


def _as_array(tensor: Any) -> Any:
    """Take an array of any library, and NumPy's in the byte order of this machine."""
    if not hasattr(tensor, "shape") or not hasattr(tensor, "dtype"):
        tensor = np.asarray(tensor)
    foreign = isinstance(tensor, np.ndarray) and not tensor.dtype.isnative
    return tensor.astype(tensor.dtype.newbyteorder()) if foreign else tensor


def _checked(method: str) -> str:
    if method not in METHODS:
        raise CatalogueError(f"method must be one of {', '.join(METHODS)}, got {method!r}.")
    return method


def _narrowing(reference: Any, x: Array) -> Any:
    """Return the reference; for narrow NumPy formats made to compute in their accumulator."""
    element = FORMATS.get(x.dtype.name) if isinstance(x, np.ndarray) else None
    return reference if element is None or element.accumulator == element.name else Reference(reference)
