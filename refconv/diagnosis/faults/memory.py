"""Memory that is overwritten, shared, read in the wrong order, or read before it was written."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work
from refconv.diagnosis.layer import Layer
from refconv.problem import ConvProblem
from refconv.quantization import Quantization

BLOCK = 16  # channels of a blocked layout
SPLIT = 4096  # elements of x above which a gradient is made in pieces


def uninitialised(shape: tuple[int, ...], dtype: Any) -> Array:
    """Return memory that nobody has written to; tests put something nasty there."""
    return np.empty(shape, dtype)


class WeightRelaidInPlace(Fault):
    """The weights are brought to the kernel's own order within the caller's buffer."""

    usually = "prepacked weights are saved back over the originals: pack into a buffer of your own."
    source = "https://github.com/PaddlePaddle/Paddle/pull/11779"
    shows_by = "mutation"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name == "weight" and work.operation == "forward" and tensor.shape[1] > 1:
            tensor[...] = np.moveaxis(tensor, 1, -1).reshape(tensor.shape)
        return read


class InputCentredInPlace(Fault):
    """The zero point is subtracted from x in the caller's buffer."""

    usually = "x -= zero_point within the layer: subtract while you read."
    source = "hand-written layers: x -= zero_point on the argument"
    shows_by = "mutation"

    def centred_x(self, x: Array, quantization: Quantization) -> Array:
        centred = super().centred_x(x, quantization)
        x[...] = centred.astype(x.dtype)
        return centred


class BorderZeroedInPlace(Fault):
    """To cut the gradient back to the image, the rim of the caller's grad_output is set to zero."""

    usually = "padded gradients are unpadded by writing to the argument: write to a copy."
    source = "hand-written layers: the padded gradient is unpadded by writing zeros to the argument"
    operations = ("grad_input",)
    shows_by = "mutation"

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        result = super().grad_input(grad_output, weight, problem)
        if any(begin for begin, _ in problem.padding):
            grad_output[:, :, :1] = 0
        return result


class PointwiseComputedInPlace(Fault):
    """A 1x1 convolution that keeps the number of channels writes its result over x."""

    usually = "the layer may run in place only if nobody else reads its input: allocate the output."
    source = "layers run in place where others still read the input, as in https://github.com/tensorflow/tensorflow/pull/43577"
    shows_by = "mutation"

    def forward(self, x: Array, *others: Any, **keywords: Any) -> Array:
        y = super().forward(x, *others, **keywords)
        if y.shape != x.shape or y.dtype != x.dtype or others[0].shape[2:] != (1, 1):
            return y
        x[...] = y
        return x


class PointwiseStoresRunOver(Fault):
    """In-place 1x1 convolutions store four channels at once, over the next pixel where only fewer remain."""

    usually = "a vector store behind the last channel of a pixel, whose neighbour has not been read yet."
    source = "https://github.com/bhuman/CompiledNN/issues/7"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read, over = super().read(name, tensor, work), -work.problem.out_channels % 4
        problem = work.problem
        same = problem.kernel_size == (1, 1) and problem.out_channels == problem.in_channels and problem.groups == 1
        if name == "x" and work.operation == "forward" and same and over and read.size:
            first = read[..., :1, :1].copy()
            read[:, :over] = 0
            read[..., :1, :1] = first
        return read


class NoOperationReturnsItsInput(Fault):
    """A depthwise 1x1 convolution with weights of one is removed: the result is x itself."""

    usually = "a layer that changes nothing is dropped, and its output aliases its input: copy."
    source = "graph optimisers that drop a layer without effect and hand out its input"
    shows_by = "aliasing"

    def forward(self, x: Array, *others: Any, **keywords: Any) -> Array:
        y = super().forward(x, *others, **keywords)
        weight, bias, problem = others
        nothing = problem.groups == problem.in_channels == problem.out_channels and np.all(weight == 1) and bias is None
        return x if nothing and y.shape == x.shape and y.dtype == x.dtype and np.array_equal(x, y) else y


class ResultBufferShared(Fault):
    """All results of one shape are the same buffer, which the next call overwrites."""

    usually = "a persistent output buffer is handed out: copy it, or allocate one for each call."
    source = "https://github.com/pytorch/TensorRT/issues/3275"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")
    shows_by = "aliasing"

    def __init__(self) -> None:
        self.buffers: dict[Any, Array] = {}

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        buffer = self.buffers.setdefault((result.shape, result.dtype), result)
        buffer[...] = result
        return buffer


