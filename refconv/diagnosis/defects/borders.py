"""Rows, columns and taps that are left out."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import ABSENT, Integers
from refconv.problem import OPERATIONS, ConvProblem


class LastRowSkipped(Defect):
    """The last row of the output is not computed (zero)."""

    usually = "the loop over oh ends one too early: it runs to (H + top + bottom - reach) // sH + 1, exclusive."
    source = "hand-written layers: off by one"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[:, :, -1] = ABSENT
        return table


class LastColumnSkipped(Defect):
    """The last column of the output is not computed (zero)."""

    usually = "the loop over ow ends one too early: it runs to (W + left + right - reach) // sW + 1, exclusive."
    source = "https://github.com/ARM-software/CMSIS_5/issues/1168"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[..., -1] = ABSENT
        return table


class BorderSkipped(Defect):
    """Outputs whose window touches the padding are not computed (zero)."""

    usually = "only the fast path for the interior is there: windows over the border need their own loop."
    source = "hand-written layers: rows skipped at the border"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            touching = (self.pixels(problem) == ABSENT).any(axis=1)
            table.reshape(*table.shape[:2], -1)[:, :, touching] = ABSENT
        return table


class LastTapDropped(Defect):
    """The last tap of the kernel, bottom right, is not used."""

    usually = "a loop over the flattened taps ends one too early, or the last element of each patch is lost."
    source = "hand-written layers: off by one"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[..., -1, -1] = ABSENT
        return table


class FirstTapDropped(Defect):
    """The first tap of the kernel, top left, is not used."""

    usually = "a loop over the flattened taps starts at 1, or the first product is overwritten."
    source = "hand-written layers: off by one"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[..., 0, 0] = ABSENT
        return table


class LastKernelRowDropped(Defect):
    """The last row of the kernel is not used."""

    usually = "the loop over kh ends at kH - 1, exclusive."
    source = "hand-written layers: off by one"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[:, :, -1] = ABSENT
        return table


class LastKernelColumnDropped(Defect):
    """The last column of the kernel is not used."""

    usually = "the loop over kw ends at kW - 1, exclusive."
    source = "hand-written layers: off by one"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[..., -1] = ABSENT
        return table


class LastInputColumnUnread(Defect):
    """The last column of the image is taken for padding."""

    usually = "the bounds check is iw < W - 1: it must be iw < W."
    source = "https://github.com/ARM-software/ComputeLibrary/issues/78"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        if axis == len(problem.input_size) - 1:
            taps[taps == problem.input_size[axis] - 1] = ABSENT
        return taps


class FirstInputRowUnread(Defect):
    """The first row of the image is taken for padding."""

    usually = "the bounds check is ih > 0: it must be ih >= 0."
    source = "hand-written layers: off by one"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        if axis == 0:
            taps[taps == 0] = ABSENT
        return taps
