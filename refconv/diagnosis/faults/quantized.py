"""Quantised layers, first part: the zero points of x and weight, the padding between them, and vectors."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work
from refconv.quantization import Quantization


class PaddedWithByteZero(Fault):
    """Padding holds the byte zero in place of the zero point."""

    usually = "zero-padding of quantised tensors: the padding's value is the zero point."
    source = "https://github.com/apache/tvm/pull/4807"

    def quantized_forward(self, x, weight, bias, quantization, problem):  # type: ignore[no-untyped-def]
        self.border = -quantization.x_zero_point
        try:
            return super().quantized_forward(x, weight, bias, quantization, problem)
        finally:
            self.border = 0


class InputZeroPointIgnored(Fault):
    """The zero point of x is taken for zero, in the image and in the padding."""

    usually = "x_zero_point is not read: the products are of x - x_zero_point."
    source = "hand-written layers tested with symmetric quantisation"

    def centred_x(self, x: Array, quantization: Quantization) -> Array:
        return x.astype(np.int32)


class InputZeroPointOnlyInPadding(PaddedWithByteZero):
    """The image is padded with the zero point of x, which is subtracted nowhere."""

    usually = "padding with x_zero_point is one half: it must be subtracted from the image and from the padding."
    source = "hand-written layers that pad with the zero point and multiply the bytes as they are"

    def centred_x(self, x: Array, quantization: Quantization) -> Array:
        self.border = quantization.x_zero_point
        return x.astype(np.int32)


class ZeroPointWrapsInBytes(Fault):
    """The zero point is subtracted within eight bits."""

    usually = "x - zero_point before widening: the difference of two bytes has nine bits."
    source = "https://github.com/pytorch/executorch/pull/20655"

    def centred_x(self, x: Array, quantization: Quantization) -> Array:
        return super().centred_x(x, quantization).astype(np.int8 if x.dtype == np.int8 else np.uint8).astype(np.int32)


class CorrectionOfFirstGroup(Fault):
    """The correction for the zero point of x uses the sums of the first group's weights in all groups."""

    usually = "the precomputed sums of weights are indexed within the group: add the group's offset."
    source = "hand-written layers: sum of weights indexed by the channel within its group"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        total = super().sums(a, b, work)
        if not work.quantized or b is None or work.problem.groups == 1 or not total.size:
            return total
        sums = b.reshape(len(b), -1).sum(axis=1, dtype=b.dtype)
        own = np.arange(len(b)) % (len(b) // work.problem.groups)
        corrected: Array = total + (self.zero_point * (sums - sums[own])).reshape(-1, *[1] * (total.ndim - 2))
        return corrected

    def centred_x(self, x: Array, quantization: Quantization) -> Array:
        self.zero_point = np.int32(quantization.x_zero_point)
        return super().centred_x(x, quantization)


class WeightZeroPointOfFirstChannel(Fault):
    """All output channels use the weight zero point of the first one."""

    usually = "a list of zero points is taken for a list of equal ones: index it by the output channel."
    source = "https://github.com/microsoft/onnxruntime/issues/8890"

    def centred_weight(self, weight: Array, quantization: Quantization) -> Array:
        return weight.astype(np.int32) - np.int32(quantization.weight_zero_point[0])


class WeightZeroPointByInputChannel(Fault):
    """The weight zero points are applied along the input channels."""

    usually = "zero points broadcast along the wrong axis of the weight: they belong to its first one."
    source = "https://github.com/onnx/onnx-tensorflow/pull/505"

    def centred_weight(self, weight: Array, quantization: Quantization) -> Array:
        zero_points = np.resize(np.array(quantization.weight_zero_point, np.int32), weight.shape[1])
        return weight.astype(np.int32) - zero_points[:, None, None]


class WeightZeroPointIgnored(Fault):
    """The zero points of the weights are taken for zero."""

    usually = "the fourth argument of ConvInteger is not read: weights can be asymmetric, too."
    source = "https://github.com/ROCm/AMDMIGraphX/pull/2888"

    def centred_weight(self, weight: Array, quantization: Quantization) -> Array:
        return weight.astype(np.int32)


class BytesOfChannelPaddingCount(Fault):
    """Channels are filled up to four with zero bytes, which are not zero once the zero points are subtracted."""

    usually = "fill up with the zero points, or correct for them, before a dot product of four bytes."
    source = "dot-product instructions of four bytes (SDOT, VNNI, DP4A) on channels that are no multiple of four"

    def quantized_forward(self, x, weight, bias, quantization, problem):  # type: ignore[no-untyped-def]
        self.quantization = quantization
        return super().quantized_forward(x, weight, bias, quantization, problem)

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        total = super().sums(a, b, work)
        lanes = -(work.problem.in_channels // work.problem.groups) % 4
        if not work.quantized or not lanes or work.problem.in_channels < 4:
            return total
        taps = int(np.prod(work.problem.kernel_size))
        zero_points = np.array(self.quantization.weight_zero_point, np.int32).reshape(-1, 1, 1)
        counted: Array = total + lanes * taps * np.int32(self.quantization.x_zero_point) * zero_points
        return counted


class GroupsShareOneVector(Fault):
    """Groups of fewer than eight output channels write whole vectors of eight: the last group wins."""

    usually = "a vector store that reaches into the next group: skip the fast path for small groups."
    source = "https://github.com/opencv/opencv/pull/28920"

    def requantized(self, sums: Array, bias: Array | None, quantization: Quantization) -> Array:
        y = super().requantized(sums, bias, quantization)
        per_group = y.shape[1] // self.groups
        for start in range(0, y.shape[1], 8) if self.groups > 1 and per_group < 8 and y.size else ():
            slot = slice(start, min(start + 8, y.shape[1]))
            lost = slice(start, max(start, slot.stop - per_group))
            y[:, lost] = quantization.y_zero_point
        return y

    def quantized_forward(self, x, weight, bias, quantization, problem):  # type: ignore[no-untyped-def]
        self.groups = problem.groups
        return super().quantized_forward(x, weight, bias, quantization, problem)
