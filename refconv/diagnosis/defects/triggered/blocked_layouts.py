"""Blocked and interleaved layouts that are not reordered as their reader expects."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.layer import Integers, Layer
from refconv.problem import ConvProblem


class _OutputInBlocks(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "y":
            return table
        N, K, oH, oW = table.shape
        return table.reshape(N, K // 8, oH, oW, 8).transpose(0, 1, 4, 2, 3).reshape(table.shape)


class OutputLeftInBlocks(Triggered):
    """The memory of y is written as (N, K/8, oH, oW, 8)."""

    bug = _OutputInBlocks
    trigger = "K is a multiple of 8"
    usually = "the library chose a blocked layout, and nobody reorders y back."
    source = "https://github.com/uxlfoundation/oneDNN/issues/351"
    operations = ("forward",)
    example = "n1c2i3x4-k8w2x3-s1x1-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.out_channels % 8 == 0


class _InputInBlocks(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "x":
            return table
        N, C, H, W = table.shape
        return table.reshape(N, C // 16, H, W, 16).transpose(0, 1, 4, 2, 3).reshape(table.shape)


class InputThoughtInBlocks(Triggered):
    """The memory of x is read as (N, C/16, H, W, 16)."""

    bug = _InputInBlocks
    trigger = "C is a multiple of 16 and the kernel has several taps"
    usually = "a kernel for blocked layouts is given plain memory: reorder x, or choose the plain kernel."
    source = "frameworks that pass plain memory to a kernel for blocked layouts"
    operations = ("forward", "grad_weight")
    example = "n1c16i3x2-k2w2x2-s1x1-d1x1-p0+0x0+0-g1-o2x1"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.in_channels % 16 == 0 and max(problem.kernel_size) > 1


class _RowsOfThirtyTwoShuffled(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "weight":
            return table
        order = np.arange(len(table)).reshape(-1, 4, 8).swapaxes(1, 2).ravel()
        return table[order]


class InterleavedWeightsNotReordered(Triggered):
    """Within each 32 output channels, weights are taken in another order."""

    bug = _RowsOfThirtyTwoShuffled
    trigger = "C and K are multiples of 32"
    usually = "interleaved kernels want their weights reordered, which is a call of its own."
    source = "https://github.com/NVIDIA/cutlass/issues/263"
    operations = ("forward",)
    example = "n1c32i2x3-k32w1x2-s1x1-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.in_channels % 32 == problem.out_channels % 32 == 0


class _DepthwiseFilterTransposed(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "weight":
            return table
        K, Cg, kH, kW = table.shape
        return table.reshape(kH, kW, K, Cg).transpose(2, 3, 0, 1)


class DepthwiseFilterTapsFirst(Triggered):
    """The memory of the weights is read as (kH, kW, K)."""

    bug = _DepthwiseFilterTransposed
    trigger = "the layer is depthwise with one output per channel"
    usually = "depthwise filters are stored as (kH, kW, C, multiplier) by channels-last frameworks, all others not so."
    source = "converters between channels-last and channels-first frameworks"
    example = "n1c3i3x4-k3w2x3-s1x1-d1x1-p0+0x0+0-g3-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.groups == problem.in_channels == problem.out_channels > 1