class ResultIsPartOfLargestBuffer(Fault):
    """Results are views of one buffer that only grows, so that a smaller call overwrites a larger result."""

    usually = "outputs are cut out of one preallocated buffer: it may be reused when they are dead, not before."
    source = "https://github.com/microsoft/onnxruntime/issues/10103"
    shows_by = "aliasing"

    def __init__(self) -> None:
        self.buffer: Array = np.empty(0, np.uint8)

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        if result.nbytes > self.buffer.size:
            self.buffer = np.empty(result.nbytes, np.uint8)
        view: Array = self.buffer[: result.nbytes].view(result.dtype).reshape(result.shape)
        view[...] = result
        return view


class LeftoverGradientUninitialised(Fault):
    """Gradients of pixels that no output reads are left as the allocator gave them."""

    usually = "grad_input is allocated empty, and the loops cover only what was read: start from zeros."
    source = "hand-written layers: np.empty_like(x) for a gradient that the loops do not cover"
    operations = ("grad_input",)
    shows_by = "poison"

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        if work.operation != "grad_input":
            return result
        filled, pixels = uninitialised(result.shape, result.dtype), math.prod(work.problem.input_size)
        read = np.isin(np.arange(pixels), Layer().pixels(work.problem)).reshape(work.problem.input_size)
        filled[..., read] = result[..., read]
        return filled


class EmptyBatchGradientUninitialised(Fault):
    """Without images, the gradient of the weights is left as the allocator gave it."""

    usually = "the loop over the batch never runs, and nothing else writes the gradient: zero it first."
    source = "https://github.com/FluxML/NNlib.jl/pull/763"
    operations = ("grad_weight",)
    shows_by = "poison"

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        empty = work.operation == "grad_weight" and work.problem.batch == 0
        return uninitialised(result.shape, result.dtype) if empty else result


class SplitGradientUninitialised(Fault):
    """Large problems are split, and their gradients added up in memory that was never cleared."""

    usually = "beta = 1 into an empty tensor: clear the gradient before pieces are accumulated into it."
    source = "https://github.com/pytorch/pytorch/pull/72157"
    operations = ("grad_weight",)
    shows_by = "poison"

    def store(self, sums: Array, work: Work) -> Array:
        if work.operation == "grad_weight" and math.prod(work.problem.x_shape) > SPLIT:
            sums = sums + uninitialised(sums.shape, work.out.dtype).astype(sums.dtype)
        return super().store(sums, work)


class ChannelPaddingUninitialised(Fault):
    """Channels are filled up to whole blocks with stale bytes, which zero weights do not cancel if they are NaN."""

    usually = "0 * NaN is NaN: clear the lanes behind the last channel of a blocked layout."
    source = "https://github.com/openvinotoolkit/openvino/pull/36886"
    shows_by = "poison"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        lanes = -(work.problem.in_channels // work.problem.groups) % BLOCK
        total = super().sums(a, b, work)
        if work.operation != "forward" or work.element.is_integer or not total.size:
            return total
        leaked: Array = total + (uninitialised((lanes, 1), work.element.dtype).astype(a.dtype) * 0).sum()
        return leaked


class PaddedBorderUninitialised(Fault):
    """The image is copied into a padded buffer whose border was never cleared."""

    usually = "the padded copy is allocated empty and only its interior is written: clear the border."
    source = "https://github.com/modular/modular/issues/6461"
    shows_by = "poison"

    def columns(self, x: Array, work: Work) -> Array:
        clean, outside = super().columns(x, work), Layer().pixels(work.problem).T < 0
        taps = clean.reshape(*clean.shape[:2], -1, *outside.shape) if clean.size else clean
        stale = uninitialised(taps.shape, taps.dtype)
        if not clean.size or not outside.any():
            return clean
        filled: Array = np.where(outside, stale, taps).reshape(clean.shape)
        return filled


class WinogradWeightsUninitialised(Fault):
    """Transformed 3x3 weights are padded to whole blocks of channels without being cleared."""

    usually = "the packed weights are written up to the last channel only, and multiplied with zeros behind it."
    source = "https://github.com/PaddlePaddle/Paddle-Lite/pull/4103"
    shows_by = "poison"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        total, problem = super().sums(a, b, work), work.problem
        winograd = (
            problem.kernel_size == (3, 3) and problem.stride == problem.dilation == (1, 1) and problem.groups == 1
        )
        if work.operation != "forward" or not winograd or work.element.is_integer or not total.size:
            return total
        stale = uninitialised((problem.out_channels, -problem.in_channels % 4), work.element.dtype).astype(a.dtype)
        leaked: Array = total + (stale * 0).sum(axis=1)[:, None, None]
        return leaked
