"""Channels that do not fill the blocks of vectors, packed weights and GEMM tiles."""

# ruff: noqa: D102  (applies is described where Triggered declares it)

from __future__ import annotations

import math
from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.triggered import parts
from refconv.diagnosis.defects.triggered.shapes import inputs_per_group, kernel_is, outputs_per_group, steps_one, tail
from refconv.problem import OPERATIONS, ConvProblem


class HalfVectorOfInputsDropped(Triggered):
    """The last two input channels are not added."""

    bug = parts.InputTailDropped
    trigger = "C is above 4 and two more than a multiple of 4, without groups"
    usually = "a vector loop over c has no tail for half a vector."
    source = "https://github.com/pytorch/pytorch/issues/21597"
    example = "n2c6i4x5-k3w3x2-s1x1-d1x1-p1+0x0+1-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups == 1 and tail(problem.in_channels, 4) == 2


class EighthInputMisread(Triggered):
    """The last channel of each vector of eight reads its neighbour."""

    bug = parts.LastOfBlockMisread
    trigger = "C is 8 or more, without groups"
    usually = "weights are packed for vectors of another length than the kernel reads."
    source = "https://github.com/modular/modular/issues/6248"
    operations = ("forward",)
    example = "n1c8i4x5-k3w3x2-s1x1-d1x1-p0+0x0+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups == 1 and problem.in_channels >= 8


class InputsBeyondThirtyTwoDropped(Triggered):
    """Input channels beyond the last multiple of 32 are not added."""

    bug = parts.InputTailDropped.of(block=32)
    trigger = "C/G is above 32 and no multiple of it"
    usually = "the loop over tiles of c is floored where it must be ceiled."
    source = "https://github.com/tenstorrent/tt-metal/issues/5087"
    operations = ("forward",)
    example = "n1c35i3x4-k2w2x1-s1x1-d1x1-p0+0x0+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(inputs_per_group(problem), 32) > 0


class GroupTailReadsTooEarly(Triggered):
    """The last vector of channels is moved back to end with its group, but its weights are not."""

    bug = parts.InputTailRealigned.of(block=8)
    trigger = "groups > 1 and C/G is above 8 and no multiple of it"
    usually = "the last load is moved back to stay within the group: move the weights' load, too."
    source = "vector kernels that reload the last full vector instead of masking a tail"
    example = "n1c22i3x4-k4w2x2-s1x1-d1x1-p0+1x0+0-g2-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and tail(inputs_per_group(problem), 8) > 0


class NchwcInputTailMisread(Triggered):
    """The last vector of four channels reads its data too early."""

    bug = parts.InputTailRealigned
    trigger = "C is above 4 and no multiple of it while K fills blocks of 8, without groups"
    usually = "a reordering to NCHWc that takes vectors of four for granted runs on other channel counts."
    source = "https://github.com/microsoft/onnxruntime/issues/14392"
    operations = ("forward",)
    example = "n1c9i4x3-k8w2x3-s1x1-d1x1-p0+0x1+1-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups == 1 and tail(problem.in_channels, 4) > 0 and problem.out_channels % 8 == 0


class LoneLastOutputSkipped(Triggered):
    """The last output channel is not computed."""

    bug = parts.OutputTailSkipped.of(block=8)
    trigger = "K is one more than a multiple of 8"
    usually = "the tail loop starts at two outputs: one alone needs a pass as well."
    source = "blocked CPU kernels that compute output channels in pairs after blocks of eight"
    operations = OPERATIONS
    example = "n2c2i4x5-k9w2x3-s2x1-d1x1-p1+0x0+1-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(problem.out_channels, 8) == 1


class WideOutputMaskTruncated(Triggered):
    """Output channels beyond the last multiple of eight are not computed."""

    bug = parts.OutputTailSkipped.of(block=8)
    trigger = "K leaves 9 to 15 over from blocks of 16"
    usually = "the mask of a vector of 16 lanes is held in eight bits."
    source = "AVX-512 kernels whose tail mask is an 8-bit integer"
    operations = ("forward",)
    example = "n1c3i4x3-k27w2x2-s1x1-d1x1-p0+0x0+0-g1-o3x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.out_channels % 16 > 8


