"""PyTorch: forward through its convolution, gradients through its own backward function."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
DTYPES = ("float64", "float32", "float16", "bfloat16")
WAYS = ("cuda", "native", "channels_last")  # other places, kernels and memory layouts


class TorchEngine:
    """PyTorch's convolution, in the dtype of the inputs or in a fixed one.

    Symmetric padding is handed to the convolution; uneven padding is applied before it, as PyTorch's
    users do.

    Parameters
    ----------
    dtype : str, optional
        In which to compute, instead of the inputs' own.
    way : {None, "cuda", "native", "channels_last"}
        On the CUDA device; with PyTorch's own kernels instead of oneDNN's; with tensors whose channels
        are neighbours in memory.
    """

    unchecked = True  # PyTorch has rules of its own

    def __init__(self, dtype: str | None = None, way: str | None = None) -> None:
        import torch

        if way == "cuda" and not torch.cuda.is_available():
            raise ImplementationError("torch:cuda needs a CUDA device, and PyTorch sees none.")
        self.torch: Any = torch
        self.dtype, self.way, self.device = dtype, way, "cuda" if way == "cuda" else "cpu"
        option = dtype or way
        self.name = f"torch:{option}" if option else "torch"
        self.version = f"torch {torch.__version__}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        image, padding = self._padded(self._tensor(x), problem)
        offset = None if bias is None else self._tensor(bias)
        arguments = (image, self._tensor(weight), offset, problem.stride, padding, problem.dilation, problem.groups)
        with self._kernels():
            y = self._layer(problem)(*arguments)
        return self._array(y, x)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input."""
        image = self._tensor(np.zeros(problem.x_shape, dtype=weight.dtype))
        gradient = self._backward(self._tensor(grad_output), image, self._tensor(weight), problem, 0)
        return self._array(gradient, grad_output)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        weight = self._tensor(np.zeros(problem.weight_shape, dtype=x.dtype))
        gradient = self._backward(self._tensor(grad_output), self._tensor(x), weight, problem, 1)
        return self._array(gradient, x)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias."""
        image = self._tensor(np.zeros(problem.x_shape, dtype=grad_output.dtype))
        weight = self._tensor(np.zeros(problem.weight_shape, dtype=grad_output.dtype))
        gradient = self._backward(self._tensor(grad_output), image, weight, problem, 2)
        return self._array(gradient, grad_output)

    def _backward(self, grad_output: Any, x: Any, weight: Any, problem: ConvProblem, which: int) -> Any:
        image, padding = self._padded(x, problem)
        mask = [index == which for index in range(3)]
        with self._kernels():
            gradients = self.torch.ops.aten.convolution_backward(
                grad_output, image, weight, [problem.out_channels], problem.stride, padding, problem.dilation,
                False, [0] * len(problem.stride), problem.groups, mask,
            )  # fmt: skip
        if which or image is x:
            return gradients[which]
        return self.torch.nn.functional.pad(gradients[0], [-size for size in _pads(problem)])

    def _padded(self, x: Any, problem: ConvProblem) -> tuple[Any, tuple[int, ...]]:
        """Return the image to convolve, and the padding that is left for the convolution."""
        if all(begin == end >= 0 for begin, end in problem.padding):
            return x, tuple(begin for begin, _ in problem.padding)
        return self.torch.nn.functional.pad(x, _pads(problem)), (0,) * len(problem.padding)

    def _layer(self, problem: ConvProblem) -> Any:
        axes = len(problem.input_size)
        if axes > 3:
            raise NotImplementedError(f"PyTorch has no convolution over {axes} axes.")
        return getattr(self.torch.nn.functional, f"conv{axes}d")

    @contextmanager
    def _kernels(self) -> Iterator[None]:
        """Keep oneDNN from computing where PyTorch's own kernels are asked for."""
        if self.way != "native":
            yield
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an Intel GPU that is not there
            with self.torch.backends.mkldnn.flags(enabled=False):
                yield

    def _tensor(self, array: Array) -> Any:
        if array.dtype.name not in DTYPES:
            raise NotImplementedError(f"PyTorch has no {array.dtype.name} convolution on {self.device}.")
        if array.dtype.name == "bfloat16":  # NumPy hands over its bits
            tensor = self.torch.from_numpy(array.view(np.uint16).copy()).view(self.torch.bfloat16)
        else:
            tensor = self.torch.from_numpy(np.array(array))
        tensor = tensor.to(self.device, getattr(self.torch, self.dtype) if self.dtype else None)
        last = self.way == "channels_last" and tensor.ndim == 4
        return tensor.contiguous(memory_format=self.torch.channels_last) if last else tensor

    def _array(self, tensor: Any, like: Array) -> Array:
        host = tensor.detach().cpu().to(getattr(self.torch, like.dtype.name)).contiguous()
        if host.dtype == self.torch.bfloat16:
            return host.view(self.torch.uint16).numpy().view(like.dtype)  # type: ignore[no-any-return]
        return host.numpy()  # type: ignore[no-any-return]


def _pads(problem: ConvProblem) -> list[int]:
    """Return the padding as PyTorch's pad takes it: the last axis first."""
    return [size for pair in reversed(problem.padding) for size in pair]


def create(option: str | None = None) -> TorchEngine:
    """Make the engine that ``torch``, ``torch:float64``, ``torch:native`` or ``torch:cuda`` names.

    Raises
    ------
    ImplementationError
        If the option is unknown, or there is no CUDA device.
    """
    if option is None or option in WAYS:
        return TorchEngine(way=option)
    if option not in DTYPES:
        options = ", ".join((*WAYS, *DTYPES))
        raise ImplementationError(f"the option of torch must be one of {options}, got {option!r}.")
    return TorchEngine(dtype=option)
