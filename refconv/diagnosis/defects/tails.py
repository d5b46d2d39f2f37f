"""What vector loops leave over."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import ABSENT, Integers
from refconv.problem import OPERATIONS, ConvProblem

LANES = 4


class LastChannelDropped(Defect):
    """The last input channel of each group is not added."""

    usually = "the loop over c ends at C/G - 1, exclusive."
    source = "hand-written layers: off by one"

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        table[:, -1:] = ABSENT
        return table


class FirstChannelOnly(Defect):
    """Only the first input channel of each group is read."""

    usually = "the result is assigned to y within the loop over c, or that loop is missing: add all channels up."
    source = "https://github.com/josephjaspers/blackcat_tensors/issues/59"

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        table[:, 1:] = ABSENT
        return table


class ChannelTailDropped(Defect):
    """Input channels beyond the last multiple of four are not added."""

    usually = "a vector loop over c without its scalar tail."
    source = "https://github.com/pytorch/pytorch/issues/21597"

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        table[:, _whole(table.shape[1]) :] = ABSENT
        return table


class OutputChannelTailSkipped(Defect):
    """Output channels beyond the last multiple of four are not computed (zero)."""

    usually = "a vector loop over k, or a GEMM tile, without its tail."
    source = "https://github.com/bhuman/CompiledNN/issues/16"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[:, _whole(table.shape[1]) :] = ABSENT
        return table


class ColumnTailSkipped(Defect):
    """Output columns beyond the last multiple of four are not computed (zero)."""

    usually = "a vector loop over ow without its scalar tail."
    source = "vector kernels without a scalar tail"
    operations = OPERATIONS

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[..., _whole(table.shape[-1]) :] = ABSENT
        return table


def _whole(length: int) -> int:
    """Return how many elements whole vectors cover; shorter loops are thought to be scalar."""
    return length // LANES * LANES if length > LANES else length
