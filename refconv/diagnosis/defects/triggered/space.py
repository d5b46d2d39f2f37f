"""Bugs of rows, columns, tiles and taps, with numbers to set: what triggers bring out."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from refconv.diagnosis.defects.triggered.parts import Part
from refconv.diagnosis.defects.triggered.shapes import positions, reach, rounded_up, whole
from refconv.diagnosis.layer import ABSENT, Integers, Window
from refconv.problem import ConvProblem

ROWS, COLUMNS = 0, 1


class TailSkipped(Part):
    """Output rows or columns beyond the last whole block are not computed."""

    axis = COLUMNS
    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            np.moveaxis(table, 2 + self.axis, 0)[whole(problem.output_size[self.axis], self.block) :] = ABSENT
        return table


class FlatTailSkipped(Part):
    """Output positions, counted row after row, are not computed beyond the last whole block."""

    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table.reshape(*table.shape[:2], -1)[..., whole(positions(problem), self.block) :] = ABSENT
        return table


class CornerSkipped(Part):
    """The tile beyond the last whole block of rows and of columns is not computed."""

    block = 4

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            rows, columns = (whole(length, self.block) for length in problem.output_size)
            table[..., rows:, columns:] = ABSENT
        return table


class OutputsAfter(Part):
    """Output rows or columns beyond a number are not computed."""

    axis = COLUMNS
    limit = 64

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            np.moveaxis(table, 2 + self.axis, 0)[self.limit :] = ABSENT
        return table


class TailReadsEarlier(Part):
    """The last vector of columns ends at the row's end where it reads, but not where it writes."""

    block = 4

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps, count = super().taps(problem, axis), problem.output_size[axis]
        if axis == COLUMNS:
            missing = rounded_up(count, self.block) - count
            taps[whole(count, self.block) :] -= missing * problem.stride[axis]
        return taps


class TileStartUnstrided(Part):
    """The last vector of columns reads where its own number says, without the stride."""

    block = 8

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        if axis == COLUMNS:
            start = max(0, problem.output_size[axis] - self.block)
            taps[start:] -= start * (problem.stride[axis] - 1)
        return taps


class HaloShort(Part):
    """Of the input of a tile, less is loaded than its windows need."""

    tile = 8

    @abstractmethod
    def loaded(self, problem: ConvProblem, axis: int) -> int:
        """Return how many elements of an axis are loaded for a tile."""

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        start = taps[whole_of(len(taps), self.tile), :1]
        taps[taps - start >= self.loaded(problem, axis)] = ABSENT
        return taps


class HaloUndilated(HaloShort):
    """The input of a tile is loaded as for a dense kernel."""

    def loaded(self, problem: ConvProblem, axis: int) -> int:
        return (self.tile - 1) * problem.stride[axis] + problem.kernel_size[axis]


class HaloUnstrided(HaloShort):
    """The input of a tile is loaded as for stride 1."""

    def loaded(self, problem: ConvProblem, axis: int) -> int:
        return self.tile - 1 + reach(problem, axis)


class HaloOfOneTile(HaloShort):
    """Beyond a tile, one more is loaded, however large the kernel is."""

    def loaded(self, problem: ConvProblem, axis: int) -> int:
        return 2 * self.tile * problem.stride[axis]


class TilesAdvance(Part):
    """The input of the next tile begins too few elements later."""

    tile = 4
    step = 2

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        tiles = np.arange(len(taps)) // self.tile
        return taps - (tiles * (self.tile - self.step) * problem.stride[axis])[:, None]


class TapsBeyond(Part):
    """Kernel rows and columns beyond a number are not used."""

    limit = 3

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[:, :, self.limit :] = table[..., self.limit :] = ABSENT
        return table


class FlatTapsBeyond(Part):
    """Taps, counted row after row, are not used beyond a number."""

    limit = 32

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table.reshape(*table.shape[:2], -1)[..., self.limit :] = ABSENT
        return table


class TapTailDropped(Part):
    """Kernel rows and columns beyond the last whole block are not used."""

    block = 3

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            kH, kW = problem.kernel_size
            if kH > self.block:
                table[:, :, whole(kH, self.block) :] = ABSENT
            if kW > self.block:
                table[..., whole(kW, self.block) :] = ABSENT
        return table


class StrideLimitedToKernel(Part):
    """The window moves by no more than its own extent."""

    def window(self, problem: ConvProblem, axis: int) -> Window:
        window = super().window(problem, axis)
        return window._replace(stride=min(window.stride, problem.kernel_size[axis]))


class PixelsWrapped(Part):
    """Offsets within a plane are reduced modulo a power of two."""

    modulus = 256

    def pixels(self, problem: ConvProblem) -> Integers:
        table = super().pixels(problem)
        return np.where(table == ABSENT, ABSENT, table % self.modulus)


class ColumnsOfHeight(Part):
    """The column is checked against the height."""

    def pixels(self, problem: ConvProblem) -> Integers:
        H, W = problem.input_size
        rows, columns = self.taps(problem, ROWS), self.taps(problem, COLUMNS)
        rows = np.where((rows >= 0) & (rows < H), rows, -H * W - W)  # absent, whatever the column
        columns = np.where((columns >= 0) & (columns < H), columns, -H * W - H * H)
        index = rows[:, None, :, None] * W + columns[None, :, None, :]
        return index.reshape(positions(problem), -1)


def whole_of(count: int, block: int) -> Integers:
    """Return, for each of a number of positions, where its block begins."""
    return np.arange(count) // block * block
