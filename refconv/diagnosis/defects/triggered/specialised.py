"""Layers that get a kernel of their own: first layers, patches, lines, and strides beyond the kernel."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.borders import LastColumnSkipped
from refconv.diagnosis.defects.layout import InputChannelsLast, OutputChannelsLast, WeightTapsFirst
from refconv.diagnosis.defects.padding import PaddingIgnored
from refconv.diagnosis.defects.placement import WindowsAlignedToEnd, leftover
from refconv.diagnosis.defects.triggered import parts, space
from refconv.diagnosis.defects.triggered.shapes import is_padded, is_square, kernel_is
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import ConvProblem


class PackedFirstLayerEmpty(Triggered):
    """Nothing is computed but the bias."""

    bug = parts.NothingComputed
    trigger = "C is 3, the kernel is 3x3 with stride 2, and K is no multiple of 4"
    usually = "the path for packed channels is entered by a first layer whose outputs cannot be packed."
    source = "https://github.com/Tencent/ncnn/issues/1452"
    operations = ("forward",)
    example = "n1c3i5x6-k5w3x3-s2x2-d1x1-p0+1x1+0-g1-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        first = problem.in_channels == 3 and problem.groups == 1 and problem.out_channels % 4 != 0
        return first and kernel_is(problem, 3, 3) and problem.stride == (2, 2)


class OneChannelWeightsChannelsLast(Triggered):
    """The memory of the weights is read as (kH, kW, 1, K)."""

    bug = WeightTapsFirst
    trigger = "C is 1"
    usually = "with one channel, the strides of both layouts are equal but for a factor that nobody looks at."
    source = "https://github.com/pytorch/pytorch/issues/82060"
    operations = ("forward",)
    example = "n1c1i5x6-k3w3x2-s1x1-d1x1-p0+1x1+0-g1-o4x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.in_channels == 1


class OneChannelOutputChannelsLast(Triggered):
    """The memory of y is written as (N, oH, oW, K)."""

    bug = OutputChannelsLast
    trigger = "C is 1 and the kernel is 3x3"
    usually = "a layer of one channel is taken for depthwise, whose outputs are stored in another order."
    source = "https://github.com/tensorflow/tensorflow/issues/30311"
    operations = ("forward",)
    example = "n1c1i5x6-k3w3x3-s1x1-d1x1-p0+1x1+0-g1-o4x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.in_channels == 1 and kernel_is(problem, 3, 3)


class FirstLayerReadsThreeChannels(Triggered):
    """Input channels beyond the third are not added."""

    bug = parts.InputsBeyond.of(limit=3)
    trigger = "C is 4 to 15, no multiple of 4 unless 4, without groups"
    usually = "the first layer's kernel unrolls three channels, and is chosen for any small number."
    source = "https://github.com/microsoft/onnxruntime/issues/29651"
    operations = ("forward",)
    example = "n1c4i4x5-k2w3x2-s1x1-d1x1-p0+1x1+0-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        C = problem.in_channels
        return problem.groups == 1 and 3 < C < 16 and (C == 4 or C % 4 != 0)


class _PatchPitch(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, W = super().places(tensor, problem), problem.input_size[1]
        if tensor == "x":
            table = table // W * problem.output_size[1] * problem.stride[1] + table % W
        return table


class PatchesByReshape(Triggered):
    """Rows of the image are thought to be as long as the patches together."""

    bug = _PatchPitch
    trigger = "stride and kernel are equal, nothing is padded, and columns are left over"
    usually = "x is reshaped to (oH, s, oW, s): crop it to oW*s columns first."
    source = "patch embeddings that reshape instead of convolving"
    example = "n1c2i4x7-k3w2x3-s2x3-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        patches = problem.stride == problem.kernel_size and problem.dilation == (1, 1) and not is_padded(problem)
        return patches and leftover(problem, 1) > 0


class KernelAsWideAsImage(Triggered):
    """The window starts inside of the image, as if there were no padding."""

    bug = PaddingIgnored
    trigger = "the kernel is as wide as the image, and there is padding"
    usually = "rows are flattened into one product: that needs a kernel as wide as the padded image."
    source = "flattened products for kernels as wide as the image (see onnxruntime pull request 1435)"
    operations = ("forward",)
    example = "n1c2i5x3-k2w2x3-s1x1-d1x1-p0+0x1+1-g1-o4x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.kernel_size[1] == problem.input_size[1] and is_padded(problem)


class _TapsBeyondImage(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, (H, W) = super().places(tensor, problem), problem.input_size
        if tensor == "weight":
            table[:, :, H:] = table[..., W:] = ABSENT
        return table


class KernelLargerThanImage(Triggered):
    """Kernel rows and columns beyond the extent of the image are not used."""

    bug = _TapsBeyondImage
    trigger = "the kernel is larger than the image and fits into the padding alone"
    usually = "the loop over taps is limited to H and W: it may begin in the padding."
    source = "https://github.com/ml-explore/mlx/issues/2504"
    operations = ("forward",)
    example = "n1c2i3x4-k2w4x5-s1x1-d1x1-p1+1x1+1-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(kernel > length for kernel, length in zip(problem.kernel_size, problem.input_size, strict=True))


class KernelBeyondUnrolled(Triggered):
    """Kernel rows and columns beyond the eleventh are not used."""

    bug = space.TapsBeyond.of(limit=11)
    trigger = "the kernel is larger than 11"
    usually = "a buffer of weights has room for the largest kernel that its author knew."
    source = "kernels with fixed buffers for up to 11x11 taps (AlexNet's first layer)"
    example = "n1c1i3x14-k2w2x13-s1x1-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return max(problem.kernel_size) > 11


class StrideBeyondKernel(Triggered):
    """The window moves by no more than its own extent."""

    bug = space.StrideLimitedToKernel
    trigger = "the stride is larger than the kernel"
    usually = "a line buffer drops no pixels between windows: those that no window reads must be skipped."
    source = "https://github.com/fastmachinelearning/hls4ml/pull/340"
    operations = ("forward",)
    example = "n1c2i7x8-k2w2x1-s3x2-d1x1-p0+0x0+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(stride > kernel for stride, kernel in zip(problem.stride, problem.kernel_size, strict=True))


class _FirstKernelRowOnly(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        if axis == 0:
            taps = np.where(np.arange(taps.shape[1]) == 0, 0, np.full_like(taps, ABSENT))
        return taps


class LineKernelTakenForHigher(Triggered):
    """The first kernel row meets the image's only row, and the others nothing."""

    bug = _FirstKernelRowOnly
    trigger = "the image has one row and the kernel several"
    usually = "the path for lines tests the image's height: the kernel's must be 1, too."
    source = "https://github.com/ARM-software/CMSIS_5/issues/1542"
    operations = ("forward",)
    example = "n1c2i1x6-k2w3x2-s1x1-d1x1-p1+1x0+0-g1-o1x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.input_size[0] == 1 < problem.kernel_size[0]


