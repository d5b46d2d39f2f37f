"""Bugs of the batch, with numbers to set: what triggers bring out."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.triggered.parts import Part
from refconv.diagnosis.defects.triggered.shapes import whole
from refconv.diagnosis.layer import ABSENT, Integers
from refconv.problem import ConvProblem


class ImagesBeyond(Part):
    """Images beyond a number are not computed."""

    limit = 1

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[self.limit :] = ABSENT
        return table


class ImageTailSkipped(Part):
    """Images beyond the last whole block are not computed."""

    block = 32

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[whole(problem.batch, self.block) :] = ABSENT
        return table
