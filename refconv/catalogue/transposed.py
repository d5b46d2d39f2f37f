"""Families of transposed convolutions over one, two and three axes.

Many products overlap where the stride is smaller than the kernel, none where it is larger; what padding cuts off and
what output_padding adds differ from axis to axis, so that nothing can be taken for something else.
"""

from __future__ import annotations

from refconv.catalogue import guide
from refconv.catalogue.shapes import up
from refconv.catalogue.spec import Row
from refconv.problem import TransposedProblem


def signals() -> list[Row]:
    """Transposed convolutions of signals: one axis."""
    return [
        Row("plain", "Two channels in, three out.", up(1, (2, 3), (5,), (3,)), ("Basic",)),
        Row("stride", "Stride 2 under three taps: two products overlap at every other output.",
            up(1, (2, 3), (4,), (3,), (2,)), ("Basic",)),
        Row("no-bias", "Without a bias.", up(2, (3, 2), (4,), (4,), (2,)), ("Basic",), bias=False),
        Row("one-by-one", "All extents are one.", up(1, (1, 1), (1,), (1,)), ("Basic", "OneByOne")),
        Row("s2-p12-e1", "Cut off unevenly, one element longer.",
            up(2, (3, 4), (5,), (4,), (2,), padding=((1, 2),), extra=(1,))),
        Row("s3-d2-p20-e2", "Cut off at the beginning alone, two elements longer.",
            up(2, (4, 3), (4,), (3,), (3,), (2,), ((2, 0),), extra=(2,))),
        Row("d3-p04", "Dilated taps, cut off at the end alone.",
            up(1, (2, 3), (6,), (3,), dilation=(3,), padding=((0, 4),))),
        Row("uneven-overlap", "Stride 3 under seven taps: two or three products by the position.",
            up(1, (2, 3), (5,), (7,), (3,))),
        Row("stride-above-kernel", "Stride 5 under two taps: between them the output is the bias.",
            up(1, (3, 2), (4,), (2,), (5,), padding=((1, 0),))),
        Row("gaps-and-output-padding", "The added elements lie beyond all products: they are the bias.",
            up(1, (2, 2), (3,), (2,), (4,), extra=(3,))),
        Row("output-padding-uncovers", "The added element is one that padding had cut off.",
            up(2, (2, 3), (4,), (3,), (2,), padding=((1, 1),), extra=(1,))),
        Row("output-padding-by-dilation", "More output_padding than stride, as dilation allows.",
            up(1, (3, 2), (4,), (2,), dilation=(3,), padding=((1, 1),), extra=(2,))),
        Row("g2-2to3", "2 groups of 2 inputs and 3 outputs.",
            up(2, (4, 6), (4,), (3,), (2,), padding=((1, 0),), groups=2)),
        Row("g3-3to2", "3 groups of 3 inputs and 2 outputs.", up(1, (9, 6), (3,), (2,), (2,), groups=3)),
        Row("depthwise", "5 channels of their own.", up(2, (5, 5), (4,), (4,), (2,), padding=((1, 1),), groups=5)),
        Row("multiplier", "3 channels with 4 outputs each.",
            up(2, (3, 12), (4,), (3,), (2,), groups=3, extra=(1,))),
        Row("doubling", "Twice as long, as decoders do it: four taps, stride 2, padding 1.",
            up(1, (4, 2), (6,), (4,), (2,), padding=((1, 1),))),
        Row("pointwise", "A kernel of one element with stride.", up(2, (5, 7), (4,), (1,), (2,), extra=(1,))),
        Row("n0", "No signal: empty outputs, zero gradients of weight and bias.", up(0, (2, 3), (4,), (3,), (2,))),
    ]  # fmt: skip


