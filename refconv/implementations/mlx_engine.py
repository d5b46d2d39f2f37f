"""MLX: ``mlx.core.conv_general`` and what ``mlx.core.vjp`` makes of it, on the default device."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.implementations.limits import require, require_formats
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
FORMATS = ("float64", "float32", "float16", "bfloat16")


class MlxEngine:
    """Channels come last there, so that tensors are transposed before and after the call.

    The convolution takes no bias; it is added in the format of the result, as mlx.nn.Conv2d does.
    """

    name = "mlx"

    def __init__(self) -> None:
        from importlib.metadata import version

        import mlx.core

        self.mx: Any = mlx.core
        self.version = f"mlx {version('mlx')}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        self._require_formats(x, weight, bias)
        y = self._convolve(self._tensor(x), self._tensor(weight), problem)
        return self._array(y if bias is None else y + self._tensor(bias), x)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input."""
        self._require_formats(grad_output, weight)
        kernels, x = self._tensor(weight), self._tensor(np.zeros(problem.x_shape, grad_output.dtype))
        return self._gradient(lambda x: self._convolve(x, kernels, problem), x, grad_output)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        self._require_formats(x, grad_output)
        image, weight = self._tensor(x), self._tensor(np.zeros(problem.weight_shape, grad_output.dtype))
        return self._gradient(lambda weight: self._convolve(image, weight, problem), weight, grad_output)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias: of the addition of the bias alone."""
        self._require_formats(grad_output)
        sums, bias = self._tensor(grad_output), self._tensor(np.zeros(problem.bias_shape, grad_output.dtype))
        return self._gradient(lambda bias: sums + bias, bias, grad_output)

    def _require_formats(self, *tensors: Array | None) -> None:
        require_formats("mlx", FORMATS, *tensors)
        on_cpu = self.mx.default_device() == self.mx.Device(self.mx.cpu)
        double = any(tensor is not None and tensor.dtype.name == "float64" for tensor in tensors)
        require(on_cpu or not double, "mlx has float64 on the CPU alone.")

    def _gradient(self, function: Any, at: Any, grad_output: Array) -> Array:
        return self._array(self.mx.vjp(function, [at], [self._tensor(grad_output)])[1][0], grad_output)

    def _convolve(self, x: Any, weight: Any, problem: ConvProblem) -> Any:
        begins, ends = (list(sizes) for sizes in zip(*problem.padding, strict=True))
        return self.mx.conv_general(
            x, weight, stride=problem.stride, padding=(begins, ends), kernel_dilation=problem.dilation,
            groups=problem.groups,
        )  # fmt: skip

    def _tensor(self, array: Array) -> Any:
        last = np.array(np.moveaxis(array, 1, -1) if array.ndim > 1 else array, order="C")  # mlx takes no strides < 0
        if array.dtype.name == "bfloat16":
            return self.mx.array(last.view(np.uint16)).view(self.mx.bfloat16)
        return self.mx.array(last, dtype=getattr(self.mx, array.dtype.name))

    def _array(self, tensor: Any, like: Array) -> Array:
        self.mx.eval(tensor)
        if tensor.dtype == self.mx.bfloat16:
            array = np.array(tensor.view(self.mx.uint16)).view(like.dtype)
        else:
            array = np.array(tensor)
        return np.moveaxis(array, -1, 1) if array.ndim > 1 else array


def create() -> MlxEngine:
    """Make the engine ``mlx``."""
    return MlxEngine()
