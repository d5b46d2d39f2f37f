"""Families of problems, each around one way in which convolutions go wrong.

The extents within a problem differ from each other wherever they can, odd beside even, so that no
confusion of one with another goes unseen.
"""

from __future__ import annotations

from refconv.catalogue.spec import Row
from refconv.problem import ConvProblem, Padding

Pair = tuple[int, int]


def conv(
    batch: int, channels: Pair, size: Pair, kernel: Pair,
    stride: Pair = (1, 1), dilation: Pair = (1, 1), padding: Padding = ((0, 0), (0, 0)), groups: int = 1,
) -> ConvProblem:  # fmt: skip
    """Write a problem in one line: ``channels`` is (C, K)."""
    return ConvProblem(
        batch=batch, in_channels=channels[0], out_channels=channels[1], input_size=size, kernel_size=kernel,
        stride=stride, dilation=dilation, padding=padding, groups=groups,
    )  # fmt: skip


def basic() -> list[Row]:
    """Ordinary convolutions of one image, one attribute at a time."""
    flags = ("Basic",)
    return [
        Row("one-channel", "One channel in and out.", conv(1, (1, 1), (5, 6), (3, 2)), flags),
        Row("channels", "Two channels in, three out.", conv(1, (2, 3), (5, 6), (3, 3)), flags),
        Row("no-bias", "Without a bias.", conv(1, (2, 3), (6, 5), (2, 3)), flags, bias=False),
        Row("stride", "Stride 2.", conv(1, (2, 3), (7, 9), (3, 3), stride=(2, 2)), flags),
        Row("stride-kernel2x3", "Stride 2 under a 2x3 kernel that leaves nothing over.",
            conv(1, (2, 3), (4, 5), (2, 3), stride=(2, 2)), flags),
        Row("padding", "Padding 1.", conv(1, (2, 3), (5, 6), (3, 3), padding=((1, 1), (1, 1))), flags),
        Row("one-by-one", "All extents are one.", conv(1, (1, 1), (1, 1), (1, 1)), (*flags, "OneByOne")),
    ]  # fmt: skip


def asymmetric() -> list[Row]:
    """No two numbers alike: whatever is taken for something else changes the result."""
    return [
        Row("s21-d12-p1021", "Stride, dilation and all four pads differ.",
            conv(2, (3, 4), (7, 9), (3, 2), (2, 1), (1, 2), ((1, 0), (2, 1)))),
        Row("s12-d21-p0312", "The same with the axes exchanged, and other pads.",
            conv(2, (3, 5), (10, 6), (2, 3), (1, 2), (2, 1), ((0, 3), (1, 2)))),
        Row("s32-d23-p2130", "Stride and dilation differ per axis and are coprime.",
            conv(1, (2, 3), (11, 13), (4, 3), (3, 2), (2, 3), ((2, 1), (3, 0)))),
        Row("wide-kernel", "A kernel much wider than high.",
            conv(1, (2, 3), (4, 11), (1, 5), padding=((0, 0), (3, 1)))),
        Row("tall-kernel", "A kernel much higher than wide.",
            conv(1, (2, 3), (11, 4), (5, 1), padding=((1, 3), (0, 0)))),
        Row("right-bottom", "Padding at the bottom and right alone, as frameworks pad SAME with stride 2.",
            conv(1, (3, 2), (8, 6), (3, 3), (2, 2), padding=((0, 1), (0, 1)))),
    ]  # fmt: skip


def grouped() -> list[Row]:
    """Several groups with C/G != K/G."""
    return [
        Row("g2-2to3", "2 groups of 2 inputs and 3 outputs.", conv(2, (4, 6), (5, 6), (3, 2), groups=2)),
        Row("g3-3to2", "3 groups of 3 inputs and 2 outputs.", conv(1, (9, 6), (6, 5), (2, 3), groups=3)),
        Row("g2-s21-p1021-d12", "2 groups; stride and dilation differ per axis.",
            conv(2, (4, 6), (7, 9), (3, 2), (2, 1), (1, 2), ((1, 0), (2, 1)), 2)),
        Row("g4-pointwise", "4 groups of a 1x1 kernel.", conv(2, (8, 12), (3, 4), (1, 1), groups=4)),
    ]  # fmt: skip


def depthwise() -> list[Row]:
    """One input channel per group."""
    return [
        Row("c5", "5 channels, 3x3.", conv(2, (5, 5), (5, 6), (3, 3), padding=((1, 1), (1, 1)), groups=5)),
        Row("c7-s2", "7 channels, 5x5, stride 2.",
            conv(1, (7, 7), (9, 8), (5, 5), (2, 2), padding=((2, 2), (2, 2)), groups=7)),
        Row("c3-multiplier-4", "3 channels with 4 outputs each.", conv(2, (3, 12), (6, 5), (3, 2), groups=3)),
        Row("c4-d23", "4 channels, dilated differently per axis.",
            conv(1, (4, 4), (9, 11), (3, 3), dilation=(2, 3), padding=((2, 1), (3, 2)), groups=4)),
    ]  # fmt: skip


