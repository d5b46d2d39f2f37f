"""Where the gradient of the weights alone goes wrong."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.groups import OutputsShuffled
from refconv.diagnosis.defects.layout import WeightInputsFirst
from refconv.diagnosis.defects.orientation import KernelTransposed
from refconv.diagnosis.defects.padding import PaddingEndsSwapped
from refconv.diagnosis.defects.placement import WindowsAlignedToEnd, leftover
from refconv.diagnosis.defects.stride_dilation import StrideIgnored, StrideOfHeightForBoth
from refconv.diagnosis.defects.triggered import space
from refconv.diagnosis.defects.triggered.shapes import (
    inputs_per_group,
    is_asymmetric,
    is_depthwise,
    is_padded,
    is_square,
    kernel_is,
    tail,
)
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import ConvProblem

WEIGHT = ("grad_weight",)


class _BottomTapsAlwaysPadded(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        if axis == 0:
            taps[-1, -1] = ABSENT
        return taps


class BottomPaddingTakenForGranted(Triggered):
    """The last kernel row gets no gradient from the last output row."""

    bug = _BottomTapsAlwaysPadded
    trigger = "a depthwise layer has a multiple of 8 channels, stride 2, padding and leftover rows"
    usually = "the last window is thought to reach into the bottom padding, which leftovers keep it from."
    source = "https://github.com/pytorch/pytorch/issues/50042"
    operations = WEIGHT
    example = "n1c8i6x6-k8w3x3-s2x2-d1x1-p1+1x1+1-g8-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        blocked = is_depthwise(problem) and problem.out_channels % 8 == 0
        return blocked and problem.stride == (2, 2) and is_padded(problem) and leftover(problem, 0) > 0


class GroupedStrideBeyondKernel(Triggered):
    """The window moves by no more than its own extent."""

    bug = space.StrideLimitedToKernel
    trigger = "groups > 1 and the stride is larger than the kernel"
    usually = "the pointer to x is advanced by the taps that were read, not by the stride."
    source = "https://github.com/pytorch/pytorch/issues/68868"
    operations = WEIGHT
    example = "n1c4i7x8-k4w2x1-s4x2-d1x1-p1+1x0+0-g2-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        beyond = any(stride > kernel for stride, kernel in zip(problem.stride, problem.kernel_size, strict=True))
        return problem.groups > 1 and beyond


class NonSquareGradientTransposed(Triggered):
    """The rows and columns of the gradient are exchanged."""

    bug = KernelTransposed
    trigger = "neither image nor kernel is square"
    usually = "tests with square images and kernels do not tell kW*kH from kH*kW."
    source = "https://github.com/Maratyszcza/NNPACK/issues/15"
    operations = WEIGHT
    example = "n1c2i5x4-k3w3x2-s1x1-d1x1-p0+0x0+1-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return not is_square(problem) and len(set(problem.kernel_size)) > 1


class GroupedGradientRepeated(Triggered):
    """The outputs of the groups are taken in alternation instead of block after block."""

    bug = OutputsShuffled
    trigger = "groups > 1 and each has several outputs"
    usually = "grad_output is repeated C/G times along the channels: which copy meets which group depends on the axis."
    source = "https://github.com/pytorch/pytorch/issues/51430"
    operations = WEIGHT
    example = "n2c4i4x5-k4w3x2-s1x1-d1x1-p0+0x0+1-g2-o2x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return 1 < problem.groups < problem.out_channels


class StridedPointwiseOfFewChannels(Triggered):
    """The windows are one element apart whatever the stride."""

    bug = StrideIgnored
    trigger = "the kernel is 1x1 with a stride and C/G is below 8"
    usually = "the strided image is copied to a dense workspace whose size assumes a block of channels."
    source = "https://github.com/uxlfoundation/oneDNN/issues/6035"
    operations = WEIGHT
    example = "n2c4i4x5-k3w1x1-s2x2-d1x1-p0+0x0+0-g1-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 1, 1) and max(problem.stride) > 1 and inputs_per_group(problem) < 8


class WideImageOfLargeKernel(Triggered):
    """Columns of grad_output beyond the last multiple of 32 are not added."""

    bug = space.TailSkipped.of(block=32)
    trigger = "the kernel is 7 or larger and oW is above 32 and no multiple of it"
    usually = "a row is held in pieces of the workgroup's width, of which the last is dropped."
    source = "https://github.com/ROCm/MIOpen/issues/97"
    operations = WEIGHT
    example = "n1c2i2x39-k2w1x7-s1x1-d1x1-p0+0x0+0-g1-o2x33"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return max(problem.kernel_size) >= 7 and tail(problem.output_size[1], 32) > 0


class UnequalStridesOfFewChannels(Triggered):
    """The stride of the height is used for the width, too."""

    bug = StrideOfHeightForBoth
    trigger = "C and K are below 4 and the strides differ"
    usually = "the kernel for few channels is compiled with one stride."
    source = "https://github.com/ROCm/MIOpen/issues/77"
    operations = WEIGHT
    example = "n2c2i5x7-k1w3x3-s1x2-d1x1-p0+0x0+0-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return max(problem.in_channels, problem.out_channels) < 4 and len(set(problem.stride)) > 1


class HighImageOfOneOutput(Triggered):
    """Rows of grad_output beyond the 64th are not added."""

    bug = space.OutputsAfter.of(axis=space.ROWS)
    trigger = "K is 1 and oH is above 64 (2044 in the report)"
    usually = "each of a fixed number of workers adds a fixed number of rows."
    source = "https://github.com/ROCm/MIOpen/issues/449"
    operations = WEIGHT
    example = "n1c2i66x3-k1w2x2-s1x1-d1x1-p0+0x0+0-g1-o65x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.out_channels == 1 and problem.output_size[0] > 64


class EvenGroupedPointwise(Triggered):
    """The memory of the gradient is written as (C/G, K)."""

    bug = WeightInputsFirst
    trigger = "the kernel is 1x1 with stride 1 and no padding, groups > 1, and C/G or K is even"
    usually = "vectors of two are stored with the stride of the other axis."
    source = "https://github.com/ROCm/composable_kernel/pull/2478"
    operations = WEIGHT
    example = "n1c4i3x2-k4w1x1-s1x1-d1x1-p0+0x0+0-g2-o3x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        plain = kernel_is(problem, 1, 1) and problem.stride == (1, 1) and not is_padded(problem)
        even = inputs_per_group(problem) % 2 == 0 or problem.out_channels % 2 == 0
        return plain and problem.groups > 1 and even


class AsymmetricGradient(Triggered):
    """The paddings at the beginning and at the end are exchanged."""

    bug = PaddingEndsSwapped
    trigger = "pads are asymmetric"
    usually = "the solver knows one padding per axis and must refuse two."
    source = "https://github.com/ROCm/MIOpen/issues/142"
    operations = WEIGHT
    example = "n1c2i5x4-k3w2x2-s1x1-d1x1-p0+1x0+1-g1-o5x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_asymmetric(problem)


class OversizedGradientCropped(Triggered):
    """The first rows and columns of an oversized gradient are dropped instead of the last."""

    bug = WindowsAlignedToEnd
    trigger = "rows or columns are left over"
    usually = "correlating x with grad_output gives as many rows too much as are left over: drop the last."
    source = "https://github.com/meta-pytorch/opacus/pull/245"
    operations = WEIGHT
    example = "n1c2i6x5-k3w3x2-s2x2-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(leftover(problem, axis) for axis in (0, 1))
