"""Groups that read or write the channels of others."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Integers
from refconv.problem import OPERATIONS, ConvProblem


class GroupOffsetIgnored(Defect):
    """All groups read the input channels of the first one."""

    usually = "the input channel is c where it must be g*(C/G) + c."
    source = "https://github.com/microsoft/onnxruntime/pull/7885"

    def channels(self, problem: ConvProblem) -> Integers:
        return super().channels(problem) % (problem.in_channels // problem.groups)


class GroupOffsetOfOutputs(Defect):
    """The first input channel of a group is computed with K/G where it must be C/G."""

    usually = "g*(K/G) + c instead of g*(C/G) + c: the two are equal only if C = K."
    source = "hand-written layers tested with C = K"

    def channels(self, problem: ConvProblem) -> Integers:
        per_group = problem.in_channels // problem.groups
        outputs = problem.out_channels // problem.groups
        return np.repeat(np.arange(problem.groups), outputs)[:, None] * outputs + np.arange(per_group)


class GroupsInterleaved(Defect):
    """Group g reads the input channels g, g + G, g + 2G ... instead of a contiguous block."""

    usually = "the channels are reshaped to (C/G, G) where it must be (G, C/G)."
    source = "hand-written layers that reshape channels to (C/G, G)"

    def channels(self, problem: ConvProblem) -> Integers:
        table, per_group = super().channels(problem), max(1, problem.in_channels // problem.groups)
        return table % per_group * problem.groups + table // per_group


class OutputsInterleaved(Defect):
    """Output channel k belongs to group k mod G instead of k // (K/G)."""

    usually = "g = k % groups: it must be g = k // (K/G)."
    source = "hand-written layers with k % groups"

    def channels(self, problem: ConvProblem) -> Integers:
        group = np.arange(problem.out_channels) % problem.groups
        per_group = problem.in_channels // problem.groups
        return group[:, None] * per_group + np.arange(per_group)


class MultiplierFirst(Defect):
    """In depthwise layers, output channel m*C + c holds the m-th output of channel c."""

    usually = "the outputs of a channel must lie together: k = c*multiplier + m."
    source = "weights of depthwise layers in the order (multiplier, C)"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return _shuffled(table, problem) if tensor == "y" and problem.groups == problem.in_channels else table


class OutputsShuffled(Defect):
    """The outputs of the groups are written alternately instead of block after block."""

    usually = "the results are stacked on the wrong axis, (K/G, G) instead of (G, K/G), before they are flattened."
    source = "hand-written layers that stack the results of groups on the wrong axis"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return _shuffled(table, problem) if tensor == "y" else table


class WeightsOfFirstGroup(Defect):
    """All groups use the weights of the first one."""

    usually = "the weights are indexed with k - g*(K/G), the number within the group: index them with k."
    source = "hand-written layers that index weights within the group"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        per_group = max(1, problem.out_channels // problem.groups)
        return table[np.arange(problem.out_channels) % per_group] if tensor == "weight" else table


class OnlyFirstGroup(Defect):
    """Only the output channels of the first group are computed (the others are zero)."""

    usually = "the loop over the groups is missing, or returns within its first pass."
    source = "https://github.com/ROCm/rocm-libraries/issues/4998"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[:, problem.out_channels // problem.groups :] = -1
        return table


def _shuffled(table: Integers, problem: ConvProblem) -> Integers:
    """Move the output channels from (G, K/G) to (K/G, G)."""
    order = np.arange(problem.out_channels).reshape(-1, problem.groups).T.ravel()
    return table[:, order]
