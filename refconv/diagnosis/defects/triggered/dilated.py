"""Dilation at the border, and sizes of outputs that are computed wrongly."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.placement import leftover
from refconv.diagnosis.defects.stride_dilation import DilationIgnored
from refconv.diagnosis.defects.triggered.shapes import is_padded, positions
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import ConvProblem, output_length


class _BorderInTaps(Layer):
    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        hidden = np.maximum(0, -taps[:, :1])
        return np.where(np.arange(taps.shape[1]) < hidden, ABSENT, taps)


class DilatedBorderSkipsTaps(Triggered):
    """At the top and left border, taps that lie within the image are left out."""

    bug = _BorderInTaps
    trigger = "there is padding and a dilation"
    usually = "as many taps are skipped as elements are padded: it is ceil(padding / dilation) taps."
    source = "https://github.com/foss-for-mips-arc-processors/embarc_mli/pull/236"
    operations = ("forward",)
    example = "n1c2i6x5-k2w3x2-s1x1-d2x1-p2+0x0+1-g1-o4x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_padded(problem) and max(problem.dilation) > 1


class _DilationGap(Layer):
    def pixels(self, problem: ConvProblem) -> Integers:
        rows, columns = self.taps(problem, 0), self.taps(problem, 1)
        drift = np.arange(problem.kernel_size[0]) * (problem.dilation[1] - 1)
        columns = columns[None, :, None, :] + drift[None, None, :, None]
        rows = rows[:, None, :, None]
        H, W = problem.input_size
        inside = (rows >= 0) & (rows < H) & (columns >= 0) & (columns < W)
        return np.where(inside, rows * W + columns, ABSENT).reshape(positions(problem), -1)


class DilationGapTooWide(Triggered):
    """Each kernel row reads farther to the right than the one before."""

    bug = _DilationGap
    trigger = "the columns are dilated"
    usually = "the gap between two kernel rows is w*d - d*k, not w*d - (d*(k - 1) + 1)."
    source = "https://github.com/Tencent/ncnn/issues/75"
    operations = ("forward",)
    example = "n1c2i5x7-k2w3x2-s1x1-d1x2-p0+0x0+0-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.dilation[1] > 1


class LineKernelUndilated(Triggered):
    """The taps are dense whatever the dilation."""

    bug = DilationIgnored
    trigger = "the kernel has one column and dilated rows"
    usually = "the dilation is read from the last axis, which a kernel of one column does not need."
    source = "https://github.com/apache/mxnet/issues/8557"
    operations = ("forward",)
    example = "n1c2i7x4-k2w3x1-s1x1-d2x1-p2+0x0+0-g1-o5x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.kernel_size[1] == 1 and problem.dilation[0] > 1


class _OutputPitch(Layer):
    def pitch(self, problem: ConvProblem) -> int:
        """Return how long a row of y is thought to be."""
        return problem.output_size[1] + 1

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, oW = super().places(tensor, problem), problem.output_size[1]
        return table // oW * self.pitch(problem) + table % oW if tensor == "y" else table


class OutputWidthCeiled(Triggered):
    """Rows of y are written as if they were one column longer."""

    bug = _OutputPitch
    trigger = "columns are left over"
    usually = "the output's size is ceiled, as in pooling: it is floored in convolutions."
    source = "https://github.com/tiny-dnn/tiny-dnn/pull/326"
    example = "n1c2i5x6-k2w3x3-s1x2-d1x1-p0+0x0+0-g1-o3x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return leftover(problem, 1) > 0


class _ReachOfProduct(_OutputPitch):
    def pitch(self, problem: ConvProblem) -> int:
        kernel = problem.kernel_size[1] * problem.dilation[1] - 1
        return max(1, output_length(problem.input_size[1], kernel, problem.stride[1], 1, problem.padding[1]))


class DilatedReachTooLarge(Triggered):
    """Rows of y are written as if the dilated kernel were k*d - 1 wide."""

    bug = _ReachOfProduct
    trigger = "the columns are dilated by more than 2"
    usually = "the dilated extent is d*(k - 1) + 1; k*d - 1 is equal to it for d = 2 alone."
    source = "https://github.com/apache/mxnet/issues/1457"
    operations = ("forward",)
    example = "n1c2i5x9-k2w3x2-s1x1-d1x3-p0+0x1+1-g1-o3x8"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.dilation[1] > 2
