"""Rows and columns that do not fill vectors and tiles, and what tiles load of the image."""

# ruff: noqa: D102  (applies is described where Triggered declares it)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.borders import LastColumnSkipped, LastInputColumnUnread, LastRowSkipped
from refconv.diagnosis.defects.triggered import parts, space
from refconv.diagnosis.defects.triggered.shapes import is_padded, kernel_is, positions, reach, steps_one, tail, whole
from refconv.diagnosis.layer import ABSENT, Integers, Layer
from refconv.problem import OPERATIONS, ConvProblem


class _FirstOfLastTile(Layer):
    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            table.reshape(*table.shape[:2], -1)[..., whole(positions(problem), 8) - 8] = ABSENT
        return table


class LastWholeTileSpoilt(Triggered):
    """The first position of the last whole tile of eight is not computed."""

    bug = _FirstOfLastTile
    trigger = "the kernel is 3x3 with stride 2 and oH*oW is one more than a multiple of 8"
    usually = "the tail of the flattened positions is stored over the tile before it."
    source = "https://github.com/Tencent/ncnn/issues/1283"
    operations = ("forward",)
    example = "n1c2i7x6-k3w3x3-s2x2-d1x1-p0+0x1+0-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 3, 3) and problem.stride == (2, 2) and tail(positions(problem), 8) == 1


class PlanesReadAsOne(Triggered):
    """The planes of y lie at multiples of four elements, and are read as if they were adjacent."""

    bug = parts.PlanePitchPadded
    trigger = "the kernel is 3x3 with stride 2 and oH*oW is no multiple of 4"
    usually = "planes are aligned to 16 bytes: take the pitch between channels, not oH*oW."
    source = "https://github.com/Tencent/ncnn/issues/1014"
    operations = ("forward",)
    example = "n1c2i6x6-k3w3x3-s2x2-d1x1-p1+1x1+1-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 3, 3) and problem.stride == (2, 2) and positions(problem) % 4 != 0


class OddColumnLost(Triggered):
    """The last output column is not computed."""

    bug = LastColumnSkipped
    trigger = "oW is odd while C and K are even"
    usually = "columns are computed in pairs, and the one left over is never written."
    source = "https://github.com/ARM-software/CMSIS_5/issues/1168"
    operations = ("forward",)
    example = "n1c2i4x5-k4w2x3-s1x1-d1x1-p0+0x0+0-g1-o3x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        even = problem.in_channels % 2 == problem.out_channels % 2 == 0
        return even and problem.output_size[1] % 2 == 1


class OddRowLost(Triggered):
    """The last output row is not computed."""

    bug = LastRowSkipped
    trigger = "the kernel is 3x3 with stride 1 and oH is odd"
    usually = "rows are computed in pairs to reuse their loads, and the one left over is forgotten."
    source = "mobile CPU kernels that compute two rows of a 3x3 layer at once"
    operations = ("forward",)
    example = "n1c2i5x6-k3w3x3-s1x1-d1x1-p0+0x1+0-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 3, 3) and steps_one(problem) and problem.output_size[0] % 2 == 1


class EvenKernelMissesRightBorder(Triggered):
    """The last column of the image is taken for padding."""

    bug = LastInputColumnUnread
    trigger = "the kernel's width is even and there is no padding"
    usually = "the border is (kW - 1) / 2 wide on both sides: an even kernel needs one more on the right."
    source = "https://github.com/ARM-software/ComputeLibrary/issues/78"
    operations = ("forward",)
    example = "n1c2i4x5-k3w3x2-s1x1-d1x1-p0+0x0+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.kernel_size[1] % 2 == 0 and not is_padded(problem)


class RowNarrowerThanVector(Triggered):
    """All columns read too far to the left, by what the row lacks of a vector."""

    bug = space.TailReadsEarlier
    trigger = "oW is below 4"
    usually = "the last vector begins at oW - 4, which is negative on narrow images."
    source = "https://github.com/ermig1979/Simd/issues/42"
    operations = ("forward",)
    example = "n1c2i5x5-k3w2x3-s1x1-d1x1-p0+0x0+0-g1-o4x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.output_size[1] < 4


class StridedLastVectorMisread(Triggered):
    """The last vector of eight columns reads where its own number says, without the stride."""

    bug = space.TileStartUnstrided
    trigger = "oW is above 8 and no multiple of it, at a horizontal stride above 1"
    usually = "the last vector is moved back by elements of y where x needs as many strides."
    source = "vector kernels that shift the last vector of a row back instead of masking it"
    operations = ("forward",)
    example = "n1c2i3x21-k3w2x2-s1x2-d1x1-p0+0x1+0-g1-o2x11"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(problem.output_size[1], 8) > 0 and problem.stride[1] > 1


