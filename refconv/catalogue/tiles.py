"""Families for the special ways to convolve: Winograd tiles, patches, large kernels, many groups, first layers."""

from __future__ import annotations

from refconv.catalogue.families import Pair, conv
from refconv.catalogue.spec import Row
from refconv.problem import Padding

_TILE, _TAIL = ("TileEdge",), ("VectorTail",)
_ONE: Padding = ((1, 1), (1, 1))


def winograd_tiles() -> list[Row]:
    """3x3 with stride 1 and enough channels for Winograd's F(2,3), F(4,3) and F(6,3), full tiles and cut ones."""
    sizes = ((2, 2), (3, 4), (4, 4), (5, 6), (6, 6), (7, 5), (8, 4), (9, 7), (6, 12), (13, 3), (10, 11), (12, 13))
    channels = ((16, 8), (8, 16), (16, 16), (9, 7), (8, 8), (5, 16), (32, 3), (4, 8), (4, 12), (17, 5), (3, 6), (2, 5))
    same = [
        Row(f"same-{h}x{w}-c{c}-k{k}", f"Padding 1, {c} -> {k}, outputs {h}x{w}.", conv(1, (c, k), (h, w), (3, 3),
            padding=_ONE), _TILE)
        for (h, w), (c, k) in zip(sizes, channels, strict=True)
    ]  # fmt: skip
    valid = [
        Row(f"valid-{h}x{w}-c{c}-k{k}", f"No padding, {c} -> {k}, outputs {h}x{w}.",
            conv(1, (c, k), (h + 2, w + 2), (3, 3)), _TILE)
        for (h, w), (c, k) in zip(sizes[::-1][:6] + sizes[:2], channels[6:] + channels[2:4], strict=True)
    ]  # fmt: skip
    others = [
        Row("uneven-7x9", "Padding differs at all four sides.",
            conv(2, (8, 8), (7, 9), (3, 3), padding=((1, 0), (2, 1))), _TILE),
        Row("pads-2-5x6", "Padding 2.", conv(1, (8, 5), (5, 6), (3, 3), padding=((2, 2), (2, 2))), _TILE),
        Row("groups-6x6", "Two groups of eight channels.", conv(1, (16, 16), (6, 6), (3, 3), padding=_ONE, groups=2),
            _TILE),
        Row("batch-4x5", "Three images.", conv(3, (8, 8), (4, 5), (3, 3), padding=_ONE), _TILE),
        Row("dilated-8x8", "Dilation 2, which is no Winograd.", conv(1, (8, 8), (8, 8), (3, 3), dilation=(2, 2),
            padding=((2, 2), (2, 2))), _TILE),
        Row("5x5-6x7", "5x5, for F(2,5).", conv(1, (6, 4), (6, 7), (5, 5), padding=((2, 2), (2, 2))), _TILE),
        Row("1x3-9x8", "1x3, for one-dimensional tiles.", conv(1, (8, 8), (5, 8), (1, 3), padding=((0, 0), (1, 1))),
            _TILE),
        Row("3x1-9x8", "3x1.", conv(1, (8, 8), (9, 5), (3, 1), padding=((1, 1), (0, 0))), _TILE),
    ]  # fmt: skip
    return same + valid + others


def patches() -> list[Row]:
    """Strides that equal or exceed the kernel: patches side by side, or with gaps."""
    return [
        Row("2x2-s2-c8", "2x2 patches, 8 channels.", conv(1, (8, 16), (6, 8), (2, 2), (2, 2))),
        Row("4x4-s4-c3", "4x4 patches of an image, as ConvNeXt begins.", conv(1, (3, 24), (8, 12), (4, 4), (4, 4))),
        Row("7x7-s7", "7x7 patches.", conv(2, (2, 5), (14, 15), (7, 7), (7, 7))),
        Row("3x2-s3x2-padded", "Patches that begin in the padding.",
            conv(1, (5, 9), (7, 8), (3, 2), (3, 2), padding=((1, 2), (1, 1)))),
        Row("1x1-s3", "One pixel in nine.", conv(1, (9, 8), (8, 10), (1, 1), (3, 3))),
        Row("2x3-s5x4", "Gaps of three rows and one column.", conv(2, (4, 8), (11, 12), (2, 3), (5, 4))),
        Row("3x3-s4-padded", "Gaps, and padding.", conv(1, (8, 5), (10, 9), (3, 3), (4, 4), padding=_ONE)),
        Row("2x2-s3x3-depthwise", "Gaps, depthwise.", conv(1, (8, 8), (9, 10), (2, 2), (3, 3), groups=8)),
        Row("3x3-s2-d3", "Stride 2 under dilation 3.",
            conv(1, (4, 8), (11, 12), (3, 3), (2, 2), (3, 3), padding=((2, 3), (3, 2)))),
        Row("stride-above-input", "A stride that leaves one output.", conv(2, (5, 4), (6, 5), (3, 3), (8, 7))),
    ]  # fmt: skip


