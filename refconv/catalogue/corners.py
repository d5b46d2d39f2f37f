"""Two conditions at once, each from a public report of a bug that neither of them shows alone."""

from __future__ import annotations

from refconv.catalogue.families import conv
from refconv.catalogue.spec import Row


def corners() -> list[Row]:
    """One axis strided and the other not, one row or column, one pixel out, one channel out, many images."""
    return [
        Row("pointwise-stride-1x2", "1x1, strided along the width alone.", conv(2, (3, 4), (5, 7), (1, 1), (1, 2))),
        Row("pointwise-stride-2x1", "1x1, strided along the height alone.", conv(2, (3, 4), (6, 5), (1, 1), (2, 1))),
        Row("row-stride-4", "One row, 1x5 at stride 4, padded.",
            conv(1, (2, 3), (1, 9), (1, 5), (1, 4), padding=((0, 0), (1, 2)))),
        Row("row-stride-5", "One row, 1x4 at stride 5, padded.",
            conv(2, (3, 2), (1, 13), (1, 4), (1, 5), padding=((0, 0), (2, 1)))),
        Row("column-stride-4", "One column, 5x1 at stride 4, padded.",
            conv(1, (2, 3), (9, 1), (5, 1), (4, 1), padding=((2, 1), (0, 0)))),
        Row("groups-of-a-large-pair", "Two groups over two images of more than 4,096 elements.",
            conv(2, (4, 2), (23, 24), (1, 2), groups=2), operations=("forward", "grad_input")),
        Row("groups-of-four-images", "Three groups over four images of more than 4,096 elements.",
            conv(4, (6, 3), (15, 13), (2, 1), groups=3), operations=("forward", "grad_input")),
        Row("depthwise-c8-leftover", "8 channels, stride 2, padding, a row and a column left over.",
            conv(1, (8, 8), (6, 6), (3, 3), (2, 2), padding=((1, 1), (1, 1)), groups=8)),
        Row("depthwise-c16-leftover", "16 channels, 5x5, stride 2, padding, a row left over.",
            conv(2, (16, 16), (8, 7), (5, 5), (2, 2), padding=((2, 2), (2, 2)), groups=16)),
        Row("depthwise-c8-n2-leftover", "8 channels of two images, stride 2, padding, a row left over.",
            conv(2, (8, 8), (8, 5), (3, 3), (2, 2), padding=((1, 1), (1, 1)), groups=8)),
        Row("one-output-channel-high", "K = 1 over more than 64 rows.", conv(1, (2, 1), (66, 3), (2, 2))),
        Row("one-output-channel-higher", "K = 1 over more than 128 rows.", conv(1, (3, 1), (131, 2), (3, 1))),
        Row("one-output-channel-wide", "K = 1 over more than 64 columns.", conv(1, (2, 1), (3, 67), (2, 2))),
        Row("one-pixel-35-images", "35 images, one pixel each comes out.", conv(35, (2, 3), (2, 3), (2, 3))),
        Row("one-pixel-37-images", "37 images of one pixel.", conv(37, (5, 4), (1, 1), (1, 1))),
        Row("one-pixel-65-images", "65 images, one pixel each comes out.", conv(65, (3, 2), (3, 2), (3, 2))),
        Row("dilated-12", "Dilation 12.", conv(1, (2, 3), (14, 5), (2, 3), dilation=(12, 1), padding=((0, 1), (1, 0)))),
        Row("dilated-9-wide", "Dilation 9 along 35 columns.", conv(1, (3, 2), (3, 35), (2, 3), dilation=(1, 9))),
        Row("row-of-1027", "1,026 columns come out.", conv(1, (1, 2), (1, 1027), (1, 2))),
        Row("column-of-1030", "1,028 rows come out.", conv(1, (2, 1), (1030, 1), (3, 1))),
        Row("seven-wide-39", "1x7 over 39 columns.", conv(1, (2, 3), (2, 39), (1, 7))),
        Row("seven-square-45", "7x7 over 45 columns.", conv(1, (1, 2), (8, 45), (7, 7), padding=((1, 1), (0, 0)))),
    ]  # fmt: skip


def long_planes() -> list[Row]:
    """Planes of more than 2**15 pixels whose result is small."""
    return [
        Row("190x175-stride-13", "33,250 pixels, 3x2 at stride 13.", conv(1, (1, 2), (190, 175), (3, 2), (13, 13))),
        Row("1x33001", "One row of 33,001 pixels at stride 7.", conv(1, (1, 1), (1, 33001), (1, 3), (1, 7))),
        Row("36007x1", "One column of 36,007 pixels at stride 11.", conv(1, (1, 1), (36007, 1), (2, 1), (11, 1))),
    ]