def images() -> list[Row]:
    """Transposed convolutions of images: two axes."""
    return [
        Row("plain", "Two channels in, three out.", up(1, (2, 3), (3, 4), (3, 2)), ("Basic",)),
        Row("stride", "Stride 2 under 3x3: up to four products overlap.", up(1, (2, 3), (3, 4), (3, 3), (2, 2)),
            ("Basic",)),
        Row("no-bias", "Without a bias.", up(2, (3, 2), (2, 3), (2, 3), (2, 1)), ("Basic",), bias=False),
        Row("one-by-one", "All extents are one.", up(1, (1, 1), (1, 1), (1, 1)), ("Basic", "OneByOne")),
        Row("s21-d12-p1021-e10", "Stride, dilation, all four pads and output_padding differ.",
            up(2, (3, 4), (4, 5), (3, 2), (2, 1), (1, 2), ((1, 0), (2, 1)), extra=(1, 0))),
        Row("s12-d21-p0312-e01", "The same with the axes exchanged, and other pads.",
            up(2, (3, 5), (5, 4), (2, 3), (1, 2), (2, 1), ((0, 1), (1, 2)), extra=(0, 1))),
        Row("s32-d23-p2130-e21", "Stride and dilation differ per axis and are coprime.",
            up(1, (2, 3), (3, 4), (4, 3), (3, 2), (2, 3), ((2, 1), (3, 0)), extra=(2, 1))),
        Row("uneven-overlap", "Stride 3x2 under 5x5: from two to nine products by the position.",
            up(1, (2, 3), (3, 4), (5, 5), (3, 2))),
        Row("stride-above-kernel", "Stride 3x4 under 2x3: between them the output is the bias.",
            up(2, (3, 2), (3, 2), (2, 3), (3, 4), padding=((0, 1), (1, 0)))),
        Row("gaps-and-output-padding", "The added elements lie beyond all products: they are the bias.",
            up(1, (2, 2), (2, 3), (1, 2), (3, 4), extra=(2, 3))),
        Row("output-padding-uncovers", "The added row and column are such that padding had cut off.",
            up(2, (2, 3), (4, 3), (3, 3), (2, 2), padding=((1, 1), (1, 1)), extra=(1, 1))),
        Row("output-padding-by-dilation", "More output_padding than stride, as dilation allows.",
            up(1, (3, 2), (3, 4), (2, 2), dilation=(2, 3), padding=((1, 0), (1, 1)), extra=(1, 2))),
        Row("g2-2to3", "2 groups of 2 inputs and 3 outputs.",
            up(2, (4, 6), (3, 5), (3, 2), (2, 1), (1, 2), ((1, 1), (0, 0)), 2, (1, 0))),
        Row("g3-3to2", "3 groups of 3 inputs and 2 outputs.", up(1, (9, 6), (2, 3), (2, 3), (1, 2), groups=3)),
        Row("g2-2to2", "2 groups of 2 inputs and 2 outputs.", up(1, (4, 4), (3, 2), (2, 3), (2, 2), groups=2)),
        Row("depthwise", "5 channels of their own.",
            up(2, (5, 5), (3, 4), (4, 4), (2, 2), padding=((1, 1), (1, 1)), groups=5)),
        Row("depthwise-no-bias", "3 channels of their own, without a bias.",
            up(1, (3, 3), (4, 3), (3, 2), (2, 3), groups=3), bias=False),
        Row("multiplier", "3 channels with 4 outputs each.", up(2, (3, 12), (3, 2), (3, 2), (2, 1), groups=3)),
        Row("doubling", "Twice as large, as generators do it: 4x4, stride 2, padding 1.",
            up(1, (4, 2), (3, 4), (4, 4), (2, 2), padding=((1, 1), (1, 1)))),
        Row("doubling-3x3", "Twice as large, as decoders do it: 3x3, stride 2, padding 1, output_padding 1.",
            up(1, (3, 2), (4, 3), (3, 3), (2, 2), padding=((1, 1), (1, 1)), extra=(1, 1))),
        Row("patches", "2x2 at stride 2: nothing overlaps.", up(1, (4, 3), (3, 4), (2, 2), (2, 2))),
        Row("pointwise", "1x1 with stride.", up(2, (5, 7), (3, 2), (1, 1), (2, 3), extra=(1, 0))),
        Row("one-pixel", "From one pixel, as the first layer of a generator.", up(2, (7, 4), (1, 1), (3, 4))),
        Row("batch-3", "Three images.", up(3, (2, 3), (3, 2), (2, 3), (2, 2), padding=((1, 0), (0, 1)))),
        Row("n0", "No image: empty outputs, zero gradients of weight and bias.",
            up(0, (2, 3), (3, 4), (3, 2), (2, 1))),
    ]  # fmt: skip


