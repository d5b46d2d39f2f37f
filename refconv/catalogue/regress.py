"""The regress tier: one case for each bug that a released library or a public layer has shown.

Each flag says whose bug it is, in which version, and when it was reproduced; whether a later version mends it
is for whoever runs it to see.
"""

from __future__ import annotations

from collections.abc import Callable

from refconv.catalogue.families import conv
from refconv.catalogue.planting import Planted
from refconv.catalogue.spec import CaseSpec, Row
from refconv.problem import OversizedProblem
from refconv.quantization import Quantization
from refconv.suite import REFUSED

_FORWARD = ("forward",)


def single() -> list[Row]:
    """Bugs that float32 shows."""
    nothing = ("no-input-channels-give-bias", "no-input-channels-give-nothing")
    refused = (REFUSED, "oversized-kernel-is-empty")
    dilated = OversizedProblem(batch=1, in_channels=2, out_channels=3, input_size=(4, 6), kernel_size=(2, 3),
                               dilation=(1, 3))  # fmt: skip
    return [
        Row("padded-pointwise", "1x1 with uneven padding.",
            conv(1, (1, 2), (1, 1), (1, 1), padding=((1, 0), (0, 0))), ("OpencvPaddedPointwise",), operations=_FORWARD),
        Row("padded-pointwise-n2", "1x1 with padding all around, two images.",
            conv(2, (2, 2), (3, 4), (1, 1), padding=((1, 1), (1, 1))), ("OpencvPaddedPointwise",), operations=_FORWARD),
        Row("infinite-pixel", "An infinite pixel and a NaN.", conv(1, (2, 3), (2, 4), (1, 2)), ("OpencvInfinity",),
            operations=_FORWARD, planted=(Planted("x", (0, 0, 0, 1), "inf"), Planted("x", (0, 1, 1, 3), "nan"))),
        Row("no-images", "An empty batch.", conv(0, (2, 3), (5, 6), (3, 2)), ("EmptyBatch",)),
        Row("no-images-1x2", "An empty batch whose y is smaller than x.", conv(0, (1, 1), (1, 2), (1, 2)),
            ("EmptyBatch",)),
        Row("dilated-above-input", "A dilated kernel that reaches beyond the image.", dilated, ("OpencvOversized",),
            policies=refused, operations=_FORWARD),
        Row("groups-of-three", "Two groups of three channels, one pixel.",
            conv(1, (6, 2), (1, 1), (1, 1), groups=2), ("NcnnGroups",), operations=_FORWARD),
        Row("groups-2-to-3", "Two groups of two channels in and three out.",
            conv(2, (4, 6), (5, 6), (3, 2), groups=2), ("NcnnGroups",), operations=_FORWARD),
        Row("dilated-exactly", "3x3 at dilation 2, which fills 5x5.",
            conv(1, (1, 1), (5, 5), (3, 3), dilation=(2, 2)), ("NcnnDilated",), operations=_FORWARD),
        Row("no-input-channels", "C = 0.", conv(1, (0, 1), (5, 5), (3, 3)), ("NoChannels",), policies=nothing,
            operations=_FORWARD),
        Row("no-output-channels", "K = 0: y is empty.", conv(1, (2, 0), (5, 5), (3, 3)), ("MlxNoOutputChannels",),
            operations=_FORWARD),
        Row("grouped-gradient", "Two groups, one channel in and two out each.",
            conv(1, (2, 4), (1, 1), (1, 1), groups=2), ("OnnxGroupedTransposed",), operations=("grad_input",)),
        Row("kernel-2x3-stride-2", "Stride 2 under a 2x3 kernel that leaves nothing over.",
            conv(1, (2, 3), (4, 5), (2, 3), (2, 2)), ("TinymlNonSquareKernel",)),
    ]  # fmt: skip


def double() -> list[Row]:
    """Bugs that float64 shows."""
    return [Row("one-pixel", "Three channels of one pixel.", conv(1, (3, 1), (1, 1), (1, 1)), ("MlxFloat64",),
                operations=_FORWARD)]  # fmt: skip


def brain() -> list[Row]:
    """Bugs that bfloat16 shows."""
    return [
        Row("infinite-last-gradient", "An infinite gradient at the last of 15 positions.",
            conv(1, (2, 3), (5, 6), (3, 2)), ("TorchBfloat16LastPosition",), operations=("grad_weight",),
            planted=(Planted("grad_output", (0, 1, 2, 4), "inf"),)),
        Row("groups-of-three", "Three groups of three channels in and two out.",
            conv(1, (9, 6), (6, 5), (2, 3), groups=3), ("NcnnBfloat16Groups",), operations=_FORWARD),
    ]  # fmt: skip


def integers() -> list[Row]:
    """Bugs of uint8 images and int8 weights."""
    pair = (Planted("x", (), "255"), Planted("weight", (), "-128"))
    return [Row("saturated-pair", "Two products of 255 and -128.", conv(1, (2, 1), (1, 1), (1, 1)),
                ("OnnxruntimeSixteenBits",), bias=False, operations=_FORWARD, planted=pair)]  # fmt: skip


def quantized() -> list[Row]:
    """Bugs of quantised layers."""
    half = Quantization(0.5, 0, (1.0,), (0,), 1.0, 7, "int8")
    policies = ("half-to-even", "half-away-from-zero", "fixed-point-double-rounding", "fixed-point-single-rounding")
    image = tuple(Planted("x", (0, 0, 0, column), str(column - 6)) for column in range(13))
    return [Row("tie-before-zero-point", "Halves before an odd zero point of 7.", conv(1, (1, 2), (1, 13), (1, 1)),
                ("OnnxZeroPointFirst",), bias=False, operations=_FORWARD, quantization=half, policies=policies,
                planted=(*image, Planted("weight", (0,), "1"), Planted("weight", (1,), "-1")))]  # fmt: skip


GROUPS: tuple[tuple[str, str, Callable[[], list[Row]]], ...] = (
    ("float32", "exact", single),
    ("float64", "full-mantissa", double),
    ("bfloat16", "narrow", brain),
    ("uint8-by-int8", "extremes", integers),
    ("int8", "bytes", quantized),
)


def regress() -> list[CaseSpec]:
    """List all cases of the tier."""
    return [CaseSpec(f"known-{element}-{fill}", row, element, fill) for element, fill, rows in GROUPS for row in rows()]
