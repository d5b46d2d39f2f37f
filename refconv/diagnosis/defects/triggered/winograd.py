"""Winograd's algorithm: for 3x3 kernels of stride and dilation 1, in tiles of outputs."""

# ruff: noqa: D102  (applies is described where Triggered declares it)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.fast_paths import KernelSizeHardCoded
from refconv.diagnosis.defects.groups import OnlyFirstGroup
from refconv.diagnosis.defects.padding import PaddingAxesSwapped, PaddingIgnored, SamePaddingAssumed
from refconv.diagnosis.defects.stride_dilation import DilationIgnored, StrideOfHeightForBoth
from refconv.diagnosis.defects.triggered import parts, space
from refconv.diagnosis.defects.triggered.shapes import is_padded, kernel_is, steps_one, tail
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import ConvProblem


def _fits(problem: ConvProblem) -> bool:
    return kernel_is(problem, 3, 3) and steps_one(problem)


class WinogradIgnoresDilation(Triggered):
    """The taps are dense whatever the dilation."""

    bug = DilationIgnored
    trigger = "the kernel is 3x3 with stride 1 and a dilation"
    usually = "winograd is chosen by kernel and stride alone: it cannot dilate."
    source = "winograd kernels chosen by kernel and stride alone"
    operations = ("forward",)
    example = "n1c2i7x6-k3w3x3-s1x1-d2x1-p1+0x0+1-g1-o4x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 3, 3) and problem.stride == (1, 1) and max(problem.dilation) > 1


class WinogradChecksOneStride(Triggered):
    """The horizontal stride is ignored."""

    bug = StrideOfHeightForBoth
    trigger = "the kernel is 3x3 and the stride is 1 along the height alone"
    usually = "winograd is chosen if stride[0] is 1: both strides must be."
    source = "fast paths chosen by the first of two strides"
    operations = ("forward",)
    example = "n1c2i5x8-k3w3x3-s1x2-d1x1-p1+0x0+1-g1-o4x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 3, 3) and problem.stride[0] == 1 < problem.stride[1]


class WinogradIgnoresPadding(Triggered):
    """The window starts inside of the image, as if there were no padding."""

    bug = PaddingIgnored
    trigger = "the kernel is 3x3 with stride and dilation 1 and padding"
    usually = "the winograd kernel reads unpadded tiles, and is chosen with padding, too."
    source = "https://github.com/openvinotoolkit/openvino/pull/33681"
    operations = ("forward",)
    example = "n1c2i5x6-k3w3x3-s1x1-d1x1-p1+1x1+1-g1-o5x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and is_padded(problem)


class WinogradAssumesSamePadding(Triggered):
    """The kernel is centred on the output position whatever the padding."""

    bug = SamePaddingAssumed
    trigger = "the kernel is 3x3 with stride and dilation 1 and a padding other than 1"
    usually = "tiles are cut for a padding of 1, the only one that was allowed once."
    source = "https://github.com/apache/tvm/pull/4260"
    operations = ("forward",)
    example = "n1c2i5x6-k3w3x3-s1x1-d1x1-p0+0x2+2-g1-o3x8"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and any(begin != 1 for begin, _ in problem.padding)


class WinogradPadsInOtherOrder(Triggered):
    """The paddings of height and width are exchanged."""

    bug = PaddingAxesSwapped
    trigger = "the kernel is 3x3 with stride and dilation 1 and the axes are padded differently"
    usually = "the winograd path takes the pads in the order of the axes, the caller lists them last axis first."
    source = "https://github.com/tinygrad/tinygrad/pull/14294"
    operations = ("forward",)
    example = "n1c2i5x6-k3w3x3-s1x1-d1x1-p0+1x2+0-g1-o4x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.padding[0] != problem.padding[1]


class WinogradKernelTakenForThree(Triggered):
    """Of the kernel, only the first 3x3 taps are used."""

    bug = KernelSizeHardCoded
    trigger = "the kernel is square and larger than 3x3, at stride and dilation 1"
    usually = "the size of the kernel is written into the path for weights that were transformed before."
    source = "https://github.com/apache/tvm/pull/4276"
    operations = ("forward",)
    example = "n1c2i8x9-k3w5x5-s1x1-d1x1-p1+1x1+1-g1-o6x7"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        kH, kW = problem.kernel_size
        return steps_one(problem) and kH == kW > 3


