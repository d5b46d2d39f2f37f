"""Kernels read in another direction."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Integers
from refconv.problem import ConvProblem


class KernelFlipped(Defect):
    """The kernel is flipped along all axes."""

    usually = (
        "the textbook convolution (scipy.signal.convolve, np.convolve) where deep learning wants correlation: "
        "pair x[oh*sH + kh] with weight[kh], not with weight[kH - 1 - kh]."
    )
    source = "https://github.com/FluxML/NNlib.jl/issues/208"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        return super().taps(problem, axis)[:, ::-1]


class KernelRowsFlipped(Defect):
    """The kernel is flipped upside down, but not from left to right."""

    usually = "a loop over kh runs backwards, or only one of two flips was removed."
    source = "hand-written layers that flip one axis of two"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        return super().taps(problem, axis)[:, :: -1 if axis == 0 else 1]


class KernelColumnsFlipped(Defect):
    """The kernel is flipped from left to right, but not upside down."""

    usually = "a loop over kw runs backwards, or only one of two flips was removed."
    source = "hand-written layers that flip one axis of two"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        return super().taps(problem, axis)[:, :: -1 if axis == 1 else 1]


class KernelTransposed(Defect):
    """The rows and columns of the kernel are exchanged: its memory is read as (kW, kH)."""

    usually = "weight[kw, kh] or the index kw*kH + kh: it must be kh*kW + kw."
    source = "https://github.com/mlpack/mlpack/pull/3376"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return exchanged(table) if tensor == "weight" else table


class InputTransposed(Defect):
    """The rows and columns of the image are exchanged: its memory is read as (W, H)."""

    usually = "height and width arrive in the wrong order, or the row pitch of x is H where it must be W."
    source = "hand-written layers tested on square images"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return exchanged(table) if tensor == "x" else table


class OutputTransposed(Defect):
    """The rows and columns of the output are exchanged: its memory is taken for (oW, oH)."""

    usually = "the loop over ow is the outer one and the result is appended or reshaped: its row pitch must be oW."
    source = "hand-written layers with the loop over columns outside"
    operations = ("forward", "grad_input", "grad_weight")

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return exchanged(table) if tensor == "y" else table


def exchanged(table: Integers) -> Integers:
    """Read memory as if the last two axes lay in it in the other order; ValueError where there is only one axis."""
    if table.ndim < 4:
        raise ValueError("rows and columns can be exchanged where there are both.")
    *before, rows, columns = table.shape
    return np.swapaxes(table.reshape(*before, columns, rows), -1, -2)
