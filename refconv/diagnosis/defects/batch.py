"""Images of a batch that are mixed up or left out."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import ABSENT, Integers
from refconv.problem import OPERATIONS, ConvProblem


class OnlyFirstImage(Defect):
    """Only the first image of the batch is computed (the others are zero)."""

    usually = "the loop over n is missing, or x[0] is passed on."
    source = "hand-written layers without a loop over the batch"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[1:] = ABSENT
        return table


class FirstImageForAll(Defect):
    """All outputs of the batch are computed from the first image."""

    usually = "the offset n*C*H*W of an image is missing where x is read."
    source = "hand-written layers without the offset of an image"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return np.broadcast_to(table[:1], table.shape) if tensor == "x" else table


class LastImageSkipped(Defect):
    """The last image of the batch is not computed (zero)."""

    usually = "the loop over n ends one too early, or the last, smaller piece of the batch is dropped."
    source = "https://github.com/NervanaSystems/neon/issues/361"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[-1:] = ABSENT
        return table


class ImagesReversed(Defect):
    """The outputs come in the reverse order of the images."""

    usually = "results of workers are collected in another order than that of their images."
    source = "results of workers collected out of order"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return table[::-1] if tensor == "x" else table


class BatchAndChannelsExchanged(Defect):
    """The memory of x is read as (C, N, H, W)."""

    usually = "x is reshaped where its first two axes must be transposed, or offsets are c*N + n instead of n*C + c."
    source = "layers that reshape where they must transpose"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "x":
            return table
        N, C, *size = problem.x_shape
        return np.swapaxes(table.reshape(C, N, *size), 0, 1)


class OutputBatchAndChannelsExchanged(Defect):
    """The memory of y is written as (K, N, oH, oW)."""

    usually = "the product of im2col, (K, N*oH*oW), is reshaped to (N, K, oH, oW) without a transpose."
    source = "im2col layers that reshape (K, N*oH*oW)"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor != "y":
            return table
        N, K, *size = problem.y_shape
        return np.swapaxes(table.reshape(K, N, *size), 0, 1)
