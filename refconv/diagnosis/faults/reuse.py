"""What an earlier call leaves behind, second half: scratch memory, gradients, saved tensors, recorded calls."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from refconv.diagnosis.faults.base import Array, Work
from refconv.diagnosis.faults.state import Keeping
from refconv.problem import ConvProblem

TILE = 16  # of the reduction of a matrix product
TRIALS = 3  # runs of an autotuner
WARM_UP = 2  # calls before a graph is recorded
ROW_BLOCK = 8  # channels that are added up at a time


class PaddedScratchKeepsOldPixels(Keeping):
    """Images are copied into one growing padded buffer, whose border is cleared only when it is allocated."""

    usually = "another shape puts its border where there were pixels: clear it whenever the shape changes."
    source = "https://github.com/openvinotoolkit/openvino/pull/16351"
    operations = ("forward", "grad_weight")

    def columns(self, x: Array, work: Work) -> Array:
        return super().columns(self._padded(x, work.problem), work._replace(problem=_unpadded(work.problem)))

    def _padded(self, x: Array, problem: ConvProblem) -> Array:
        shape = _unpadded(problem).x_shape
        size = math.prod(shape)
        buffer = self.kept.get(x.dtype, np.zeros(0, x.dtype))
        if buffer.size < size:
            buffer = self.kept[x.dtype] = np.zeros(size, x.dtype)
        padded: Array = buffer[:size].reshape(shape)
        (top, _), (left, _) = problem.padding
        padded[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
        return padded


class ReductionTailHoldsOldProducts(Keeping):
    """The reduction is filled up to whole tiles in scratch memory that still holds the last, longer one."""

    usually = "only the real part of a padded tile is written: clear its tail, or mask it."
    source = "https://github.com/paiml/aprender/issues/2753"
    operations = ("grad_weight",)

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        length, product = a.shape[-1], super().dot(a, b, work)
        if work.operation != "grad_weight":
            return product
        key = (a.shape[:-1], b.shape[:-2], b.shape[-1], a.dtype)
        old = self.kept.get(key)
        tail = -length % TILE
        if old is not None and old[0].shape[-1] > length:
            stale = slice(length, length + tail)
            product = product + old[0][..., stale] @ old[1][..., stale, :]
        if old is None or old[0].shape[-1] <= length:
            self.kept[key] = (np.array(a), np.array(b))
        return product


class GradientsAddUp(Keeping):
    """Every call adds its gradients of weights and bias to those of the calls before."""

    usually = "gradients are accumulated into the layer's own arrays, which nobody clears: assign them."
    source = "https://github.com/karpathy/micrograd/pull/102"
    operations = ("grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        if work.operation in self.operations:
            key = (work.operation, sums.shape, sums.dtype)
            sums = self.kept[key] = self.kept.get(key, 0) + sums
        return super().store(sums, work)


class GradientTakesLastForwardInput(Keeping):
    """The gradient of the weights is that for the x of the last forward call, whatever x it is given."""

    usually = "the backward pass uses what the forward pass has saved: it must be that of the same step."
    source = "https://github.com/clab/dynet/pull/612"
    operations = ("grad_weight",)
    saved = "x"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name == self.saved and work.operation == "forward":
            self.kept[read.shape, work.element] = np.array(read)
        if name == self.saved and work.operation in self.operations:
            read = self.kept.get((read.shape, work.element), read)
        return read


class GradientTakesLastForwardWeight(GradientTakesLastForwardInput):
    """The gradient of the image is that for the weights of the last forward call."""

    usually = "weights are saved by the forward pass, and updated before the backward pass is called."
    source = "hand-written layers: self.weight_columns made in forward and used in backward"
    operations = ("grad_input",)
    saved = "weight"


class AutotunedIntoResult(Keeping):
    """The first call with a problem tries kernels out on the real gradient, which keeps all that they add."""

    usually = "kernels that accumulate must be tuned on scratch memory, or the result be reset in between."
    source = "autotuners that run a kernel which accumulates, without the reset that Triton calls reset_to_zero"
    operations = ("grad_weight",)

    def store(self, sums: Array, work: Work) -> Array:
        first = self.kept.setdefault((work.operation, work.problem, work.element), sums) is sums
        return super().store(sums * (TRIALS + 1) if first and work.operation == "grad_weight" else sums, work)


class GraphReplaysRecordedInputs(Keeping):
    """From the third call with a problem on, a recorded graph runs on the tensors it was recorded with."""

    usually = "a graph holds the addresses of its inputs: copy new tensors there before it is replayed."
    source = "https://github.com/vllm-project/vllm-ascend/pull/13902"
    operations = ("forward", "grad_input", "grad_weight")

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        calls = self.kept.setdefault((work, None if b is None else b.dtype), [])
        if len(calls) < WARM_UP:
            calls.append((np.array(a), None if b is None else np.array(b)))
            return super().sums(a, b, work)
        a, b = calls[-1]
        return super().sums(a, b, work)


class AccumulatorsKeptBetweenImages(Keeping):
    """Where channels are added up in blocks, the sums of an image start with those of the image before."""

    usually = "accumulators are cleared before the first block of the first image alone: clear them for each image."
    source = "hand-written layers: y is cleared outside of the loop over the batch"
    shows_by = "values"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        total = super().sums(a, b, work)
        blocks = work.problem.in_channels // work.problem.groups > ROW_BLOCK
        return np.cumsum(total, axis=0, dtype=total.dtype) if blocks and work.operation == "forward" else total


class EveryEighthCallStale(Keeping):
    """Of a ring of eight result slots, one is handed out before it is filled."""

    usually = "a queue that is one slot too short: wait for the result, or lengthen the ring."
    source = "https://github.com/ml-explore/mlx/issues/1873"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        self.kept["calls"] = self.kept.get("calls", 0) + 1
        return np.zeros_like(result) if self.kept["calls"] % 8 == 0 else result


def _unpadded(problem: ConvProblem) -> Any:
    """Return the same problem on an image that holds the padding."""
    size = tuple(length + sum(pads) for length, pads in zip(problem.input_size, problem.padding, strict=True))
    return type(problem)(
        batch=problem.batch, in_channels=problem.in_channels, out_channels=problem.out_channels, input_size=size,
        kernel_size=problem.kernel_size, stride=problem.stride, dilation=problem.dilation, groups=problem.groups,
    )  # fmt: skip