def volumes() -> list[Row]:
    """Transposed convolutions of volumes: three axes."""
    return [
        Row("plain", "Two channels in, three out.", up(1, (2, 3), (2, 3, 2), (2, 1, 3)), ("Basic",)),
        Row("stride", "Stride 2 under 3x3x2.", up(1, (2, 2), (2, 2, 3), (3, 3, 2), (2, 2, 2)), ("Basic",)),
        Row("no-bias", "Without a bias.", up(2, (3, 2), (2, 1, 3), (2, 3, 1), (1, 2, 2)), ("Basic",), bias=False),
        Row("one-by-one", "All extents are one.", up(1, (1, 1), (1, 1, 1), (1, 1, 1)), ("Basic", "OneByOne")),
        Row("s213-e101", "Stride, dilation, all six pads and output_padding differ.",
            up(1, (3, 2), (3, 4, 2), (3, 2, 2), (2, 1, 3), (1, 2, 1), ((1, 0), (2, 1), (0, 1)), extra=(1, 0, 2))),
        Row("s132-e021", "The same with other axes, and other pads.",
            up(2, (2, 3), (3, 2, 3), (2, 3, 2), (1, 3, 2), (2, 1, 3), ((0, 1), (1, 0), (2, 1)), extra=(0, 2, 1))),
        Row("s321-e210", "The third way round.",
            up(1, (2, 2), (2, 3, 4), (2, 2, 3), (3, 2, 1), (3, 1, 2), ((1, 2), (0, 1), (2, 0)), extra=(2, 1, 0))),
        Row("stride-above-kernel", "Between the products the output is the bias.",
            up(1, (3, 2), (2, 3, 2), (1, 2, 2), (2, 3, 4))),
        Row("output-padding-uncovers", "What is added is what padding had cut off.",
            up(1, (2, 3), (2, 3, 2), (3, 3, 3), (2, 2, 2), padding=((1, 1), (1, 1), (1, 1)), extra=(1, 1, 1))),
        Row("g2-2to3", "2 groups of 2 inputs and 3 outputs.",
            up(2, (4, 6), (2, 3, 2), (2, 1, 2), (1, 2, 2), padding=((1, 0), (0, 0), (0, 1)), groups=2)),
        Row("g3-3to2", "3 groups of 3 inputs and 2 outputs.", up(1, (9, 6), (2, 1, 2), (1, 2, 2), groups=3)),
        Row("depthwise", "4 channels of their own.",
            up(1, (4, 4), (2, 3, 2), (2, 3, 2), (2, 1, 2), padding=((0, 1), (1, 1), (0, 0)), groups=4)),
        Row("multiplier", "2 channels with 3 outputs each.", up(2, (2, 6), (2, 2, 3), (2, 1, 2), groups=2)),
        Row("n0", "No volume: empty outputs, zero gradients of weight and bias.",
            up(0, (2, 3), (2, 3, 2), (2, 1, 3), (1, 2, 2))),
    ]  # fmt: skip


def arithmetic_guide() -> list[Row]:
    """List the seven figures of transposed convolutions of the arithmetic guide, each by its name."""
    rows = []
    for name, *numbers in guide.FIGURES:
        problem = TransposedProblem.of_adjoint(guide.square(*numbers))
        size = f"{problem.input_size[0]} -> {problem.output_size[0]}"
        comment = f"Figure '{name}-transposed' of the arithmetic guide: {size}."
        rows.append(Row(f"{name}-transposed", comment, problem, ("Basic",), bias=False))
    return rows