class StridedLineEndsEarly(Triggered):
    """The last output column is not computed."""

    bug = LastColumnSkipped
    trigger = "image and kernel have one row, the columns are padded, and the stride is 4 or more"
    usually = "a line whose padding exceeds its stride needs the generic kernel: count the padded positions anew."
    source = "https://github.com/ARM-software/CMSIS-NN/issues/109"
    operations = ("forward",)
    example = "n1c2i1x9-k2w1x5-s1x4-d1x1-p0+0x1+2-g1-o1x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        line = problem.input_size[0] == problem.kernel_size[0] == 1 and is_padded(problem)
        return line and problem.stride[1] >= 4


class StridedFromLowerRight(Triggered):
    """The windows end at the end of the padded input: leftovers are skipped at its beginning."""

    bug = WindowsAlignedToEnd
    trigger = "the kernel is 3x3 with stride 2 and the padded image has leftovers"
    usually = "windows of SAME layers are laid out from the lower right corner by one side, and not by the other."
    source = "https://github.com/ARM-software/CMSIS_5/issues/831"
    operations = ("forward",)
    example = "n1c2i6x8-k2w3x3-s2x2-d1x1-p1+1x1+1-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        strided = kernel_is(problem, 3, 3) and problem.stride == (2, 2)
        return strided and any(leftover(problem, axis) for axis in (0, 1))


class ColumnCheckedAgainstHeight(Triggered):
    """The column is checked against the height."""

    bug = space.ColumnsOfHeight
    trigger = "the image is not square"
    usually = "im2col tests w < height: square images do not tell."
    source = "https://github.com/BVLC/caffe/pull/298"
    example = "n1c2i4x6-k2w2x3-s1x1-d1x1-p1+0x1+1-g1-o4x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return not is_square(problem)


class ImageReadChannelsLast(Triggered):
    """The memory of x, which is (N, C, H, W), is read as (N, H, W, C)."""

    bug = InputChannelsLast
    trigger = "the kernel has several taps and C > 1"
    usually = "im2col is given the layout, but the product after it is not; 1x1 kernels take another path."
    source = "https://github.com/tensorflow/tfjs/issues/6308"
    operations = ("forward",)
    example = "n1c2i4x6-k2w2x3-s1x1-d1x1-p1+0x1+1-g1-o4x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return max(problem.kernel_size) > 1 and problem.in_channels > 1
