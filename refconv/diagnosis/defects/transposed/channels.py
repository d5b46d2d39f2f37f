"""Channels, groups, images and weights of a transposed convolution that are taken for others."""

# ruff: noqa: D102  (the hooks are described where TransposedLayer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects import batch, groups, layout
from refconv.diagnosis.defects.transposed.base import TransposedDefect
from refconv.diagnosis.layer import Array, Integers, Layer
from refconv.problem import ConvProblem, TransposedProblem


class OutputsFirst(Layer):
    """Reads the memory of the weights, as those of the transposed layer, output channels first."""

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "weight":
            return table
        C, Kg, *kernel = table.shape
        return table.reshape(problem.groups, Kg, C // problem.groups, *kernel).swapaxes(1, 2).reshape(table.shape)


class _WeightGroupsInterleaved(Layer):
    """Reads the weights of input channel c at c % (C/G) * G + c // (C/G)."""

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        order = np.arange(problem.out_channels).reshape(-1, problem.groups).T.ravel()
        return table[order] if tensor == "weight" else table


class TransposedWeightOutputsFirst(TransposedDefect):
    """The memory of the weights is read as (K, C/G, kH, kW), the layout of convolutions."""

    usually = "the first axis of the weights of a transposed convolution is the input channel: (C, K/G, kH, kW)."
    source = "https://github.com/Tencent/TNN/pull/205"

    layer = OutputsFirst


class TransposedWeightOutputsLast(TransposedDefect):
    """The memory of the weights is read as (C, kH, kW, K/G)."""

    usually = "weights of a channels-last framework: transpose them to (C, K/G, kH, kW)."
    source = "weights of channels-last frameworks read without a transpose"
    layer = layout.WeightInputsLast


class TransposedWeightTapsFirst(TransposedDefect):
    """The memory of the weights is read as (kH, kW, K/G, C)."""

    usually = "weights in the order of Keras' Conv2DTranspose: transpose them to (C, K/G, kH, kW)."
    source = "weights of Keras' Conv2DTranspose read without a transpose"
    layer = layout.WeightTapsFirst


class TransposedGroupOffsetIgnored(TransposedDefect):
    """All groups write the output channels of the first one."""

    usually = "the output channel is k where it must be g*(K/G) + k."
    source = "https://github.com/Tencent/TNN/pull/205"
    layer = groups.GroupOffsetIgnored


class TransposedWeightsOfFirstGroup(TransposedDefect):
    """All groups use the weights of the first one."""

    usually = "the weights are indexed with c - g*(C/G), the number within the group: index them with c."
    source = "https://github.com/Tencent/TNN/pull/205"
    layer = groups.WeightsOfFirstGroup


class TransposedOutputsInterleaved(TransposedDefect):
    """Group g writes the output channels g, g + G, g + 2G ... instead of a contiguous block."""

    usually = "the results of the groups are laid crosswise where they must be put one behind the other."
    source = "https://github.com/uxlfoundation/oneDNN/issues/352"
    layer = groups.GroupsInterleaved


class TransposedInputsInterleaved(TransposedDefect):
    """Input channel c belongs to group c mod G instead of c // (C/G)."""

    usually = "g = c % groups: it must be g = c // (C/G)."
    source = "hand-written layers with c % groups"
    layer = groups.OutputsInterleaved


class TransposedWeightGroupsInterleaved(TransposedDefect):
    """The weights of the groups are read alternately instead of block after block."""

    usually = "the weights are reshaped to (C/G, G, ...): it must be (G, C/G, ...)."
    source = "https://github.com/openvinotoolkit/openvino/pull/37752"
    layer = _WeightGroupsInterleaved


class TransposedOnlyFirstGroup(TransposedDefect):
    """Only the input channels of the first group are used."""

    usually = "the loop over the groups is missing, or returns within its first pass."
    source = "hand-written layers: the loop over groups returns early"
    layer = groups.OnlyFirstGroup


class TransposedGroupsSlicedByOutputs(TransposedDefect):
    """Each group slices the weights by outputs, adds the bias of the first one, and writes a single channel."""

    usually = (
        "wrong channel slices of a group: its weight rows are input channels, g*(C/G) to (g + 1)*(C/G); its results "
        "and its bias belong to the channels g*(K/G) to (g + 1)*(K/G). Only depthwise layers get through."
    )
    source = "https://github.com/onnx/onnx/pull/8446"
    operations = ("forward",)
    refuses = True

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        C, K, G = problem.in_channels, problem.out_channels, problem.groups
        if G > 1 and (C // G, K // G) != (1, 1):
            raise ValueError(f"{C // G} input and {K // G} output channels of a group do not fit into one.")
        y = super().forward(x, weight, None, problem)
        if bias is None:
            return y
        return self.add_bias(y, bias if G == 1 else np.repeat(bias[:1], K), problem)


class TransposedBatchFirstImageOnly(TransposedDefect):
    """Only the first image of the batch is computed."""

    usually = "the loop over n is missing, or returns within its first pass."
    source = "hand-written layers tested with one image"
    layer = batch.OnlyFirstImage


class TransposedBatchFirstImageForAll(TransposedDefect):
    """All images are computed from the first one."""

    usually = "the offset n*C*H*W is missing where x is read."
    source = "hand-written layers tested with one image"
    operations = ("forward", "grad_weight")

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        return super().forward(x[np.zeros(problem.batch, np.int64)], weight, bias, problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
        return super().grad_weight(x[np.zeros(problem.batch, np.int64)], grad_output, problem)
