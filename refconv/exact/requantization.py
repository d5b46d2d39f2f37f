"""From the int32 accumulators of a quantised convolution to its 8-bit results, under each way to round.

``half-to-even`` and ``half-away-from-zero`` round the exact real number, once.  The two others are the
fixed-point arithmetic of gemmlowp (``fixedpoint/fixedpoint.h``: SaturatingRoundingDoublingHighMul,
RoundingDivideByPOT) and TensorFlow Lite (``kernels/internal/common.h``: MultiplyByQuantizedMultiplier,
the second with TFLITE_SINGLE_ROUNDING; ``quantization_util.cc``: QuantizeMultiplier), in unbounded integers.
In all of them the zero point is added after the rounding, and saturation comes last
(ONNX, QLinearConv and QuantizeLinear).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor, frexp
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.formats import get_format
from refconv.quantization import Quantization

Array = npt.NDArray[Any]


def requantize(accumulators: Array, quantization: Quantization, rounding: str) -> Array:
    """Scale, round, add the zero point and saturate.

    Parameters
    ----------
    accumulators : array of int, shape (N, K, oH, oW)
        ``sum of (x - x_zero_point) * (weight - weight_zero_point) + bias``.
    quantization : Quantization
    rounding : {"half-to-even", "half-away-from-zero", "fixed-point-double-rounding", "fixed-point-single-rounding"}

    Returns
    -------
    array of the output format

    Examples
    --------
    >>> halves = Quantization(0.5, 0, (1.0,), (0,), 1.0, 7, "int8")
    >>> sums = np.array([-3, -1, 1, 3, 900]).reshape(1, 1, 1, 5)
    >>> requantize(sums, halves, "half-to-even").ravel().tolist()
    [5, 7, 7, 9, 127]
    >>> requantize(sums, halves, "half-away-from-zero").ravel().tolist()
    [5, 6, 8, 9, 127]
    """
    out, round_one = get_format(quantization.out_format), ROUNDINGS[rounding]
    scales = list(zip(quantization.multipliers, quantization.doubles, strict=True))
    result = np.empty(accumulators.shape, out.dtype)
    for index in np.ndindex(accumulators.shape):
        exact, double = scales[index[1] if len(scales) > 1 else 0]
        shifted = round_one(int(accumulators[index]), exact, double) + quantization.y_zero_point
        result[index] = min(max(shifted, int(out.smallest)), int(out.largest))
    return result


def centred(tensors: dict[str, Array], quantization: Quantization) -> dict[str, Array]:
    """Subtract the zero points of x and weight, in int32; the bias stays.

    Examples
    --------
    >>> shifted = Quantization(1.0, 3, (1.0,), (-2,), 1.0, 0, "int8")
    >>> tensors = {"x": np.full((1, 1, 1, 1), 5, np.uint8), "weight": np.full((1, 1, 1, 1), 4, np.int8)}
    >>> {name: tensor.item() for name, tensor in centred(tensors, shifted).items()}
    {'x': 2, 'weight': 6}
    """
    x, weight = tensors["x"].astype(np.int32), tensors["weight"].astype(np.int32)
    offsets = np.array(quantization.weight_zero_point, np.int32).reshape(-1, *[1] * (weight.ndim - 1))
    return tensors | {"x": x - np.int32(quantization.x_zero_point), "weight": weight - offsets}


def _half_to_even(accumulator: int, exact: Fraction, _: float) -> int:
    return round(accumulator * exact)


def _half_away(accumulator: int, exact: Fraction, _: float) -> int:
    magnitude = floor(abs(accumulator) * exact + Fraction(1, 2))
    return -magnitude if accumulator < 0 else magnitude


def fixed_point(multiplier: float) -> tuple[int, int]:
    """Write a multiplier as ``q * 2**(shift - 31)`` with q of 31 bits: QuantizeMultiplier.

    Examples
    --------
    >>> fixed_point(0.375)
    (1610612736, -1)
    """
    fraction, shift = frexp(multiplier)
    q = floor(Fraction(fraction) * 2**31 + Fraction(1, 2))
    if q == 2**31:
        q, shift = q // 2, shift + 1
    return (0, 0) if shift < -31 else (q, shift)


def _double_rounding(accumulator: int, _: Fraction, double: float) -> int:
    q, shift = fixed_point(double)
    product = (accumulator << max(shift, 0)) * q
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    high = nudged // 2**31 if nudged >= 0 else -(-nudged // 2**31)  # truncated, as C divides
    right = max(-shift, 0)
    rest, half = high & ((1 << right) - 1), ((1 << right) - 1) >> 1
    return (high >> right) + (rest > half + (high < 0))


def _single_rounding(accumulator: int, _: Fraction, double: float) -> int:
    q, shift = fixed_point(double)
    return (accumulator * q + (1 << (30 - shift))) >> (31 - shift)


ROUNDINGS: dict[str, Callable[[int, Fraction, float], int]] = {
    "half-to-even": _half_to_even,
    "half-away-from-zero": _half_away,
    "fixed-point-double-rounding": _double_rounding,
    "fixed-point-single-rounding": _single_rounding,
}