def large_kernels() -> list[Row]:
    """Kernels of 7, 11, 13 and 31, and long thin ones."""

    def same(channels: Pair, size: Pair, kernel: Pair, groups: int = 1) -> Row:
        depthwise = "-depthwise" if groups > 1 else ""
        slug = f"{kernel[0]}x{kernel[1]}{depthwise}"
        pads: Padding = tuple(((k - 1) // 2, k // 2) for k in kernel)
        comment = f"{kernel[0]}x{kernel[1]}{depthwise.replace('-', ' ')}, as many outputs as inputs."
        return Row(slug, comment, conv(1, channels, size, kernel, padding=pads, groups=groups))

    return [
        same((3, 4), (9, 8), (7, 7)), same((8, 8), (7, 9), (7, 7), 8), same((2, 3), (8, 9), (11, 11)),
        same((1, 2), (12, 7), (13, 13)), same((2, 2), (9, 10), (31, 31), 2), same((2, 3), (4, 33), (1, 31)),
        same((3, 2), (33, 3), (31, 1)), same((4, 6), (5, 12), (1, 7)), same((6, 4), (12, 5), (7, 1)),
        same((2, 2), (10, 9), (8, 6)),
        Row("11x11-s4", "11x11 with stride 4, as AlexNet begins.",
            conv(1, (3, 4), (27, 23), (11, 11), (4, 4), padding=((2, 2), (2, 2)))),
        Row("7x7-s2-d2", "7x7, dilated, with stride.",
            conv(1, (2, 3), (17, 16), (7, 7), (2, 2), (2, 2), padding=((3, 4), (5, 3)))),
        Row("5x5-c8", "5x5 over 8 channels.", conv(1, (8, 4), (6, 7), (5, 5), padding=((2, 2), (2, 2)))),
    ]  # fmt: skip


def kernel_is_input() -> list[Row]:
    """Kernels that just cover the input or the padded input: one output per channel, or per row."""
    return [
        Row("2x2-c16", "2x2 over 16 channels, as a classifier's head.", conv(2, (16, 9), (2, 2), (2, 2))),
        Row("4x4-c8", "4x4 over 8 channels.", conv(1, (8, 17), (4, 4), (4, 4))),
        Row("7x7-c7-k7-depthwise", "7x7 depthwise: a weighted mean of each channel.",
            conv(1, (9, 9), (7, 7), (7, 7), groups=9)),
        Row("padded", "The kernel covers the padded input.", conv(1, (3, 8), (3, 4), (5, 7), padding=((1, 1), (2, 1)))),
        Row("rows", "As high as the input, narrower.", conv(1, (4, 5), (6, 9), (6, 2))),
        Row("columns", "As wide as the input, lower.", conv(1, (5, 4), (9, 6), (2, 6))),
        Row("larger-than-input", "The kernel exceeds the input and fits into the padding.",
            conv(1, (4, 5), (2, 3), (5, 5), padding=((2, 2), (2, 1)))),
    ]  # fmt: skip


def depthwise_wide() -> list[Row]:
    """Depthwise layers of 8 to 65 channels, with multipliers, strides and dilations."""
    three, five = (3, 3), (5, 5)
    two: Padding = ((2, 2), (2, 2))
    return [
        Row("c8", "8 channels.", conv(1, (8, 8), (5, 7), three, padding=_ONE, groups=8), _TAIL),
        Row("c16-s2", "16 channels, stride 2.",
            conv(1, (16, 16), (7, 6), three, (2, 2), padding=_ONE, groups=16), _TAIL),
        Row("c17", "17 channels.", conv(1, (17, 17), (4, 5), three, padding=_ONE, groups=17), _TAIL),
        Row("c33-s2", "33 channels, stride 2.",
            conv(1, (33, 33), (5, 5), three, (2, 2), padding=_ONE, groups=33), _TAIL),
        Row("c64-3x4", "64 channels.", conv(1, (64, 64), (3, 4), three, padding=_ONE, groups=64), _TAIL),
        Row("c65-2x2", "65 channels, two images.", conv(2, (65, 65), (3, 3), (2, 2), groups=65), _TAIL),
        Row("c8-m2", "8 channels, 2 outputs each.", conv(1, (8, 16), (4, 6), three, padding=_ONE, groups=8), _TAIL),
        Row("c5-m3-s2", "5 channels, 3 outputs each, stride 2.",
            conv(2, (5, 15), (6, 7), three, (2, 2), padding=_ONE, groups=5), _TAIL),
        Row("c4-m8", "4 channels, 8 outputs each.", conv(1, (4, 32), (4, 5), three, padding=_ONE, groups=4), _TAIL),
        Row("c16-m2-5x5", "16 channels, 2 outputs each, 5x5.", conv(1, (16, 32), (3, 5), five, padding=two, groups=16),
            _TAIL),
        Row("c1-m16", "One channel, 16 outputs: no groups at all.",
            conv(1, (1, 16), (5, 6), three, padding=_ONE), _TAIL),
        Row("c12-d2", "12 channels, dilation 2.", conv(1, (12, 12), (6, 7), three, dilation=(2, 2), padding=two,
            groups=12), _TAIL),
        Row("c16-5x5-s2", "16 channels, 5x5, stride 2.", conv(1, (16, 16), (8, 7), five, (2, 2), padding=two,
            groups=16), _TAIL),
        Row("c9-uneven", "9 channels, all pads differ.",
            conv(2, (9, 9), (6, 5), three, padding=((0, 1), (2, 3)), groups=9), _TAIL),
        Row("c24-1x1", "24 channels under 1x1: a factor for each.",
            conv(2, (24, 24), (3, 3), (1, 1), groups=24), _TAIL),
        Row("c8-s3x1-m3", "8 channels, 3 outputs each, stride 3 along one axis.",
            conv(1, (8, 24), (7, 5), three, (3, 1), padding=_ONE, groups=8), _TAIL),
    ]  # fmt: skip


def many_groups() -> list[Row]:
    """2 to 32 groups whose channels fill a block or leave a remainder."""
    one = _ONE
    return [
        Row("g2-8to16", "2 groups of 8 and 16.", conv(1, (16, 32), (3, 4), (1, 1), groups=2), _TAIL),
        Row("g2-9to5", "2 groups of 9 and 5.", conv(1, (18, 10), (4, 3), (3, 3), padding=one, groups=2), _TAIL),
        Row("g4-4to4", "4 groups of 4 and 4.", conv(1, (16, 16), (5, 4), (3, 3), padding=one, groups=4), _TAIL),
        Row("g4-3to7-s2", "4 groups of 3 and 7, stride 2.",
            conv(2, (12, 28), (5, 6), (3, 3), (2, 2), padding=one, groups=4), _TAIL),
        Row("g8-2to1", "8 groups of 2 and 1.", conv(1, (16, 8), (4, 5), (3, 3), padding=one, groups=8), _TAIL),
        Row("g8-1to5", "8 groups of 1 and 5.", conv(1, (8, 40), (4, 3), (2, 2), groups=8), _TAIL),
        Row("g32-4to4", "32 groups of 4 and 4, as ResNeXt.", conv(1, (128, 128), (2, 1), (1, 1), groups=32), _TAIL),
        Row("g32-1to2", "32 groups of 1 and 2.", conv(1, (32, 64), (3, 3), (3, 3), padding=one, groups=32), _TAIL),
        Row("g32-2to1-s2", "32 groups of 2 and 1, stride 2.",
            conv(1, (64, 32), (4, 4), (3, 3), (2, 2), padding=one, groups=32), _TAIL),
        Row("g3-5to8-d2", "3 groups of 5 and 8, dilated.", conv(1, (15, 24), (6, 5), (3, 2), dilation=(2, 3),
            padding=((2, 1), (1, 2)), groups=3), _TAIL),
        Row("g2-16to16", "2 groups of 16 and 16.",
            conv(1, (32, 32), (2, 3), (3, 3), padding=one, groups=2), _TAIL),
        Row("g7-3to2-n3", "7 groups of 3 and 2, three images.", conv(3, (21, 14), (3, 4), (2, 3), groups=7), _TAIL),
    ]  # fmt: skip


def pointwise_wide() -> list[Row]:
    """1x1 kernels with everything that a plain matrix product does not have."""
    return [
        Row("s2-c16", "Stride 2.", conv(1, (16, 9), (5, 6), (1, 1), (2, 2)), _TAIL),
        Row("s2-c32-n2", "Stride 2, two images.", conv(2, (32, 8), (4, 5), (1, 1), (2, 2)), _TAIL),
        Row("p1-c8", "Padding 1: the border is the bias.", conv(1, (8, 17), (3, 5), (1, 1), padding=_ONE), _TAIL),
        Row("p2130-c9-s3x2", "Uneven padding and stride.",
            conv(2, (9, 8), (5, 6), (1, 1), (3, 2), padding=((2, 1), (3, 0))), _TAIL),
        Row("right-bottom-c16", "Padding at the end alone.",
            conv(1, (16, 16), (4, 3), (1, 1), padding=((0, 1), (0, 2))), _TAIL),
        Row("g4-s2", "4 groups, stride 2.", conv(2, (16, 32), (5, 4), (1, 1), (2, 2), groups=4), _TAIL),
        Row("row-33", "One row of 33 pixels.", conv(1, (17, 8), (1, 33), (1, 1)), _TAIL),
        Row("column-31", "One column of 31 pixels.", conv(1, (8, 15), (31, 1), (1, 1)), _TAIL),
        Row("n4-c5-k65", "Four images, 65 outputs.", conv(4, (5, 65), (2, 3), (1, 1)), _TAIL),
        Row("c1-k1", "A factor and a bias.", conv(2, (1, 1), (5, 7), (1, 1)), _TAIL),
    ]  # fmt: skip


def first_layers() -> list[Row]:
    """1 to 4 channels into 8 to 64, as networks begin."""
    flags = ("FirstLayer",)
    shapes = ((3, 16, 3, 2), (3, 32, 3, 1), (1, 32, 5, 1), (4, 16, 3, 2), (3, 24, 7, 2), (2, 8, 3, 2), (1, 6, 5, 1),
              (3, 64, 3, 2), (3, 12, 6, 2), (4, 9, 5, 4))  # fmt: skip
    return [
        Row(f"c{c}-k{k}-{kernel}x{kernel}-s{stride}", f"{kernel}x{kernel}, stride {stride}, {c} -> {k}.",
            conv(1, (c, k), (9, 8), (kernel, kernel), (stride, stride), padding=(((kernel - 1) // 2,) * 2,) * 2), flags)
        for c, k, kernel, stride in shapes
    ]  # fmt: skip


def dilated_wide() -> list[Row]:
    """3x3 with dilation 2 to 12 and padding to match, as in dense prediction."""
    rows = [
        Row(f"d{d}-c{c}-k{k}", f"Dilation {d}, padding {d}, {c} -> {k}.",
            conv(1, (c, k), size, (3, 3), dilation=(d, d), padding=((d, d), (d, d))), _TILE)
        for d, c, k, size in ((2, 8, 8, (6, 7)), (3, 4, 9, (7, 8)), (4, 16, 4, (5, 6)), (6, 4, 8, (8, 9)),
                              (12, 4, 5, (13, 14)))
    ]  # fmt: skip
    return [
        *rows,
        Row("d2-s2", "Dilation 2 and stride 2.",
            conv(1, (8, 5), (9, 10), (3, 3), (2, 2), (2, 2), ((2, 2), (2, 2))), _TILE),
        Row("d1x4-valid", "Dilation along the row, no padding.",
            conv(1, (5, 8), (4, 17), (3, 3), dilation=(1, 4)), _TILE),
        Row("d5x1-2x2", "2x2 taps far apart.", conv(2, (4, 6), (9, 5), (2, 2), dilation=(5, 1)), _TILE),
    ]  # fmt: skip
