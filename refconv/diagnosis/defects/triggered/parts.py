"""Bugs of channels and of memory, with numbers to set: what triggers bring out."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import math
from typing import cast

import numpy as np

from refconv.diagnosis.defects.triggered.shapes import rounded_up, whole
from refconv.diagnosis.layer import ABSENT, Array, Integers, Layer
from refconv.problem import ConvProblem


class Part(Layer):
    """A bug whose numbers are attributes of its class."""

    @classmethod
    def of(cls, **numbers: int | str) -> type[Layer]:
        """Return the bug with other numbers.

        Examples
        --------
        >>> InputTailDropped.of(block=8).block
        8
        """
        return cast("type[Layer]", type(cls.__name__, (cls,), dict(numbers)))


class NothingComputed(Layer):
    """No output is computed; the bias alone is there, or zero."""

    def channels(self, problem: ConvProblem) -> Integers:
        return np.full_like(super().channels(problem), ABSENT)


class InputsBeyond(Part):
    """Input channels of a group beyond a number are not added."""

    limit = 4

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        table[:, self.limit :] = ABSENT
        return table


class InputTailDropped(Part):
    """Input channels of a group beyond the last whole block are not added."""

    block = 4

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        table[:, whole(table.shape[1], self.block) :] = ABSENT
        return table


class InputTailRealigned(Part):
    """The last vector of channels ends at the group's end, but meets the weights of the tail."""

    block = 4

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        count = table.shape[1]
        table[:, whole(count, self.block) :] -= rounded_up(count, self.block) - count
        return table


class LastOfBlockMisread(Part):
    """The last channel of each block reads its neighbour."""

    block = 8

    def channels(self, problem: ConvProblem) -> Integers:
        table = super().channels(problem)
        table[:, self.block - 1 :: self.block] -= 1
        return table


class GroupsPadded(Part):
    """Groups begin at whole blocks of channels."""

    block = 4

    def channels(self, problem: ConvProblem) -> Integers:
        table, count = super().channels(problem), problem.in_channels // problem.groups
        return table // count * rounded_up(count, self.block) + table % count


class GroupsAlignedDown(Part):
    """A group begins at the block of channels that holds its first one."""

    block = 16

    def channels(self, problem: ConvProblem) -> Integers:
        table, count = super().channels(problem), problem.in_channels // problem.groups
        first = table // count * count
        return table - first % self.block


class OutputTailSkipped(Part):
    """Output channels beyond the last whole block are not computed."""

    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table[:, whole(problem.out_channels, self.block) :] = ABSENT
        return table


class GroupOutputTailSkipped(Part):
    """Output channels beyond the last whole block of their group are not computed."""

    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, count = super().places(tensor, problem), problem.out_channels // problem.groups
        if tensor == "y":
            table[:, np.arange(problem.out_channels) % count >= whole(count, self.block)] = ABSENT
        return table


class OutputTileRealigned(Part):
    """The last tile of output channels is moved back to fit, but begins with the weights of the tail."""

    block = 32

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table, K = super().places(tensor, problem), problem.out_channels
        if tensor == "weight":
            rest = K - whole(K, self.block)
            tail = table[K - rest :].copy()
            table[K - self.block :] = ABSENT
            table[K - self.block : K - self.block + rest] = tail
        return table


class WeightTailTransposed(Part):
    """Weights beyond the last whole block of rows are read in columns."""

    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            tail = table[whole(len(table), self.block) :]
            tail[:] = tail.reshape(-1, len(tail)).T.reshape(tail.shape)
        return table


class WeightRowsAlignedDown(Part):
    """The weights of an output channel are read from the block that holds the first of them."""

    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            first = table[:, :1, :1, :1]
            table = table - first % self.block
        return table


class WeightRowsPadded(Part):
    """The weights of an output channel are thought to begin at whole blocks."""

    block = 32

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            row = math.prod(table.shape[1:])
            table = table // row * rounded_up(row, self.block) + table % row
        return table


class BiasTailIgnored(Part):
    """Output channels beyond the last whole block get no bias."""

    block = 4

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        bias = bias.copy()
        bias[whole(len(bias), self.block) :] = 0
        return super().add_bias(y, bias, problem)


class RowPitchPadded(Part):
    """Rows of a tensor are thought to begin at whole blocks."""

    tensor = "x"
    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == self.tensor:
            row = table.shape[-1]
            table = table // row * rounded_up(row, self.block) + table % row
        return table


class PlanePitchPadded(Part):
    """Planes of a tensor are thought to begin at whole blocks."""

    tensor = "y"
    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == self.tensor:
            plane = math.prod(table.shape[2:])
            table = table // plane * rounded_up(plane, self.block) + table % plane
        return table


class OffsetsWrapped(Part):
    """Offsets into the memory of a tensor are reduced modulo a power of two."""

    tensor = "x"
    modulus = 2**16

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        return table % self.modulus if tensor == self.tensor else table