class LastTileTakesTailWeights(Triggered):
    """The last tile of 32 outputs, moved back to fit, is computed with weights of the tail."""

    bug = parts.OutputTileRealigned
    trigger = "K is above 32 and no multiple of it, without groups"
    usually = "a tile that is moved back to end with y must move back in the weights, too."
    source = "GEMM kernels that shift the last tile back instead of masking it"
    operations = ("forward", "grad_input")
    example = "n1c2i3x4-k34w2x1-s1x1-d1x1-p0+0x0+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups == 1 and tail(problem.out_channels, 32) > 0


class OutputsBeyondSixtyFourSkipped(Triggered):
    """Output channels beyond the last multiple of 64 are not computed."""

    bug = parts.OutputTailSkipped.of(block=64)
    trigger = "K is above 64 and no multiple of it"
    usually = "the grid is K // 64 tiles: round up, and mask the last tile."
    source = "GPU kernels launched on a floored grid of output tiles"
    operations = OPERATIONS
    example = "n1c2i3x4-k67w1x2-s1x2-d1x1-p0+0x0+0-g1-o3x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(problem.out_channels, 64) > 0


class WeightRowsReadAligned(Triggered):
    """The weights of an output channel are read from up to three elements too early."""

    bug = parts.WeightRowsAlignedDown
    trigger = "C*kH*kW is no multiple of 4, without groups"
    usually = "weights are loaded four at a time from index >> 2: rows that are no multiple of 4 are not aligned."
    source = "https://github.com/kvark/meganeura/pull/122"
    operations = ("forward",)
    example = "n1c2i4x5-k5w3x3-s1x2-d1x1-p1+1x0+0-g1-o4x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups == 1 and inputs_per_group(problem) * math.prod(problem.kernel_size) % 4 != 0


class PatchRowsRoundedUp(Triggered):
    """The weights of output channel k begin at a multiple of 32."""

    bug = parts.WeightRowsPadded
    trigger = "stride and kernel are equal and C*kH*kW is no multiple of 32"
    usually = "rows of the patch matrix are rounded up to 32 elements, but the weights are not stored so."
    source = "https://github.com/ggml-org/ggml/pull/274"
    operations = ("forward",)
    example = "n1c3i4x6-k4w2x3-s2x3-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        row = inputs_per_group(problem) * math.prod(problem.kernel_size)
        return problem.stride == problem.kernel_size and row % 32 != 0


class PackedWeightTailTransposed(Triggered):
    """The weights of the last two or three output channels are read in columns."""

    bug = parts.WeightTailTransposed
    trigger = "the kernel is 3x3 and K is above 4 and leaves 2 or 3 over from blocks of 4"
    usually = "weights are packed four rows at a time; the tail is packed one row at a time and read as a block."
    source = "weights packed for blocks of four outputs (mobile CPU kernels)"
    operations = ("forward",)
    example = "n1c2i5x4-k7w3x3-s1x1-d1x1-p0+0x1+0-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 3, 3) and tail(problem.out_channels, 4) > 1


class GroupOutputTailLost(Triggered):
    """Output channels of a group beyond its last whole vector of four are not computed."""

    bug = parts.GroupOutputTailSkipped
    trigger = "groups > 1 and K/G is above 4 and no multiple of it"
    usually = "the loop over the outputs of a group runs to (K/G) // 4."
    source = "grouped kernels vectorised over the outputs of a group"
    example = "n2c4i4x3-k12w2x2-s1x1-d1x1-p1+0x0+1-g2-o4x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and tail(outputs_per_group(problem), 4) > 0


class BiasTailLost(Triggered):
    """Output channels beyond the last multiple of four get no bias."""

    bug = parts.BiasTailIgnored
    trigger = "K is above 4 and no multiple of it and stride and dilation are 1"
    usually = "the bias is loaded in vectors of four by the fast path; its tail loop starts from zero."
    source = "vector kernels whose scalar tail starts its accumulators at zero"
    operations = ("forward",)
    example = "n1c2i4x3-k6w2x3-s1x1-d1x1-p0+0x1+0-g1-o3x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return steps_one(problem) and tail(problem.out_channels, 4) > 0