class WinogradTilesTooClose(Triggered):
    """The input of the next tile begins two elements later where it must be four."""

    bug = space.TilesAdvance
    trigger = "the kernel is 3x3 with stride and dilation 1 and an output axis is longer than 4"
    usually = "tiles of F(4x4, 3x3) are taken with the step of F(2x2, 3x3): it is m, not r - 1."
    source = "https://github.com/adam-dziedzic/winograd/issues/1"
    operations = ("forward",)
    example = "n1c2i5x8-k3w3x3-s1x1-d1x1-p0+0x0+0-g1-o3x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and max(problem.output_size) > 4


class WinogradTilesFloored(Triggered):
    """Output columns beyond the last whole tile of four are not computed."""

    bug = space.TailSkipped
    trigger = "the kernel is 3x3 with stride and dilation 1 and oW is above 4 and no multiple of it"
    usually = "the number of tiles is floored: it is ceil(oW / 4), and the last tile is cropped."
    source = "https://github.com/adam-dziedzic/winograd/issues/1"
    operations = ("forward",)
    example = "n1c2i4x9-k3w3x3-s1x1-d1x1-p0+0x0+0-g1-o2x7"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and tail(problem.output_size[1], 4) > 0


class WinogradGridWithoutGroups(Triggered):
    """Only the output channels of the first group are computed."""

    bug = OnlyFirstGroup
    trigger = "the kernel is 3x3 with stride and dilation 1, in float16 with groups"
    usually = "the size of the grid is not multiplied by the number of groups."
    source = "https://github.com/ROCm/rocm-libraries/issues/4998"
    operations = ("forward",)
    example = "n1c4i5x6-k4w3x3-s1x1-d1x1-p1+1x1+1-g2-o5x6"
    dtype = "float16"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and problem.groups > 1 and dtype == np.float16


class WinogradInputTailDropped(Triggered):
    """Input channels beyond the last multiple of four are not added."""

    bug = parts.InputTailDropped
    trigger = "the kernel is 3x3 with stride and dilation 1 and C/G is above 4 and no multiple of it"
    usually = "the product of transformed tiles runs over whole vectors of channels."
    source = "winograd kernels without a tail over channels (mobile CPU libraries)"
    example = "n1c5i4x6-k2w3x3-s1x1-d1x1-p1+0x0+0-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return _fits(problem) and tail(problem.in_channels // problem.groups, 4) > 0


class WinogradFilterTailDropped(Triggered):
    """Kernel rows and columns beyond the last multiple of three are not used."""

    bug = space.TapTailDropped
    trigger = "the kernel is larger than 3 and no multiple of it, at dilation 1"
    usually = "large kernels are cut into pieces of three taps, and the last, smaller piece is lost."
    source = "https://github.com/ROCm/MIOpen/pull/2027"
    operations = ("forward",)
    example = "n1c2i7x8-k3w4x5-s1x2-d1x1-p1+1x1+1-g1-o6x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.dilation == (1, 1) and any(tail(kernel, 3) for kernel in problem.kernel_size)


class _TileNumbersOfSquare(Layer):
    def pixels(self, problem: ConvProblem) -> Integers:
        table = super().pixels(problem)
        oH, oW = problem.output_size
        down, across = -(-oH // 2), -(-oW // 2)
        rows, columns = np.divmod(np.arange(oH * oW), oW)
        tiles = rows // 2 * across + columns // 2
        rows, columns = tiles // down * 2 + rows % 2, tiles % down * 2 + columns % 2
        inside = (rows < oH) & (columns < oW)
        source = np.where(inside, rows * oW + columns, 0)
        return np.where(inside[:, None], table[source], ABSENT)


class WinogradTilesOfSquare(Triggered):
    """Tiles are counted as in an output that has as many across as down."""

    bug = _TileNumbersOfSquare
    trigger = "the kernel is 3x3 with stride and dilation 1 and the output has unequally many 2x2 tiles down and across"
    usually = "the number of a tile is divided by the tiles down where it must be those across."
    source = "winograd kernels tested on square images"
    operations = ("forward",)
    example = "n1c2i5x8-k3w3x3-s1x1-d1x1-p0+1x0+0-g1-o4x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        down, across = (-(-length // 2) for length in problem.output_size)
        return _fits(problem) and down != across
