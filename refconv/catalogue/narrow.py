"""Families for narrow number formats: few terms, results that overflow, and the ends of the integers."""

from __future__ import annotations

from dataclasses import replace

from refconv.catalogue.families import conv
from refconv.catalogue.planting import Planted
from refconv.catalogue.spec import Row

_FORWARD = ("forward",)


def few_terms() -> list[Row]:
    """So few products that even the sums of all gradients stay within 8: float8_e5m2 holds no more integers."""
    return [
        Row("c2-1x3", "Six products and the bias.", conv(1, (2, 2), (2, 4), (1, 3))),
        Row("g2-2x1", "Two groups of two products.", conv(1, (2, 4), (3, 2), (2, 1), groups=2)),
        Row("stride-n2", "Two images, stride 2 over leftovers.", conv(2, (1, 2), (4, 3), (2, 2), (3, 2))),
    ]


def float8_overflow() -> list[Row]:
    """Results beyond the largest float8 number, in the mode that has infinities."""
    return [_overflowing("infinity")]


def float8_saturation() -> list[Row]:
    """List results beyond the largest float8 number, in the mode that stops there."""
    return [_overflowing("saturate"), replace(_tie(), overflow="saturate", slug="tie-saturate")]


def float8_nan() -> list[Row]:
    """List results beyond the largest float8 number, in the mode that gives NaN."""
    return [_overflowing("nan"), replace(_tie(), overflow="nan", slug="tie-nan")]


def float8_non_finite() -> list[Row]:
    """NaN and infinities of a format of eight bits."""
    return [
        Row("nan-and-infinities", "NaN, inf and -inf at three pixels.", conv(1, (1, 2), (2, 6), (1, 2)),
            operations=_FORWARD, overflow="infinity",
            planted=(Planted("x", (0, 0, 0, 1), "nan"), Planted("x", (0, 0, 0, 4), "inf"),
                     Planted("x", (0, 0, 1, 2), "-inf"))),
    ]  # fmt: skip


def deep_ends() -> list[Row]:
    """Multiply the ends of the integers so often that the sums need more than the 24 bits of float32."""
    return [
        Row("c4600", "4,600 products.", conv(1, (4600, 3), (1, 1), (1, 1)), operations=_FORWARD),
        Row("c512-3x3", "4,608 products under 3x3.", conv(1, (512, 2), (3, 4), (3, 3)), operations=_FORWARD),
    ]


def ends() -> list[Row]:
    """Multiply the ends of the integers: neighbouring products whose sum leaves 16 bits, in every place of a kernel."""
    return _ends("-128")


def ends_unsigned() -> list[Row]:
    """Multiply -128 by 255: the ends, for an x without sign."""
    return _ends("255")


def _ends(far: str) -> list[Row]:
    weight = Planted("weight", (), "-128")
    return [
        Row("pair", "Two equal products of the ends: no 16-bit sum holds them.", conv(1, (2, 1), (2, 3), (1, 1)),
            bias=False, operations=_FORWARD, planted=(Planted("x", (), far), weight)),
        Row("nine", "All weights are -128, in kernels of nine.", conv(1, (1, 2), (4, 5), (3, 3)),
            bias=False, operations=_FORWARD, planted=(weight,)),
        Row("channels", "Pairs and quads of channels, as dot-product instructions take them.",
            conv(1, (8, 5), (3, 4), (2, 2)), operations=_FORWARD),
        Row("depthwise", "One channel at a time.", conv(2, (3, 3), (5, 4), (3, 2), groups=3), operations=_FORWARD),
        Row("grouped-padded", "Two groups, stride 2, uneven padding.",
            conv(1, (6, 4), (5, 6), (3, 3), (2, 2), padding=((1, 0), (2, 1)), groups=2), operations=_FORWARD),
    ]  # fmt: skip


def _overflowing(mode: str) -> Row:
    """Multiply the largest number by 2, -3 and 1: only the last result is a number of the format."""
    factors = tuple(Planted("weight", (channel,), value) for channel, value in enumerate(("2", "-3", "1")))
    return Row(f"product-{mode}", "Ones and the largest number, times 2, -3 and 1.", conv(1, (1, 3), (2, 3), (1, 1)),
               bias=False, operations=_FORWARD, overflow=mode,
               planted=(Planted("x", (), "1"), Planted("x", (0, 0, 1, 1), "largest"), *factors))  # fmt: skip


def _tie() -> Row:
    """448 + 16, which is halfway to 480, rounds to even and so to 448; 448 + 18 overflows."""
    image = (("largest", 0), ("16", 1), ("2", 2), ("-largest", 3), ("-16", 4), ("-2", 5))
    planted = tuple(Planted("x", (0, 0, 0, column), value) for value, column in image)
    return Row("tie", "Sums of 464, the tie that is no overflow, and of 466, which is one.",
               conv(1, (1, 2), (1, 6), (1, 3)), flags=("RoundTie", "Overflow"), bias=False, operations=_FORWARD,
               planted=(*planted, Planted("weight", (), "1"), Planted("weight", (0, 0, 0, 2), "0")))  # fmt: skip
