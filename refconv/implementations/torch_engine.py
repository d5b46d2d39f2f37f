"""PyTorch: forward through its convolution, gradients through its own backward function."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.formats import name_of
from refconv.problem import ConvProblem, Problem, TransposedProblem

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
    transposed = True

    def __init__(self, dtype: str | None = None, way: str | None = None) -> None:
        import torch

        if way == "cuda" and not torch.cuda.is_available():
            raise ImplementationError("torch:cuda needs a CUDA device, and PyTorch sees none.")
        self.torch: Any = torch
        self.dtype, self.way, self.device = dtype, way, "cuda" if way == "cuda" else "cpu"
        option = dtype or way
        self.name = f"torch:{option}" if option else "torch"
        self.version = f"torch {torch.__version__}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: Problem) -> Array:
        """Return y."""
        if isinstance(problem, TransposedProblem):
            return self._array(self._scattered(x, weight, bias, problem), x)
        image, padding = self._padded(self._tensor(x), problem)
        offset = None if bias is None else self._tensor(bias)
        arguments = (image, self._tensor(weight), offset, problem.stride, padding, problem.dilation, problem.groups)
        with self._kernels():
            y = self._layer(problem)(*arguments)
        return self._array(y, x)

    def _scattered(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Any:
        """Convolve transposed; uneven padding is cut off afterwards, before the bias is added."""
        stride, groups, dilation = problem.stride, problem.groups, problem.dilation
        layer, tensors = self._layer(problem), (self._tensor(x), self._tensor(weight))
        offset = None if bias is None else self._tensor(bias)
        with self._kernels():
            if _is_even(problem):
                padding = tuple(begin for begin, _ in problem.padding)
                return layer(*tensors, offset, stride, padding, problem.output_padding, groups, dilation)
            y = layer(*tensors, None, stride, 0, 0, groups, dilation)
        y = self.torch.nn.functional.pad(y, [-size for size in _pads(problem.adjoint)])
        return y if offset is None else y + offset.reshape(-1, *[1] * len(stride))

    def grad_input(self, grad_output: Array, weight: Array, problem: Problem) -> Array:
        """Return grad_input."""
        image = self._tensor(np.zeros(problem.x_shape, dtype=weight.dtype))
        gradient = self._backward(self._tensor(grad_output), image, self._tensor(weight), problem, 0)
        return self._array(gradient, grad_output)

    def grad_weight(self, x: Array, grad_output: Array, problem: Problem) -> Array:
        """Return grad_weight."""
        weight = self._tensor(np.zeros(problem.weight_shape, dtype=x.dtype))
        gradient = self._backward(self._tensor(grad_output), self._tensor(x), weight, problem, 1)
        return self._array(gradient, x)

    def grad_bias(self, grad_output: Array, problem: Problem) -> Array:
        """Return grad_bias."""
        if isinstance(problem, TransposedProblem) and not _is_even(problem):  # its bias is added after the cut
            return self._array(self._tensor(grad_output).sum((0, *range(2, grad_output.ndim))), grad_output)
        image = self._tensor(np.zeros(problem.x_shape, dtype=grad_output.dtype))
        weight = self._tensor(np.zeros(problem.weight_shape, dtype=grad_output.dtype))
        gradient = self._backward(self._tensor(grad_output), image, weight, problem, 2)
        return self._array(gradient, grad_output)

    def _backward(self, grad_output: Any, x: Any, weight: Any, problem: Problem, which: int) -> Any:
        extra: Any = (0,) * len(problem.stride)
        if isinstance(problem, TransposedProblem):
            image, (gradient, padding, extra) = x, self._gathered(grad_output, problem)
        else:
            (image, padding), gradient = self._padded(x, problem), grad_output
        mask = [index == which for index in range(3)]
        with self._kernels():
            gradients = self.torch.ops.aten.convolution_backward(
                gradient, image, weight, [problem.out_channels], problem.stride, padding, problem.dilation,
                isinstance(problem, TransposedProblem), extra, problem.groups, mask,
            )  # fmt: skip
        if which or image is x:
            return gradients[which]
        return self.torch.nn.functional.pad(gradients[0], [-size for size in _pads(problem)])

    def _gathered(self, grad_output: Any, problem: TransposedProblem) -> tuple[Any, Any, Any]:
        """Return the gradient to hand over, the padding and the output_padding that are left for PyTorch."""
        if _is_even(problem):
            return grad_output, tuple(begin for begin, _ in problem.padding), problem.output_padding
        none = (0,) * len(problem.padding)
        return self.torch.nn.functional.pad(grad_output, _pads(problem.adjoint)), none, none

    def _padded(self, x: Any, problem: ConvProblem) -> tuple[Any, tuple[int, ...]]:
        """Return the image to convolve, and the padding that is left for the convolution."""
        if _is_even(problem):
            return x, tuple(begin for begin, _ in problem.padding)
        return self.torch.nn.functional.pad(x, _pads(problem)), (0,) * len(problem.padding)

    def _layer(self, problem: Problem) -> Any:
        axes = len(problem.input_size)
        if axes > 3:
            raise NotImplementedError(f"PyTorch has no convolution over {axes} axes.")
        kind = "conv_transpose" if isinstance(problem, TransposedProblem) else "conv"
        return getattr(self.torch.nn.functional, f"{kind}{axes}d")

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
        name = name_of(array.dtype)
        if name not in DTYPES:
            raise NotImplementedError(f"PyTorch has no {name} convolution on {self.device}.")
        if name == "bfloat16":  # NumPy hands over its bits
            tensor = self.torch.from_numpy(array.view(np.uint16).copy()).view(self.torch.bfloat16)
        else:
            tensor = self.torch.from_numpy(np.array(array))
        tensor = tensor.to(self.device, getattr(self.torch, self.dtype) if self.dtype else None)
        last = self.way == "channels_last" and tensor.ndim == 4
        return tensor.contiguous(memory_format=self.torch.channels_last) if last else tensor

    def _array(self, tensor: Any, like: Array) -> Array:
        host = tensor.detach().cpu().to(getattr(self.torch, name_of(like.dtype))).contiguous()
        if host.dtype == self.torch.bfloat16:
            return host.view(self.torch.uint16).numpy().view(like.dtype)  # type: ignore[no-any-return]
        return host.numpy()  # type: ignore[no-any-return]


def _is_even(problem: Problem) -> bool:
    """Tell whether PyTorch takes the padding as it is."""
    return all(begin == end >= 0 for begin, end in problem.padding)


def _pads(problem: Problem) -> list[int]:
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
