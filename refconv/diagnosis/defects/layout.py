"""Memory that is read in another order than it was written."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Integers
from refconv.problem import OPERATIONS, ConvProblem


class WeightInFortranOrder(Defect):
    """The memory of the weights is read first axis fastest."""

    usually = "a Fortran-ordered array (a transpose, a matrix from BLAS or MATLAB) whose strides are not looked at."
    source = "https://github.com/pytorch/pytorch/issues/1246"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return table.ravel().reshape(table.shape, order="F") if tensor == "weight" else table


class WeightInputsFirst(Defect):
    """The memory of the weights is read as (C/G, K, kH, kW)."""

    usually = "the layout of transposed convolutions: the output channel is the first axis."
    source = "weights of transposed convolutions"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        K, Cg, *kernel = problem.weight_shape
        return np.swapaxes(table.reshape(Cg, K, *kernel), 0, 1) if tensor == "weight" else table


class WeightInputsLast(Defect):
    """The memory of the weights is read as (K, kH, kW, C/G)."""

    usually = "weights of a channels-last framework (OHWI): transpose them to (K, C/G, kH, kW)."
    source = "https://github.com/sonos/tract/pull/2551"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        K, Cg, *kernel = problem.weight_shape
        return np.moveaxis(table.reshape(K, *kernel, Cg), -1, 1) if tensor == "weight" else table


class WeightTapsFirst(Defect):
    """The memory of the weights is read as (kH, kW, C/G, K)."""

    usually = "weights in TensorFlow's order (HWIO): transpose them to (K, C/G, kH, kW)."
    source = "weights of TensorFlow read without a transpose"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        K, Cg, *kernel = problem.weight_shape
        return np.moveaxis(table.reshape(*kernel, Cg, K), (-1, -2), (0, 1)) if tensor == "weight" else table


class InputInFortranOrder(Defect):
    """The memory of x is read first axis fastest."""

    usually = "a Fortran-ordered array whose strides are not looked at: copy it to C order, or honour the strides."
    source = "https://github.com/NervanaSystems/neon/issues/195"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return table.ravel().reshape(table.shape, order="F") if tensor == "x" else table


class InputChannelsLast(Defect):
    """The memory of x, which is (N, C, H, W), is read as (N, H, W, C)."""

    usually = "x is reshaped to channels last where it must be transposed."
    source = "https://github.com/pytorch/executorch/issues/22951"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        N, C, *size = problem.x_shape
        return np.moveaxis(table.reshape(N, *size, C), -1, 1) if tensor == "x" else table


class OutputChannelsLast(Defect):
    """The memory of y is written as (N, oH, oW, K)."""

    usually = "the product (N*oH*oW, K) is reshaped to (N, K, oH, oW) without a transpose."
    source = "https://github.com/uxlfoundation/oneDNN/issues/1833"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        N, K, *size = problem.y_shape
        return np.moveaxis(table.reshape(N, *size, K), -1, 1) if tensor == "y" else table
