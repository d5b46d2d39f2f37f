"""Sums over images and positions that are split among workers, some of which are lost."""

# ruff: noqa: D102  (applies is described where Triggered declares it)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.triggered import images, parts, space
from refconv.diagnosis.defects.triggered.shapes import positions, tail
from refconv.problem import ConvProblem

WEIGHT = ("grad_weight",)


class OneOutputOfManyImages(Triggered):
    """Images beyond the last multiple of 32 are not added."""

    bug = images.ImageTailSkipped
    trigger = "y has one pixel and there are more than 32 images, no multiple of it"
    usually = "the sum over n*oh*ow runs in blocks of 32, and nothing but the batch fills them."
    source = "https://github.com/ROCm/MIOpen/issues/437"
    operations = WEIGHT
    example = "n35c2i2x3-k3w2x3-s1x1-d1x1-p0+0x0+0-g1-o1x1"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return positions(problem) == 1 and tail(problem.batch, 32) > 0


class FirstSliceOfBatch(Triggered):
    """Images beyond the eighth are not added."""

    bug = images.ImagesBeyond.of(limit=8)
    trigger = "there are more than 8 images (as many as fill 2 GB in the report)"
    usually = "the batch is split, and the kernel computes the first slice however many were asked for."
    source = "https://github.com/ROCm/rocm-libraries/issues/11805"
    operations = WEIGHT
    example = "n9c2i3x4-k2w2x3-s1x1-d1x1-p0+0x0+0-g1-o2x2"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.batch > 8


class AlmostTwoSlicesOfBatch(Triggered):
    """The gradient is zero."""

    bug = parts.NothingComputed
    trigger = "there are 9 to 15 images, more than one slice and fewer than two (of 4 GB in the report)"
    usually = "ceil(n / max_n) is taken of an integer division, which gives 1 slice where 2 are needed."
    source = "https://github.com/ROCm/rocm-libraries/pull/11188"
    operations = WEIGHT
    example = "n9c2i3x4-k2w1x1-s1x1-d1x1-p0+0x0+0-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return 8 < problem.batch < 16


class SplitReductionLosesRest(Triggered):
    """Output positions beyond the last multiple of four are not added."""

    bug = space.FlatTailSkipped
    trigger = "there is one image and oH*oW is no multiple of 4"
    usually = "the sum is split into four parts of oH*oW // 4 positions: one part must take the rest."
    source = "split-K kernels for the gradient of the weights"
    operations = WEIGHT
    example = "n1c2i4x4-k3w2x2-s1x1-d1x1-p0+0x0+0-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.batch == 1 and tail(positions(problem), 4) > 0
