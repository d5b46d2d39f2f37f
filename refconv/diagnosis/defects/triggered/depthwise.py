"""Depthwise layers: kernels of their own, for some sizes, strides, dilations and multipliers."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.batch import FirstImageForAll
from refconv.diagnosis.defects.groups import GroupOffsetIgnored, MultiplierFirst, OutputsInterleaved
from refconv.diagnosis.defects.padding import ColumnsNotChecked, PaddingEndsSwapped
from refconv.diagnosis.defects.placement import WindowsAlignedToEnd, leftover
from refconv.diagnosis.defects.triggered import parts, space
from refconv.diagnosis.defects.triggered.shapes import is_depthwise, is_square, kernel_is, outputs_per_group, tail
from refconv.diagnosis.layer import Integers, Layer
from refconv.problem import ConvProblem


class DilatedDepthwiseHoldsBias(Triggered):
    """The outputs hold nothing but the bias."""

    bug = parts.NothingComputed
    trigger = "a depthwise kernel is 3x3 with stride 1 and a dilation"
    usually = "the kernel is dispatched by its size, finds no variant for the dilation, and returns."
    source = "https://github.com/Tencent/ncnn/issues/315"
    operations = ("forward",)
    example = "n1c3i6x5-k3w3x3-s1x1-d2x1-p1+0x0+1-g3-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        dilated = problem.stride == (1, 1) and max(problem.dilation) > 1
        return is_depthwise(problem) and kernel_is(problem, 3, 3) and dilated


class _RowPitchIsHeight(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, (H, W) = super().places(tensor, problem), problem.input_size
        if tensor == "x":
            plane = table // (H * W) * (H * W)
            return plane + np.arange(H)[:, None] * H + np.arange(W)
        return table


class DepthwiseOfNonSquareImage(Triggered):
    """Rows of the image are thought to be as long as it is high."""

    bug = _RowPitchIsHeight
    trigger = "a depthwise kernel is 3x3 and the image is not square"
    usually = "a row is addressed with ih*H where it must be ih*W."
    source = "https://github.com/PaddlePaddle/Paddle-Lite/issues/1224"
    operations = ("forward",)
    example = "n1c2i4x6-k2w3x3-s1x1-d1x1-p0+0x0+0-g2-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and kernel_is(problem, 3, 3) and not is_square(problem)


class DepthwisePointerStays(Triggered):
    """All channels read the first one."""

    bug = GroupOffsetIgnored
    trigger = "the layer is depthwise"
    usually = "the loop over channels advances the pointer to the weights, but not that to x."
    source = "https://github.com/ucb-bar/gemmini-rocc-tests/issues/21"
    operations = ("forward",)
    example = "n1c2i4x5-k2w3x2-s1x1-d1x1-p0+0x0+0-g2-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem)


class DepthwiseMultiplierOrder(Triggered):
    """Output channel m*C + c holds the m-th output of channel c."""

    bug = MultiplierFirst
    trigger = "a depthwise kernel is 3x3 and each channel has several outputs"
    usually = "the 3x3 kernel was written for one output per channel; k = c*multiplier + m."
    source = "https://github.com/ARM-software/ComputeLibrary/issues/553"
    operations = ("forward",)
    example = "n1c2i4x5-k4w3x3-s1x1-d1x1-p0+0x0+0-g2-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and kernel_is(problem, 3, 3) and outputs_per_group(problem) > 1


class DepthwiseOutputModuloChannels(Triggered):
    """Output channel k reads input channel k mod C."""

    bug = OutputsInterleaved
    trigger = "the layer is depthwise and each channel has several outputs"
    usually = "the input channel of output k is k // (K/C), not k % C."
    source = "https://github.com/microsoft/onnxjs/issues/41"
    operations = ("forward",)
    example = "n1c2i4x5-k6w2x3-s2x2-d1x1-p0+1x1+0-g2-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and outputs_per_group(problem) > 1


class _InputIsOutput(Layer):
    def channels(self, problem: ConvProblem) -> Integers:
        return np.arange(problem.out_channels)[:, None]


class DepthwiseMultiplierIgnored(Triggered):
    """Output channel k reads input channel k; those beyond C read nothing."""

    bug = _InputIsOutput
    trigger = "the layer is depthwise and each channel has several outputs"
    usually = "the kernel was written for K = C: the input channel of output k is k // (K/C)."
    source = "https://github.com/yonghenglh6/DepthwiseConvolution/issues/14"
    example = "n1c3i4x5-k6w2x3-s1x2-d1x1-p0+1x1+0-g3-o4x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and outputs_per_group(problem) > 1


class DepthwiseLineKernelLost(Triggered):
    """Nothing is computed but the bias."""

    bug = parts.NothingComputed
    trigger = "a depthwise kernel has one row or one column, and several taps"
    usually = "a kernel of one dimension matches no optimised variant, and the generic one is never run."
    source = "https://github.com/ARM-software/ComputeLibrary/issues/904"
    operations = ("forward",)
    example = "n1c2i6x4-k2w3x1-s1x1-d1x1-p0+0x0+0-g2-o4x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and min(problem.kernel_size) == 1 < max(problem.kernel_size)


class LargeDepthwiseTapsLost(Triggered):
    """Kernel rows and columns beyond the fourth are not used."""

    bug = space.TapsBeyond.of(limit=4)
    trigger = "a depthwise kernel is 5x5 or 7x7"
    usually = "the accelerator's kernel holds 3x3 taps padded to four."
    source = "https://github.com/tensorflow/tensorflow/issues/54481"
    operations = ("forward",)
    example = "n1c2i6x7-k2w5x5-s1x1-d1x1-p1+0x0+1-g2-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and (kernel_is(problem, 5, 5) or kernel_is(problem, 7, 7))


class DepthwiseNegativePadding(Triggered):
    """The windows end at the end of the image: leftovers are skipped at its beginning."""

    bug = WindowsAlignedToEnd
    trigger = "a depthwise kernel is smaller than the stride of an axis that has leftovers"
    usually = "the padding (o - 1)*s + k - i of SAME is negative there: hold it at zero."
    source = "https://github.com/tensorflow/tensorflow/issues/61815"
    operations = ("forward",)
    example = "n1c2i8x8-k2w3x1-s2x2-d1x1-p0+1x0+0-g2-o4x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        small = [problem.kernel_size[axis] < problem.stride[axis] and leftover(problem, axis) for axis in (0, 1)]
        return is_depthwise(problem) and any(small)


class AsymmetricDepthwisePads(Triggered):
    """The paddings at the beginning and at the end are exchanged."""

    bug = PaddingEndsSwapped
    trigger = "a depthwise layer has a stride and larger pads at the end"
    usually = "pads of SAME are split with the larger half at the beginning by the depthwise operator alone."
    source = "https://github.com/microsoft/nnfusion/issues/192"
    operations = ("forward",)
    example = "n1c2i8x8-k2w5x5-s2x2-d1x1-p1+2x1+2-g2-o4x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and min(problem.stride) > 1 and any(begin < end for begin, end in problem.padding)


class StridedDepthwiseReadsNextRow(Triggered):
    """A tap right of the image reads the next row."""

    bug = ColumnsNotChecked
    trigger = "a depthwise kernel is 3x3 with stride 2 and padding at the right"
    usually = "vectors are loaded in pairs of strides, past the end of the row."
    source = "https://github.com/opencv/opencv/issues/23151"
    operations = ("forward",)
    example = "n1c2i5x7-k2w3x3-s2x2-d1x1-p0+0x0+2-g2-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        strided = kernel_is(problem, 3, 3) and problem.stride == (2, 2)
        return is_depthwise(problem) and strided and problem.padding[1][1] > 0


class DepthwiseChannelTailSkipped(Triggered):
    """Channels beyond the last multiple of four are not computed."""

    bug = parts.OutputTailSkipped
    trigger = "a depthwise layer has more than 4 channels, no multiple of it"
    usually = "channels are the vector's lanes: the last, partial vector is missing."
    source = "https://github.com/bhuman/CompiledNN/issues/16"
    operations = ("forward",)
    example = "n1c6i4x5-k6w3x2-s1x1-d1x1-p0+0x0+0-g6-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and tail(problem.out_channels, 4) > 0


class WholeHeightDepthwiseOfBatch(Triggered):
    """All images are computed from the first one."""

    bug = FirstImageForAll
    trigger = "a depthwise kernel is as high as the image, for several images in float32"
    usually = "the layer is rewritten as a matrix product, whose operand is not advanced from image to image."
    source = "https://github.com/pytorch/pytorch/issues/188335"
    operations = ("forward",)
    example = "n2c2i4x5-k4w4x1-s1x1-d1x1-p0+0x0+0-g2-o1x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        spans = problem.kernel_size[0] == problem.input_size[0] and problem.batch > 1
        return is_depthwise(problem) and spans and dtype == np.float32


class _ColumnsInPairs(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        return taps - taps % 2 if axis == 1 else taps


class WidelyDilatedDepthwiseInPairs(Triggered):
    """Odd columns are read from the even column before them."""

    bug = _ColumnsInPairs
    trigger = "a depthwise kernel is dilated by an even number of columns"
    usually = "two columns share a texel: whether a tap hits its first or second half depends on the output column."
    source = "https://github.com/tensorflow/tfjs/issues/5378"
    operations = ("forward",)
    example = "n1c2i5x7-k2w3x3-s1x1-d1x2-p0+0x1+0-g2-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and problem.dilation[1] % 2 == 0
