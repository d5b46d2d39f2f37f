"""The axes tier: one and three axes, transposed convolution, padding said by a name, padding that crops.

The families for one, two and three axes go through the same list of troubles, so that what is known of images is
asked of signals and volumes too.  Extents differ within a problem wherever they can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from refconv.catalogue import transposed
from refconv.catalogue.arrays import ARRAYS, operator_rows
from refconv.catalogue.named import cropped, named_padding
from refconv.catalogue.shapes import nd
from refconv.catalogue.spec import CaseSpec, Row


def signals() -> list[Row]:
    """Convolutions of signals: one axis."""
    return [
        Row("plain", "Two channels in, three out.", nd(1, (2, 3), (9,), (3,)), ("Basic",)),
        Row("no-bias", "Without a bias.", nd(2, (3, 2), (7,), (4,)), ("Basic",), bias=False),
        Row("one-by-one", "All extents are one.", nd(1, (1, 1), (1,), (1,)), ("Basic", "OneByOne")),
        Row("s2-d3-p12", "Stride, dilation and both pads differ.", nd(2, (3, 4), (13,), (3,), (2,), (3,), ((1, 2),))),
        Row("s3-d2-p30", "All padding at the beginning.", nd(2, (4, 3), (11,), (4,), (3,), (2,), ((3, 0),))),
        Row("same-stride-2", "Padded at the end alone, as SAME is with stride 2.",
            nd(1, (3, 2), (8,), (3,), (2,), padding=((0, 1),))),
        Row("leftover", "The last two elements are not read.", nd(2, (2, 3), (12,), (4,), (3,))),
        Row("stride-above-kernel", "Gaps between the patches.", nd(1, (3, 2), (17,), (3,), (5,), padding=((1, 1),))),
        Row("padding-over-kernel", "More padding than kernel.", nd(1, (2, 3), (4,), (2,), padding=((3, 4),))),
        Row("full-reduction", "The kernel is as long as the signal.", nd(2, (5, 3), (12,), (12,))),
        Row("g2-2to3", "2 groups of 2 inputs and 3 outputs.", nd(2, (4, 6), (10,), (3,), (2,), (2,), ((2, 1),), 2)),
        Row("g3-3to2", "3 groups of 3 inputs and 2 outputs.", nd(1, (9, 6), (7,), (2,), groups=3)),
        Row("depthwise", "5 channels of their own.", nd(2, (5, 5), (11,), (5,), (2,), padding=((2, 2),), groups=5)),
        Row("multiplier", "3 channels with 4 outputs each.", nd(2, (3, 12), (8,), (3,), dilation=(2,), groups=3)),
        Row("causal", "Dilation 4, padded at the beginning alone, as WaveNet does.",
            nd(2, (4, 4), (15,), (2,), dilation=(4,), padding=((4, 0),))),
        Row("pointwise", "A kernel of one element with stride and padding.",
            nd(2, (5, 7), (6,), (1,), (2,), padding=((1, 0),))),
        Row("tail-67", "67 elements come out: tails of vectors and tiles.", nd(1, (1, 2), (69,), (3,))),
        Row("channels-33", "33 channels in, 17 out.", nd(1, (33, 17), (3,), (2,))),
        Row("multiplier-2", "4 channels with 2 outputs each, stride 2.", nd(1, (4, 8), (7,), (2,), (2,), groups=4)),
        Row("pointwise-padding", "A kernel of one element with padding alone.",
            nd(1, (3, 4), (5,), (1,), padding=((2, 1),))),
        Row("n0", "No signal: empty outputs, zero gradients of weight and bias.", nd(0, (2, 3), (9,), (3,))),
    ]  # fmt: skip


def volumes() -> list[Row]:
    """Convolutions of volumes: three axes."""
    return [
        Row("plain", "Two channels in, three out.", nd(1, (2, 3), (4, 3, 5), (2, 2, 3)), ("Basic",)),
        Row("no-bias", "Without a bias.", nd(2, (3, 2), (3, 4, 2), (2, 3, 1)), ("Basic",), bias=False),
        Row("one-by-one", "All extents are one.", nd(1, (1, 1), (1, 1, 1), (1, 1, 1)), ("Basic", "OneByOne")),
        Row("s213-d121", "Stride, dilation and all six pads differ.",
            nd(1, (3, 2), (5, 6, 7), (3, 2, 2), (2, 1, 3), (1, 2, 1), ((1, 0), (2, 1), (0, 3)))),
        Row("s132-d213", "The same with other axes, and other pads.",
            nd(2, (2, 3), (4, 5, 8), (2, 3, 2), (1, 3, 2), (2, 1, 3), ((0, 2), (1, 0), (3, 1)))),
        Row("s321-d312", "The third way round.",
            nd(1, (2, 2), (8, 3, 5), (2, 2, 3), (3, 2, 1), (3, 1, 2), ((1, 2), (0, 1), (2, 0)))),
        Row("leftover", "Rows of every axis are not read.", nd(1, (2, 3), (6, 5, 7), (3, 2, 2), (2, 2, 3))),
        Row("stride-above-kernel", "Gaps between the patches.", nd(2, (3, 2), (5, 4, 7), (2, 1, 2), (3, 2, 4))),
        Row("padding-over-kernel", "More padding than kernel.",
            nd(1, (2, 1), (2, 3, 1), (1, 2, 1), padding=((2, 1), (2, 3), (1, 1)))),
        Row("full-reduction", "The kernel is as large as the volume.", nd(2, (3, 4), (2, 3, 4), (2, 3, 4))),
        Row("g2-2to3", "2 groups of 2 inputs and 3 outputs.",
            nd(2, (4, 6), (3, 4, 5), (2, 3, 2), (1, 2, 1), (1, 1, 2), ((1, 0), (0, 1), (1, 1)), 2)),
        Row("g3-3to2", "3 groups of 3 inputs and 2 outputs.", nd(1, (9, 6), (2, 3, 2), (1, 2, 2), groups=3)),
        Row("depthwise", "5 channels of their own.",
            nd(1, (5, 5), (3, 4, 5), (3, 3, 3), (1, 2, 1), padding=((1, 1), (1, 1), (1, 1)), groups=5)),
        Row("multiplier", "3 channels with 4 outputs each.", nd(2, (3, 12), (3, 2, 4), (2, 1, 3), groups=3)),
        Row("frames-apart", "Each frame by itself: a kernel of one frame.", nd(1, (3, 4), (4, 5, 3), (1, 3, 2))),
        Row("frames-alone", "Along the frames alone: a kernel of one pixel.",
            nd(1, (3, 4), (5, 3, 2), (3, 1, 1), padding=((1, 1), (0, 0), (0, 0)))),
        Row("pointwise", "A kernel of one element with stride and padding.",
            nd(2, (4, 5), (3, 2, 4), (1, 1, 1), (2, 1, 3), padding=((1, 0), (0, 1), (0, 0)))),
        Row("channels-7-to-6", "Tails of vectors of channels.", nd(1, (7, 6), (2, 2, 3), (2, 1, 2))),
        Row("multiplier-2", "2 channels with 2 outputs each.", nd(1, (2, 4), (2, 3, 2), (1, 2, 2), groups=2)),
        Row("pointwise-padding", "A kernel of one element with padding alone, 5 channels.",
            nd(1, (5, 3), (2, 3, 2), (1, 1, 1), padding=((0, 1), (1, 0), (0, 2)))),
        Row("pointwise-stride", "A kernel of one element with stride alone, 6 channels.",
            nd(1, (6, 4), (3, 4, 3), (1, 1, 1), (1, 2, 2))),
        Row("n0", "No volume: empty outputs, zero gradients of weight and bias.", nd(0, (2, 3), (3, 4, 5), (2, 1, 3))),
    ]  # fmt: skip


FAMILIES: dict[str, Callable[[], list[Row]]] = {
    "conv1d": signals,
    "conv3d": volumes,
    "conv-transpose1d": transposed.signals,
    "conv-transpose2d": transposed.images,
    "conv-transpose3d": transposed.volumes,
    "transposed-guide": transposed.arithmetic_guide,
    "named-padding": named_padding,
    "cropped": cropped,
}

MAIN = ("conv1d", "conv3d", "conv-transpose1d", "conv-transpose2d", "conv-transpose3d")
_REAL = ("s2-d3-p12", "s213-d121", "uneven-overlap", "s21-d12-p1021-e10", "s213-e101", "g2-2to3")

# Format, fill, families, rows if not all, operations if not all.
GROUPS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    ("float32", "exact", tuple(FAMILIES), (), ()),
    ("float32", "zero-mean", MAIN, _REAL, ()),
    ("float64", "full-mantissa", MAIN, _REAL[-1:], ()),
    ("float16", "zero-mean", MAIN, _REAL[-1:], ()),
    ("bfloat16", "narrow", MAIN, _REAL[-1:], ()),
    ("int8", "exact", MAIN, _REAL[-1:], ("forward",)),
)


def axes() -> list[CaseSpec]:
    """List all cases of the tier."""
    specs = []
    for element, fill, names, slugs, operations in GROUPS:
        for name in names:
            rows = [row for row in FAMILIES[name]() if not slugs or row.slug in slugs]
            rows = [replace(row, operations=operations or row.operations) for row in rows]
            specs += [CaseSpec(f"{name}-{element}-{fill}", row, element, fill) for row in rows]
    return specs + _pairs()


def _pairs() -> list[CaseSpec]:
    """List the rows of the covering array; exact gradients of 16-bit formats need sums that the format holds."""
    specs = []
    for element, rule in ARRAYS:
        exact = "narrow" if element in ("float16", "bfloat16") else "exact"
        fill, judged = (exact, "exact") if rule == "exact" else (rule, "interval")
        for name in MAIN:
            rows = operator_rows(int(name[-2]), "transpose" in name, element, judged)
            specs += [CaseSpec(f"{name}-pairs-{element}-{fill}", row, element, fill) for row in rows]
    return specs
