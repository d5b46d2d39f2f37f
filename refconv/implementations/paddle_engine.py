"""PaddlePaddle: ``paddle.nn.functional.conv2d`` and its gradients, on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.implementations.limits import require_formats
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
FORMATS = ("float64", "float32")  # of its CPU kernels


class PaddleEngine:
    """Padding is handed over as (top, bottom, left, right)."""

    name = "paddle"

    def __init__(self) -> None:
        import paddle

        paddle.set_device("cpu")
        self.paddle: Any = paddle
        self.version = f"paddlepaddle {paddle.__version__}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        offset = None if bias is None else self._tensor(bias)
        return np.asarray(self._convolve(self._tensor(x), self._tensor(weight), offset, problem).numpy())

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input."""
        x = self._zeros(problem.x_shape, grad_output)
        return self._gradient(self._convolve(x, self._tensor(weight), None, problem), x, grad_output)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        weight = self._zeros(problem.weight_shape, grad_output)
        return self._gradient(self._convolve(self._tensor(x), weight, None, problem), weight, grad_output)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias."""
        shapes = (problem.x_shape, problem.weight_shape, problem.bias_shape)
        x, weight, bias = (self._zeros(shape, grad_output) for shape in shapes)
        return self._gradient(self._convolve(x, weight, bias, problem), bias, grad_output)

    def _convolve(self, x: Any, weight: Any, bias: Any, problem: ConvProblem) -> Any:
        pads = [size for pair in problem.padding for size in pair]
        conv2d = self.paddle.nn.functional.conv2d
        return conv2d(x, weight, bias, list(problem.stride), pads, list(problem.dilation), problem.groups)

    def _gradient(self, y: Any, at: Any, grad_output: Array) -> Array:
        (gradient,) = self.paddle.grad([y], [at], [self._tensor(grad_output)])
        return np.asarray(gradient.numpy())

    def _zeros(self, shape: tuple[int, ...], like: Array) -> Any:
        tensor = self._tensor(np.zeros(shape, like.dtype))
        tensor.stop_gradient = False
        return tensor

    def _tensor(self, array: Array) -> Any:
        require_formats("paddle on the CPU", FORMATS, array)
        return self.paddle.to_tensor(array)


def create() -> PaddleEngine:
    """Make the engine ``paddle``."""
    return PaddleEngine()
