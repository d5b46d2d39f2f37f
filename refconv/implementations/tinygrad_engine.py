"""tinygrad: ``Tensor.conv2d`` and its ``backward``, on the default device."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.implementations.limits import require_formats
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
FORMATS = ("float64", "float32", "float16", "bfloat16")


class TinygradEngine:
    """Padding is handed over as (left, right, top, bottom)."""

    name = "tinygrad"

    def __init__(self) -> None:
        from importlib.metadata import version

        import tinygrad

        self.tensor: Any = tinygrad.Tensor
        self.dtypes: Any = tinygrad.dtypes
        self.version = f"tinygrad {version('tinygrad')} on {tinygrad.Device.DEFAULT}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        offset = None if bias is None else self._tensor(bias)
        return self._array(_convolve(self._tensor(x), self._tensor(weight), offset, problem), x)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input."""
        x = self._tensor(np.zeros(problem.x_shape, grad_output.dtype))
        return self._gradient(_convolve(x, self._tensor(weight), None, problem), x, grad_output)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        weight = self._tensor(np.zeros(problem.weight_shape, grad_output.dtype))
        return self._gradient(_convolve(self._tensor(x), weight, None, problem), weight, grad_output)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias."""
        shapes = (problem.x_shape, problem.weight_shape, problem.bias_shape)
        x, weight, bias = (self._tensor(np.zeros(shape, grad_output.dtype)) for shape in shapes)
        return self._gradient(_convolve(x, weight, bias, problem), bias, grad_output)

    def _gradient(self, y: Any, at: Any, grad_output: Array) -> Array:
        (gradient,) = y.gradient(at, gradient=self._tensor(grad_output))
        return self._array(gradient, grad_output)

    def _tensor(self, array: Array) -> Any:
        require_formats("tinygrad", FORMATS, array)
        if array.dtype.name == "bfloat16":
            return self.tensor(array.view(np.uint16)).bitcast(self.dtypes.bfloat16)
        return self.tensor(array)

    def _array(self, tensor: Any, like: Array) -> Array:
        if tensor.dtype == self.dtypes.bfloat16:
            return tensor.bitcast(self.dtypes.uint16).numpy().view(like.dtype)  # type: ignore[no-any-return]
        return tensor.numpy()  # type: ignore[no-any-return]


def _convolve(x: Any, weight: Any, bias: Any, problem: ConvProblem) -> Any:
    pads = [size for pair in reversed(problem.padding) for size in pair]
    return x.conv2d(weight, bias, problem.groups, problem.stride, problem.dilation, pads)


def create() -> TinygradEngine:
    """Make the engine ``tinygrad``.

    Raises
    ------
    ImplementationError
        If it finds no device, that is, no compiler either.
    """
    try:
        return TinygradEngine()
    except RuntimeError as error:
        raise ImplementationError(f"tinygrad needs a device, or clang for the CPU: {error}.") from error