def dilated() -> list[Row]:
    """Taps with gaps between them."""
    return [
        Row("d2", "Dilation 2 on both axes.", conv(1, (2, 3), (7, 8), (3, 3), dilation=(2, 2))),
        Row("d13", "Dilation on one axis alone.", conv(2, (2, 3), (6, 10), (3, 3), dilation=(1, 3))),
        Row("d31-s12", "Dilation on one axis, stride on the other.",
            conv(1, (3, 2), (10, 7), (3, 2), (1, 2), (3, 1), ((2, 0), (0, 1)))),
        Row("d4-gaps-unread", "Stride and dilation share a factor, so that some inputs are never read.",
            conv(1, (2, 2), (12, 11), (2, 2), (2, 2), (4, 4))),
    ]  # fmt: skip


def leftover() -> list[Row]:
    """Strides that do not divide: the last rows and columns are not read, and their gradient is zero."""
    return [
        Row("rows", "The last row is not read.", conv(1, (2, 3), (6, 7), (3, 3), (2, 2))),
        Row("columns", "The last two columns are not read.", conv(2, (2, 3), (7, 10), (3, 2), (2, 3))),
        Row("both-padded", "Leftovers fall into the padding.",
            conv(1, (2, 3), (8, 7), (3, 4), (3, 3), padding=((1, 1), (2, 1)))),
        Row("stride-above-kernel", "Gaps between the patches.", conv(2, (3, 2), (9, 11), (2, 3), (4, 5))),
        Row("stride-equals-kernel", "Patches side by side.", conv(1, (3, 5), (8, 9), (2, 3), (2, 3))),
    ]  # fmt: skip


def pointwise() -> list[Row]:
    """1x1 kernels, which invite shortcuts."""
    return [
        Row("plain", "A matrix product over the channels.", conv(2, (5, 7), (4, 3), (1, 1))),
        Row("stride", "With stride.", conv(1, (4, 6), (5, 7), (1, 1), (2, 3))),
        Row("padding", "With padding: the border is the bias.",
            conv(1, (3, 5), (3, 4), (1, 1), padding=((1, 0), (2, 1)))),
        Row("dilation-is-idle", "A dilation that cannot matter.", conv(1, (3, 4), (4, 5), (1, 1), dilation=(2, 3))),
        Row("one-pixel", "An image of one pixel, as in squeeze-and-excitation.", conv(3, (12, 5), (1, 1), (1, 1))),
    ]  # fmt: skip


def full_reduction() -> list[Row]:
    """Kernels as large as the input: one number per output channel."""
    return [
        Row("c3-5x4", "60 products.", conv(2, (3, 4), (5, 4), (5, 4))),
        Row("c9-8x8", "576 products.", conv(1, (9, 1), (8, 8), (8, 8))),
        Row("dilated", "A dilated kernel that just fits.", conv(1, (2, 3), (7, 5), (3, 2), dilation=(3, 4))),
    ]


def batch() -> list[Row]:
    """From no image to many."""
    return [
        Row("n0", "No image: empty outputs, zero gradients of weight and bias.", conv(0, (2, 3), (5, 6), (3, 2))),
        Row("n3", "Three images.", conv(3, (2, 3), (5, 4), (3, 2), padding=((1, 0), (0, 1)))),
        Row("n9-g2", "Nine images, two groups.", conv(9, (2, 4), (4, 3), (2, 2), groups=2)),
        Row("n17-pointwise", "Seventeen images under a 1x1 kernel.", conv(17, (3, 4), (2, 3), (1, 1))),
    ]


def padding_over_kernel() -> list[Row]:
    """More padding than kernel: some outputs see no input at all and are the bias."""
    return [
        Row("p3-w2", "Padding 3 around a 2x3 kernel.", conv(1, (2, 3), (4, 5), (2, 3), padding=((3, 3), (4, 3)))),
        Row("p5-s3", "With stride, so that whole steps fall into the padding.",
            conv(2, (2, 3), (3, 4), (3, 2), (3, 2), padding=((5, 4), (2, 6)))),
        Row("dilated-over", "Only the outermost taps of a dilated kernel reach the image.",
            conv(1, (2, 2), (2, 3), (3, 3), dilation=(3, 3), padding=((3, 3), (3, 3)))),
    ]  # fmt: skip


def thin() -> list[Row]:
    """Images of one row or one column."""
    return [
        Row("row", "One row.", conv(2, (2, 3), (1, 9), (1, 4), (1, 2), padding=((0, 0), (1, 2)))),
        Row("column", "One column.", conv(2, (3, 2), (8, 1), (3, 1), (2, 1), padding=((2, 0), (0, 0)))),
        Row("row-tall-kernel", "One row under a kernel of three, through the padding.",
            conv(1, (2, 3), (1, 7), (3, 2), padding=((1, 1), (0, 0)))),
    ]  # fmt: skip


def tile_edges() -> list[Row]:
    """Extents around powers of two, where blocked and vectorised kernels have their seams."""
    edges = [
        Row(f"w{width}", f"Output rows of {width} elements.",
            conv(1, (2, 3), (3, width + 2), (3, 3), padding=((1, 1), (0, 0))), ("TileEdge",))
        for width in (7, 8, 9, 15, 16, 17, 31, 32, 33)
    ]  # fmt: skip
    tails = [
        Row(f"c{channels[0]}-k{channels[1]}", f"{channels[0]} channels in, {channels[1]} out.",
            conv(1, channels, (3, 4), (2, 2)), ("VectorTail",))
        for channels in ((3, 5), (4, 9), (5, 8), (7, 17), (8, 7), (9, 16), (15, 4), (16, 15), (17, 33), (33, 6))
    ]  # fmt: skip
    return edges + tails
