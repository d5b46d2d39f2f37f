"""Families at the seams of blocked kernels: extents on, just below and just above the sizes of blocks.

Kernels take channels, columns and pixels in blocks of 4, 8, 16, 32 or 64, and treat what remains apart.  Here two
or three extents have a remainder at once, since the code for a remainder is mostly tested alone.
"""

from __future__ import annotations

from refconv.catalogue.families import conv
from refconv.catalogue.spec import Row

TAILS = (3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
_PLANES = ((1, 1), (1, 4), (3, 1), (1, 5), (1, 7), (2, 4), (3, 3), (1, 6), (2, 2), (1, 3), (1, 8), (1, 2), (2, 1),
           (1, 9), (2, 3))  # fmt: skip
_EDGE = ("VectorTail",)


def channel_tails() -> list[Row]:
    """1x1 kernels: C, K and the number of pixels around the blocks of a matrix product."""
    rows = []
    for turn in (3, 8):
        for at, channels in enumerate(TAILS):
            outputs, plane = TAILS[(7 * at + turn) % 15], _PLANES[(4 * at + turn) % 15]
            size = f"{plane[0]}x{plane[1]}"
            rows.append(Row(f"c{channels}-k{outputs}-{size}", f"{channels} channels in, {outputs} out, {size} pixels.",
                            conv(1, (channels, outputs), plane, (1, 1)), _EDGE))  # fmt: skip
    return rows


def channel_tails_3x3() -> list[Row]:
    """3x3 kernels: C and K around the blocks, a plane of a few columns."""
    some = ((4, 31), (8, 8), (16, 5), (31, 4), (5, 32), (32, 3), (9, 16), (17, 9), (33, 2), (3, 33), (7, 15), (15, 7),
            (64, 1), (1, 64), (2, 63), (65, 1))  # fmt: skip
    return [
        Row(f"c{channels}-k{outputs}", f"3x3, {channels} channels in, {outputs} out.",
            conv(1, (channels, outputs), (2, 3), (3, 3), padding=((1, 1), (1, 1))), _EDGE)
        for channels, outputs in some
    ]  # fmt: skip


def width_tails() -> list[Row]:
    """Output rows around the blocks, under every common kernel; channels fill one block or leave a remainder."""
    widths = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65)
    return [_row_of(width, at) for at, width in enumerate(widths)] + [
        _row_of(width, at + 1) for at, width in enumerate(widths)
    ]


def _row_of(width: int, turn: int) -> Row:
    """Make one family member: the kernel takes turns, the rows are two or three."""
    flags = ("TileEdge",)
    rows = 2 + turn % 2
    if turn % 4 == 0:
        problem = conv(1, (4, 4), (rows, width), (3, 3), padding=((1, 1), (1, 1)))
        return Row(f"same-3x3-w{width}", f"3x3 with padding 1, rows of {width}.", problem, flags)
    if turn % 4 == 1:
        problem = conv(1, (3, 5), (2 * rows, 2 * width + 1), (3, 3), (2, 2), padding=((1, 0), (0, 0)))
        return Row(f"stride-3x3-w{width}", f"3x3 with stride 2, rows of {width} outputs.", problem, flags)
    if turn % 4 == 2:
        problem = conv(1, (8, 3), (rows, width), (1, 1))
        return Row(f"pointwise-w{width}", f"1x1, rows of {width}.", problem, flags)
    problem = conv(1, (5, 5), (rows, width), (3, 5), padding=((1, 1), (2, 2)), groups=5)
    return Row(f"depthwise-3x5-w{width}", f"3x5 depthwise with padding, rows of {width}.", problem, flags)


def deep_reductions() -> list[Row]:
    """Many channels over tiny planes, as where a long sum is split over threads."""
    shapes = (
        ((96, 5), (2, 2), (1, 1)), ((104, 3), (1, 5), (1, 1)), ((440, 4), (1, 3), (1, 1)), ((512, 3), (2, 1), (1, 1)),
        ((1024, 2), (1, 2), (1, 1)), ((1023, 3), (1, 1), (1, 1)), ((257, 5), (1, 2), (1, 1)), ((96, 2), (3, 2), (3, 3)),
        ((104, 2), (2, 3), (3, 3)), ((440, 1), (2, 2), (3, 3)), ((131, 3), (1, 4), (1, 3)), ((2, 440), (1, 3), (1, 1)),
        ((3, 1024), (1, 1), (1, 1)), ((4, 257), (1, 2), (1, 1)),
    )  # fmt: skip
    return [
        Row(f"c{channels[0]}-k{channels[1]}-{kernel[0]}x{kernel[1]}",
            f"{channels[0]} channels in, {channels[1]} out, {kernel[0]}x{kernel[1]}.",
            conv(1, channels, size, kernel, padding=tuple(((k - 1) // 2,) * 2 for k in kernel)), _EDGE)
        for channels, size, kernel in shapes
    ]  # fmt: skip


def batches() -> list[Row]:
    """From eight images to sixty-five, where batches are cut into blocks."""
    return [
        Row("n8", "Eight images, 3x3.", conv(8, (2, 3), (4, 3), (3, 3), padding=((1, 1), (1, 1)))),
        Row("n9-pointwise", "Nine images, 1x1, 9 channels.", conv(9, (9, 4), (2, 2), (1, 1))),
        Row("n16-s2", "Sixteen images, stride 2.", conv(16, (3, 2), (5, 4), (3, 2), (2, 2))),
        Row("n17-depthwise", "Seventeen images, depthwise.", conv(17, (3, 3), (3, 4), (3, 3), padding=((1, 1),) * 2,
            groups=3)),
        Row("n32-one-pixel", "Thirty-two images of one pixel each.", conv(32, (7, 5), (1, 1), (1, 1))),
        Row("n33-g2", "Thirty-three images, two groups.", conv(33, (4, 2), (2, 3), (2, 2), groups=2)),
        Row("n65-1x2", "Sixty-five images.", conv(65, (2, 3), (1, 3), (1, 2))),
        Row("n12-d2", "Twelve images, dilated.",
            conv(12, (2, 2), (5, 6), (3, 2), dilation=(2, 3), padding=((1, 0), (0, 1)))),
    ]  # fmt: skip


def wide_planes() -> list[Row]:
    """Planes of 2**15 pixels and more, whose offsets outgrow 16 bits; the stride keeps the output small."""
    flags, forward = ("TileEdge",), ("forward",)
    return [
        Row("plane-182x181", "32,942 pixels, 3x3, stride 7.", conv(1, (1, 1), (182, 181), (3, 3), (7, 7)), flags,
            operations=forward),
        Row("planes-145x145-depthwise", "2 channels of 21,025 pixels: the second ends beyond 2**15.",
            conv(1, (2, 2), (145, 145), (3, 3), (5, 6), padding=((1, 1), (1, 1)), groups=2), flags, operations=forward),
        Row("row-32771", "A row of 32,771 pixels, 1x3, stride 5.", conv(1, (1, 1), (1, 32771), (1, 3), (1, 5)), flags,
            operations=forward),
        Row("column-32771", "A column of 32,771 pixels, 3x1, stride 6.", conv(1, (1, 1), (32771, 1), (3, 1), (6, 1)),
            flags, operations=forward),
        Row("channels-1031-6x7", "1,031 channels of 42 pixels, one of which comes out.",
            conv(1, (1031, 2), (6, 7), (1, 1), (6, 7)), flags, operations=forward),
    ]  # fmt: skip
