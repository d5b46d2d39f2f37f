"""TensorFlow: ``tf.nn.conv2d`` and its gradients, on the CPU, where channels come last."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.implementations.limits import require, require_formats
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
FORMATS = ("float64", "float32", "float16", "bfloat16")


class TensorflowEngine:
    """Tensors are transposed before and after the call; padding is handed over as explicit pairs.

    The bias is added with ``tf.nn.bias_add``, which rounds narrow formats a second time.  Where TensorFlow says
    that it does not support a problem, it is unsupported.
    """

    name = "tensorflow"

    def __init__(self) -> None:
        import tensorflow

        self.tf: Any = tensorflow
        self.version = f"tensorflow {tensorflow.__version__}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        require_formats("tensorflow", FORMATS, x, weight, bias)
        y = self._computed(lambda: self._layer(_image(x), _kernels(weight), bias, problem))
        return np.moveaxis(y, -1, 1)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input."""
        x = self.tf.constant(_image(np.zeros(problem.x_shape, grad_output.dtype)))
        gradient = self._gradient(grad_output, x, lambda: self._layer(x, _kernels(weight), None, problem))
        return np.moveaxis(gradient, -1, 1)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        weight = self.tf.constant(_kernels(np.zeros(problem.weight_shape, grad_output.dtype)))
        gradient = self._gradient(grad_output, weight, lambda: self._layer(_image(x), weight, None, problem))
        return gradient.transpose(3, 2, 0, 1)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias: of the addition of the bias alone."""
        bias = self.tf.constant(np.zeros(problem.bias_shape, grad_output.dtype))
        sums = _image(np.zeros(problem.y_shape, grad_output.dtype))
        return self._gradient(grad_output, bias, lambda: self.tf.nn.bias_add(sums, bias))

    def _gradient(self, grad_output: Array, at: Any, layer: Any) -> Array:
        require_formats("tensorflow", FORMATS, grad_output)

        def compute() -> Any:
            with self.tf.GradientTape() as tape:
                tape.watch(at)
                y = layer()
            return tape.gradient(y, at, output_gradients=self.tf.constant(_image(grad_output)))

        return self._computed(compute)

    def _layer(self, x: Any, weight: Any, bias: Any, problem: ConvProblem) -> Any:
        padding = [(0, 0), *problem.padding, (0, 0)]
        y = self.tf.nn.conv2d(x, weight, problem.stride, padding, dilations=problem.dilation)
        return y if bias is None else self.tf.nn.bias_add(y, bias)

    def _computed(self, compute: Any) -> Array:
        try:
            return np.asarray(compute().numpy())
        except (self.tf.errors.UnimplementedError, self.tf.errors.InvalidArgumentError) as error:
            require("not yet support" not in error.message and "not supported" not in error.message, _sentence(error))
            raise


def _sentence(error: Any) -> str:
    return str(error.message).rpartition("}} ")[2].partition(" [Op:")[0]


def _image(x: Array) -> Array:
    return np.moveaxis(x, 1, -1)


def _kernels(weight: Array) -> Array:
    """Return (K, C/G, kH, kW) as (kH, kW, C/G, K)."""
    return weight.transpose(2, 3, 1, 0)


def create() -> TensorflowEngine:
    """Make the engine ``tensorflow``."""
    return TensorflowEngine()
