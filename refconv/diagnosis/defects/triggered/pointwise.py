"""Matrix products for 1x1 kernels, taken where a view of the image is not what the layer reads."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.batch import BatchAndChannelsExchanged
from refconv.diagnosis.defects.groups import GroupOffsetIgnored
from refconv.diagnosis.defects.layout import OutputChannelsLast
from refconv.diagnosis.defects.stride_dilation import StrideIgnored, StrideOfHeightForBoth
from refconv.diagnosis.defects.tails import FirstChannelOnly
from refconv.diagnosis.defects.triggered import parts, space
from refconv.diagnosis.defects.triggered.shapes import kernel_is, positions, steps_one
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import ConvProblem


def _fits(problem: ConvProblem) -> bool:
    return kernel_is(problem, 1, 1)


class PointwiseIgnoresUnpaddedStride(Triggered):
    """The stride is ignored."""

    bug = StrideIgnored
    trigger = "the kernel is 1x1 with a stride and without padding"
    usually = "the matrix product for 1x1 kernels is taken whatever the stride."
    source = "https://github.com/majianjia/nnom/issues/84"
    operations = ("forward",)
    example = "n1c3i4x5-k2w1x1-s2x2-d1x1-p0+0x0+0-g1-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and not any(map(sum, problem.padding))


class PointwiseChecksOneStride(Triggered):
    """The horizontal stride is ignored."""

    bug = StrideOfHeightForBoth
    trigger = "the kernel is 1x1 and the stride is 1 along the height alone"
    usually = "the precondition of the matrix product tests stride[0] only."
    source = "fast paths chosen by the first of two strides"
    example = "n1c3i4x5-k2w1x1-s1x2-d1x1-p0+0x0+0-g1-o4x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.stride[0] == 1 < problem.stride[1]


class _FlatImage(Layer):
    def pixels(self, problem: ConvProblem) -> Integers:
        return np.arange(positions(problem))[:, None]


class PointwiseChecksBeginningPads(Triggered):
    """Output position number i reads pixel number i, as if both were equally wide."""

    bug = _FlatImage
    trigger = "the kernel is 1x1 with stride 1 and padding at the end alone"
    usually = "the precondition of the matrix product tests pads[0] and pads[1], which are both at the beginning."
    source = "fast paths that test the pads at the beginning only (ONNX lists all beginnings first)"
    example = "n1c2i3x4-k3w1x1-s1x1-d1x1-p0+0x0+1-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        begins, ends = zip(*problem.padding, strict=True)
        return _fits(problem) and problem.stride == (1, 1) and not any(begins) and any(ends)


class GroupedPointwiseReadsFirstGroup(Triggered):
    """All groups read the input channels of the first one."""

    bug = GroupOffsetIgnored
    trigger = "the kernel is 1x1 and groups > 1"
    usually = "the address of x that is given to the matrix product is not advanced from group to group."
    source = "https://github.com/microsoft/onnxruntime/pull/7885"
    operations = ("forward",)
    example = "n2c4i3x4-k6w1x1-s1x1-d1x1-p0+0x0+0-g2-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.groups > 1


class PointwiseReadsFirstChannel(Triggered):
    """Only the first input channel is read."""

    bug = FirstChannelOnly
    trigger = "the kernel is 1x1 and C > 1"
    usually = "an accelerator's layout of 1x1 weights differs from that of larger kernels."
    source = "https://github.com/onnx/onnx-mlir/pull/1518"
    operations = ("forward",)
    example = "n1c3i3x4-k2w1x1-s1x1-d1x1-p0+0x0+0-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.in_channels > 1


class PointwiseOddWidth(Triggered):
    """Rows of the image are thought to begin at even elements."""

    bug = parts.RowPitchPadded.of(block=2)
    trigger = "the kernel is 1x1 with stride 1 and W is odd"
    usually = "two columns share a texel: an odd row has an empty half, which a reshape does not skip."
    source = "https://github.com/tensorflow/tfjs/pull/5264"
    operations = ("forward",)
    example = "n1c2i3x5-k3w1x1-s1x1-d1x1-p0+0x0+0-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.stride == (1, 1) and problem.input_size[1] % 2 == 1


class PackedPointwiseSmallPlane(Triggered):
    """Output positions beyond the last multiple of eight are not computed."""

    bug = space.FlatTailSkipped.of(block=8)
    trigger = "the kernel is 1x1, C and K are multiples of 4, and oH*oW leaves 4 over from blocks of 8"
    usually = "channels are packed by four; the tile of eight positions has a tail for one but none for four."
    source = "https://github.com/Tencent/ncnn/issues/1384"
    operations = ("forward",)
    example = "n1c4i2x6-k4w1x1-s1x1-d1x1-p0+0x0+0-g1-o2x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        packed = problem.in_channels % 4 == problem.out_channels % 4 == 0
        return _fits(problem) and packed and positions(problem) % 8 == 4


class SmallPointwiseInOtherLayout(Triggered):
    """The memory of y is written as (N, oH, oW, K)."""

    bug = OutputChannelsLast
    trigger = "the kernel is 1x1 with stride and dilation 1 and C or K is below 8"
    usually = "the naive program for small products is not told whether channels are last."
    source = "https://github.com/microsoft/onnxruntime/pull/25000"
    operations = ("forward",)
    example = "n1c2i3x4-k3w1x1-s1x1-d1x1-p0+0x0+0-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and steps_one(problem) and min(problem.in_channels, problem.out_channels) < 8


class OnePixelBatchMixed(Triggered):
    """The memory of x is read as (C, N)."""

    bug = BatchAndChannelsExchanged
    trigger = "image and kernel are 1x1 and there are several images"
    usually = "a layer of one pixel is handed to a matrix product whose operand is not transposed."
    source = "layers of one pixel that are handed to a fully connected path"
    example = "n3c4i1x1-k2w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.input_size == (1, 1) and problem.batch > 1


class _LastSubsampledRowLost(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        kept = problem.input_size[axis] // problem.stride[axis]
        taps[kept:] = ABSENT
        return taps


class SubsampledViewTooSmall(Triggered):
    """The last rows and columns read zero where the stride does not divide the image."""

    bug = _LastSubsampledRowLost
    trigger = "the kernel is 1x1 without padding and the stride does not divide the image"
    usually = "x[::s] has ceil(H / s) rows: a view of H // s loses the last."
    source = "strided 1x1 layers that subsample x through a strided view"
    example = "n1c2i5x4-k3w1x1-s2x2-d1x1-p0+0x0+0-g1-o3x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        divides = all(length % stride == 0 for length, stride in zip(problem.input_size, problem.stride, strict=True))
        return _fits(problem) and not any(map(sum, problem.padding)) and not divides
