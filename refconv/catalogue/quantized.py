"""Families of quantised layers: 8 bits in, 8 bits out, zero points and scales between.

Rows come in two kinds, for uint8 and for int8 images, whose zero points and saturated ends differ; the
weight is int8.  Scales are numbers of float32, most of them no powers of two, so that multipliers are no
binary fractions.  Where a row names no policies, every way to round gives the same results.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from refconv.catalogue.families import conv
from refconv.catalogue.planting import Planted
from refconv.catalogue.spec import Row
from refconv.problem import ConvProblem
from refconv.quantization import Quantization

ROUNDINGS = ("half-to-even", "half-away-from-zero", "fixed-point-double-rounding", "fixed-point-single-rounding")

_TENTH = float(np.float32(0.1))
_SCALES = tuple(float(np.float32(scale)) for scale in (0.02, 0.007, 0.03))
_Y_SCALE = float(np.float32(0.6))
_HALF = Quantization(0.5, 0, (1.0,), (0,), 1.0, 7, "int8")
_PADDED = conv(1, (2, 3), (4, 5), (3, 2), (2, 1), padding=((2, 1), (1, 0)))


def signed() -> list[Row]:
    """List the layers with int8 images and results."""
    return _layers("int8", -7, 11)


def unsigned() -> list[Row]:
    """List the layers with uint8 images and results."""
    return _layers("uint8", 121, 130)


def _layers(image: str, x_zero: int, y_zero: int) -> list[Row]:
    plain = Quantization(_TENTH, x_zero, (_SCALES[0],), (0,), _Y_SCALE, y_zero, image)
    far = "255" if image == "uint8" else "-128"
    channels = replace(plain, weight_scale=_SCALES)
    return [
        _row("per-tensor", "One scale for all.", conv(1, (2, 3), (5, 6), (3, 2)), plain),
        _row("per-channel", "Every output channel has its own scale.", conv(1, (2, 3), (5, 6), (3, 2)), channels),
        _row("per-channel-again", "The shapes of the case before, with other scales.", conv(1, (2, 3), (5, 6), (3, 2)),
             replace(channels, weight_scale=_SCALES[::-1]), "SameShapes"),
        _row("depthwise-multiplier", "Two outputs for each channel, with a scale each.",
             conv(1, (3, 6), (5, 4), (3, 2), groups=3), replace(channels, weight_scale=_SCALES[::-1] + _SCALES)),
        _row("padded", "The padding stands for the zero points.", _PADDED, replace(plain, weight_zero_point=(6,))),
        _row("zero-points", "Every output channel has its own weight zero point, two groups.",
             conv(2, (4, 2), (4, 5), (2, 3), (1, 2), groups=2), replace(plain, weight_zero_point=(-9, 4))),
        _row("depthwise", "One scale and one zero point for each channel.",
             conv(1, (3, 3), (5, 4), (3, 2), groups=3, dilation=(1, 2)),
             replace(channels, weight_zero_point=(0, -3, 8), y_scale=_Y_SCALE / 2)),
        _row("saturation", "A fine output scale: most results lie beyond the ends.",
             conv(1, (2, 3), (4, 5), (3, 2)), replace(plain, y_scale=_Y_SCALE / 16), "Saturation"),
        _row("ends", "All weights are -128; neighbouring products leave 16 bits.", conv(1, (4, 2), (3, 4), (2, 2)),
             replace(plain, y_scale=16 * _Y_SCALE), "Int8Extremes",
             planted=(Planted("weight", (0,), "-128"), Planted("x", (0, 1), far), Planted("x", (0, 2), far))),
        _ties(image), _double(image),
    ]  # fmt: skip


def _row(
    slug: str, comment: str, problem: ConvProblem, quantization: Quantization, *flags: str,
    planted: tuple[Planted, ...] = (), bias: bool = True, policies: tuple[str, ...] = (),
) -> Row:  # fmt: skip
    points = (quantization.x_zero_point, *quantization.weight_zero_point, quantization.y_zero_point)
    found = {"ZeroPoint": any(points), "PerChannelScale": len(quantization.weight_scale) > 1}
    every = (*flags, *(name for name, holds in found.items() if holds))
    return Row(slug, comment, problem, every, bias, ("forward",), planted, policies=policies, quantization=quantization)


def _ties(image: str) -> Row:
    """Put -2.5 ... 2.5 before a zero point of 7: whoever adds 7 before rounding -0.5 gets 6, not 7."""
    zero = 10 if image == "uint8" else 0
    planted = tuple(Planted("x", (0, 0, 0, column), str(zero + column - 6)) for column in range(13))
    return _row("ties", "Sums of -3 ... 3 in steps of a half: ties to even, then the zero point of 7.",
                conv(1, (1, 2), (1, 13), (1, 1)), replace(_HALF, x_zero_point=zero, out_format=image), "RoundTie",
                planted=(*planted, Planted("weight", (0,), "1"), Planted("weight", (1,), "-1")),
                bias=False, policies=ROUNDINGS)  # fmt: skip


def _double(image: str) -> Row:
    """Multiply by 0.3: rounding to halves first makes ties of what lies just below them."""
    zero = 100 if image == "uint8" else 0
    planted = tuple(Planted("x", (0, 0, 0, column), str(zero + 3 * column - 40)) for column in range(27))
    quantization = Quantization(_TENTH, zero, (1.0,), (0,), float(np.float32(1 / 3)), 131 if zero else 3, image)
    return _row("double-rounding", "A multiplier of 0.3: two roundings differ from one.",
                conv(1, (1, 2), (1, 27), (1, 1)), quantization, "RoundTie",
                planted=(*planted, Planted("weight", (0,), "1"), Planted("weight", (1,), "-1")),
                bias=False, policies=ROUNDINGS)  # fmt: skip