class SeventeenthColumnSkipped(Triggered):
    """The last output column is not computed."""

    bug = space.TailSkipped.of(block=16)
    trigger = "oW is one more than a multiple of 16"
    usually = "the register block is ow // 16 wide, and its tail loop starts at two columns."
    source = "JIT kernels with register blocks of 16 columns and tails of at least two"
    operations = OPERATIONS
    example = "n1c2i3x18-k3w2x2-s1x1-d1x1-p0+0x0+0-g1-o2x17"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(problem.output_size[1], 16) == 1


class CornerTileSkipped(Triggered):
    """Where the leftovers of rows and of columns meet, nothing is computed."""

    bug = space.CornerSkipped
    trigger = "oH and oW are both above 4 and no multiples of it"
    usually = "one loop is for the tail of rows, one for the tail of columns, none for both at once."
    source = "register-blocked kernels with one remainder loop per axis"
    operations = OPERATIONS
    example = "n1c2i6x8-k3w2x3-s1x1-d1x1-p0+0x0+0-g1-o5x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return all(tail(length, 4) for length in problem.output_size)


class BandsLoseRows(Triggered):
    """Output rows beyond four equal bands are not computed."""

    bug = space.TailSkipped.of(axis=space.ROWS, block=4)
    trigger = "oH is above 4 and no multiple of it, and there is one image"
    usually = "rows are divided among four workers with oH // 4: the rest needs a worker, too."
    source = "hand-written layers with one band of rows per thread"
    operations = ("forward",)
    example = "n1c2i7x4-k3w2x2-s1x1-d1x1-p0+0x1+0-g1-o6x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.batch == 1 and tail(problem.output_size[0], 4) > 0


class TileLoadedWithoutDilation(Triggered):
    """Taps beyond what a tile loads for a dense kernel read zero."""

    bug = space.HaloUndilated
    trigger = "an output axis is 8 or longer, and its dilation above 1"
    usually = "shared memory holds (tile - 1)*stride + k elements: the halo is dilation*(k - 1)."
    source = "tiled GPU kernels whose shared memory is sized without the dilation"
    operations = ("forward",)
    example = "n1c2i3x15-k3w2x3-s1x1-d1x3-p0+0x1+0-g1-o2x10"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(d > 1 and length >= 8 for d, length in zip(problem.dilation, problem.output_size, strict=True))


class TileLoadedWithoutStride(Triggered):
    """Windows beyond what a tile loads for stride 1 read zero."""

    bug = space.HaloUnstrided
    trigger = "an output axis is 8 or longer, and its stride above 1"
    usually = "shared memory holds tile + k - 1 elements: a strided tile needs (tile - 1)*stride + k."
    source = "tiled GPU kernels written for stride 1"
    operations = ("forward",)
    example = "n1c2i3x17-k3w2x3-s1x2-d1x1-p0+0x1+0-g1-o2x8"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(s > 1 and length >= 8 for s, length in zip(problem.stride, problem.output_size, strict=True))


class HaloOfOneNeighbour(Triggered):
    """Taps that reach beyond the next tile read zero."""

    bug = space.HaloOfOneTile
    trigger = "an output axis is 8 or longer, and the dilated kernel reaches over more than 9 elements of it"
    usually = "each thread loads one element of the halo: large kernels need several."
    source = "tiled GPU kernels whose threads load one element of the halo each"
    operations = ("forward",)
    example = "n1c2i3x20-k3w2x13-s1x1-d1x1-p0+0x1+0-g1-o2x9"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        reaches = [reach(problem, axis) for axis in (0, 1)]
        return any(r > 9 and length >= 8 for r, length in zip(reaches, problem.output_size, strict=True))


class WidthTakenForTiled(Triggered):
    """Rows of the image are thought to begin at multiples of 32."""

    bug = parts.RowPitchPadded.of(block=32)
    trigger = "the dilation is above 8 and W is no multiple of 32"
    usually = "an image that is cut into slices of rows is read with the pitch of its tiles."
    source = "https://github.com/tenstorrent/tt-metal/issues/42667"
    operations = ("forward",)
    example = "n1c2i14x5-k3w2x3-s1x1-d12x1-p0+0x1+0-g1-o2x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return max(problem.dilation) > 8 and problem.input_size[1] % 32 != 0


class PositionsBeyondSixtyFourSkipped(Triggered):
    """Output positions, counted row after row, are not computed beyond the last multiple of 64."""

    bug = space.FlatTailSkipped.of(block=64)
    trigger = "oH*oW is above 64 and no multiple of it"
    usually = "the grid of GEMM tiles is floored: round up, and mask the last tile."
    source = "GEMM-based kernels launched on a floored grid of positions"
    operations = ("forward",)
    example = "n1c2i8x11-k3w1x2-s1x1-d1x1-p0+0x0+0-g1-o8x10"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return tail(positions(problem), 64) > 0
