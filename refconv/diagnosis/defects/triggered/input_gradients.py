"""Where the gradient of the input alone goes wrong."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.groups import GroupOffsetIgnored
from refconv.diagnosis.defects.orientation import KernelTransposed
from refconv.diagnosis.defects.padding import PaddingIgnored, PaddingOfWidthForBoth
from refconv.diagnosis.defects.placement import WindowsCentred, leftover
from refconv.diagnosis.defects.stride_dilation import StrideIgnored
from refconv.diagnosis.defects.triggered import parts
from refconv.diagnosis.defects.triggered.shapes import is_depthwise, kernel_is, reach
from refconv.diagnosis.layer import ABSENT, Integers, Layer, Window
from refconv.problem import ConvProblem

INPUT = ("grad_input",)


class _SlicesOfTaps(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        kernel, slices = problem.kernel_size[axis], problem.stride[axis]
        most = -(-kernel // slices)
        number, turn = np.arange(kernel) % slices, np.arange(kernel) // slices
        kept = np.where((number + 1) * most <= kernel, most, kernel % most)
        return np.where(turn < kept, taps, ABSENT)


class StridedTapsLost(Triggered):
    """Some of the last taps send no gradient."""

    bug = _SlicesOfTaps
    trigger = "the stride is 3 or more, the dilation 1, and the stride does not divide the kernel"
    usually = "taps are sorted into one slice per remainder modulo s: slice i has ceil((k - i) / s) taps."
    source = "https://github.com/ROCm/MIOpen/issues/575"
    operations = INPUT
    example = "n1c2i8x9-k3w7x2-s3x1-d1x1-p0+0x0+0-g1-o1x8"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        uneven = any(s > 2 and k % s for s, k in zip(problem.stride, problem.kernel_size, strict=True))
        return problem.dilation == (1, 1) and uneven


class GroupedStridedGradient(Triggered):
    """The gradients of all groups go to the input channels of the first one."""

    bug = GroupOffsetIgnored
    trigger = "groups > 1 and the stride is above 1"
    usually = "a spread grad_output needs another kernel, which knows no groups."
    source = "https://github.com/ml-explore/mlx/pull/3800"
    operations = INPUT
    example = "n1c4i5x6-k4w3x2-s2x1-d1x1-p1+0x0+1-g2-o2x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and max(problem.stride) > 1


class NarrowStridedGradient(Triggered):
    """Input channels beyond the 16th get no gradient."""

    bug = parts.InputsBeyond.of(limit=16)
    trigger = "the horizontal stride is above 1, C/G is above 16 and W below 17"
    usually = "the unrolled loop over blocks of channels is left after the first on narrow images."
    source = "https://github.com/fujitsu/oneDNN/issues/43"
    operations = INPUT
    example = "n1c18i3x8-k3w2x3-s1x2-d1x1-p0+0x1+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        wide = problem.in_channels // problem.groups > 16
        return problem.stride[1] > 1 and wide and problem.input_size[1] < 17


class _LastWindowShort(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        if leftover(problem, axis):
            taps[-1, problem.stride[axis] :] = ABSENT
        return taps


class LeftoverShortensLastWindow(Triggered):
    """Of the last window, only the first taps send a gradient, one per stride."""

    bug = _LastWindowShort
    trigger = "the stride is 3 or more, the kernel is larger, and rows or columns are left over"
    usually = "the last columns of x are handled apart, with the overlap of one window forgotten."
    source = "https://github.com/pytorch/pytorch/issues/25101"
    operations = INPUT
    example = "n1c2i9x10-k3w5x4-s3x3-d1x1-p1+1x1+1-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        axes = zip(problem.stride, problem.kernel_size, (0, 1), strict=True)
        return any(2 < stride < kernel and leftover(problem, axis) for stride, kernel, axis in axes)


class _FirstHalf(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[problem.batch // 2 :] = ABSENT
        return table


class SplitBatchOfGroups(Triggered):
    """The second half of the images gets no gradient."""

    bug = _FirstHalf
    trigger = "groups > 1 and an even number of images has more than 4096 elements (2 GB in the report)"
    usually = "large batches are split in halves, and the second starts at the pitch of one group."
    source = "https://github.com/ROCm/rocm-libraries/issues/10627"
    operations = INPUT
    example = "n2c4i23x24-k4w1x2-s1x1-d1x1-p0+0x0+0-g2-o23x23"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and problem.batch % 2 == 0 and math.prod(problem.x_shape) > 4096


class TransposedPadOfOtherAxis(Triggered):
    """The padding of the width is used for the height, too."""

    bug = PaddingOfWidthForBoth
    trigger = "the axes are padded differently"
    usually = "the padding of the transposed problem is k - 1 - p per axis: padW stands in the height's line."
    source = "https://github.com/ROCm/MIOpen/pull/179"
    operations = INPUT
    example = "n1c2i5x6-k3w3x3-s1x1-d1x1-p1+1x0+0-g1-o5x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.padding[0][0] != problem.padding[1][0]


class GradientOfUnreadLeftover(Triggered):
    """The gradient is moved towards the middle of the image."""

    bug = WindowsCentred
    trigger = "the stride is larger than the kernel and two or more elements of the axis are left over"
    usually = "the padding (o - 1)*s + k - i is negative there; forward and backward must treat it alike."
    source = "https://github.com/tensorflow/tensorflow/issues/11092"
    operations = INPUT
    example = "n1c2i7x8-k3w2x2-s3x4-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        axes = zip(problem.stride, problem.kernel_size, (0, 1), strict=True)
        return any(stride > kernel and leftover(problem, axis) > 1 for stride, kernel, axis in axes)


class PaddedPointwiseGradient(Triggered):
    """The gradient of the padded input is cropped at its end only."""

    bug = PaddingIgnored
    trigger = "the kernel is 1x1 with padding"
    usually = "the product for 1x1 kernels is written to x without the offset of the padding."
    source = "https://github.com/ROCm/MIOpen/issues/917"
    operations = INPUT
    example = "n1c2i3x4-k3w1x1-s1x1-d1x1-p1+1x1+1-g1-o5x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 1, 1) and any(begin for begin, _ in problem.padding)


class _PaddingWithinReach(Layer):
    def window(self, problem: ConvProblem, axis: int) -> Window:
        window = super().window(problem, axis)
        return window._replace(begin=min(window.begin, reach(problem, axis) - 1))


class GradientCropClamped(Triggered):
    """The padding is taken for no wider than the kernel allows."""

    bug = _PaddingWithinReach
    trigger = "an axis is padded at its beginning by as much as the dilated kernel reaches, or more"
    usually = "the padding k - 1 - p of the transposed problem is negative there: crop instead of holding it at zero."
    source = "gradients computed as a convolution with padding k - 1 - p"
    operations = INPUT
    example = "n1c2i4x5-k3w2x3-s1x1-d1x1-p3+0x1+1-g1-o6x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(begin >= reach(problem, axis) for axis, (begin, _) in enumerate(problem.padding))


class RotatedKernelTransposed(Triggered):
    """The rows and columns of the kernel are exchanged."""

    bug = KernelTransposed
    trigger = "the kernel is not square"
    usually = "the kernel that is turned by 180 degrees is put into an array of (kW, kH)."
    source = "https://github.com/mlpack/mlpack/pull/3376"
    operations = INPUT
    example = "n1c2i4x5-k3w2x3-s1x1-d1x1-p0+0x1+1-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return len(set(problem.kernel_size)) > 1


class StridedDepthwiseGradient(Triggered):
    """No zeros are inserted between the elements of grad_output."""

    bug = StrideIgnored
    trigger = "the layer is depthwise with a stride"
    usually = "the backward pass of the depthwise kernel was written for stride 1."
    source = "https://github.com/yonghenglh6/DepthwiseConvolution/issues/20"
    operations = INPUT
    example = "n1c2i5x6-k2w3x2-s2x2-d1x1-p1+0x0+1-g2-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_depthwise(problem) and max(problem.stride) > 1
