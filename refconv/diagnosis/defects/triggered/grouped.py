"""Groups that share vectors, blocks and grids."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.groups import WeightsOfFirstGroup
from refconv.diagnosis.defects.tails import FirstChannelOnly
from refconv.diagnosis.defects.triggered import parts
from refconv.diagnosis.defects.triggered.shapes import inputs_per_group
from refconv.diagnosis.layer import Integers, Layer
from refconv.problem import ConvProblem


class SmallGroupsPaddedToSixteen(Triggered):
    """Groups begin at multiples of 16 input channels, beyond the last of which is nothing."""

    bug = parts.GroupsPadded.of(block=16)
    trigger = "groups > 1, C/G is below 16 and K is a multiple of 16"
    usually = "blocks of 16 channels may hold several groups: a group does not begin at a block of its own."
    source = "https://github.com/pytorch/pytorch/issues/19912"
    operations = ("forward",)
    example = "n1c4i3x4-k16w2x1-s1x1-d1x1-p0+0x0+0-g2-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and inputs_per_group(problem) < 16 and problem.out_channels % 16 == 0


class GroupsPaddedToFour(Triggered):
    """Groups begin at multiples of four input channels."""

    bug = parts.GroupsPadded
    trigger = "groups > 1 and C/G is no multiple of 4"
    usually = "four channels share a texel: the group's first channel may lie within one."
    source = "layouts with four channels to a texel (mobile GPUs)"
    example = "n1c6i3x4-k4w2x2-s1x1-d1x1-p0+1x0+0-g2-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and inputs_per_group(problem) % 4 != 0


class GroupsShareBlock(Triggered):
    """A group reads from the beginning of the block of 16 channels that holds its first."""

    bug = parts.GroupsAlignedDown
    trigger = "groups > 1, C is a multiple of 16 and C/G is not"
    usually = "the offset of a group is counted in blocks, without the channels within the block."
    source = "blocked layouts (16 channels) whose groups are smaller than a block"
    example = "n1c16i3x2-k4w2x1-s1x1-d1x1-p0+0x0+1-g2-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and problem.in_channels % 16 == 0 and inputs_per_group(problem) % 16 != 0


class LongKernelsOfGroups(Triggered):
    """All groups use the weights of the first one."""

    bug = WeightsOfFirstGroup
    trigger = "groups > 1 and the kernel is 16 or longer"
    usually = "weights are packed in pieces of the kernel, whose offsets leave the group out."
    source = "https://github.com/modular/modular/issues/6129"
    operations = ("forward",)
    example = "n1c4i1x18-k4w1x17-s1x1-d1x1-p0+0x0+0-g2-o1x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and max(problem.kernel_size) >= 16


class GroupsTakenForDepthwise(Triggered):
    """Only the first input channel of each group is read."""

    bug = FirstChannelOnly
    trigger = "groups > 1 and each has several input channels"
    usually = "groups > 1 is taken for depthwise: groups must equal C for that."
    source = "https://github.com/apache/tvm/pull/5132"
    operations = ("forward",)
    example = "n1c4i3x4-k4w2x2-s1x1-d1x1-p0+1x0+0-g2-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and inputs_per_group(problem) > 1


class _ImagePitchWithoutGroups(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "x":
            image = np.arange(problem.batch) * table[0].size
            table = table - (image - image // problem.groups)[:, None, None, None]
        return table


class ImagePitchWithoutGroups(Triggered):
    """Images of x are thought to be as large as those of one group."""

    bug = _ImagePitchWithoutGroups
    trigger = "groups > 1 and there are several images"
    usually = "the pitch of the batch is C/G*H*W: it must be G times as much."
    source = "https://github.com/ROCm/composable_kernel/pull/2970"
    operations = ("forward",)
    example = "n3c4i3x4-k2w2x1-s1x1-d1x1-p0+0x0+1-g2-o2x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and problem.batch > 1


class _GroupsOnInputAxis(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, G = super().places(tensor, problem), problem.groups
        if tensor != "weight":
            return table
        K, Cg, kH, kW = table.shape
        return table.reshape(K // G, G, Cg, kH, kW).swapaxes(0, 1).reshape(table.shape)


class WeightGroupsOnOtherAxis(Triggered):
    """The memory of the weights is read as (K/G, C, kH, kW)."""

    bug = _GroupsOnInputAxis
    trigger = "groups > 1 and each has several outputs"
    usually = "one layout has the groups on the axis of outputs, the other on that of inputs: the two are no views."
    source = "https://github.com/sonos/tract/pull/2551"
    operations = ("forward",)
    example = "n1c4i3x4-k4w2x2-s1x1-d1x1-p0+1x0+0-g2-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups > 1 and problem.out_channels > problem.groups
