"""Quantised layers, second part: rounding, the zero point of the result, and the ends of its format."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

from fractions import Fraction
from math import floor, trunc

from refconv.diagnosis.faults.base import Fault, clamped, wrapped
from refconv.quantization import Quantization


class ZeroPointAddedBeforeRounding(Fault):
    """The zero point is added before the rounding, so that ties under odd zero points go the other way."""

    usually = "round(real + zero_point): round first, then add."
    source = "https://github.com/pytorch/FBGEMM/pull/362"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return clamped(self.nearest(real + quantization.y_zero_point), quantization)


class RoundedTowardZero(Fault):
    """Scaled sums are truncated."""

    usually = "a conversion to int truncates where there is no instruction that rounds."
    source = "https://github.com/ARM-software/ComputeLibrary/issues/834"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return clamped(trunc(real) + quantization.y_zero_point, quantization)


class RoundedDown(Fault):
    """Scaled sums are rounded down."""

    usually = "a right shift drops what lies behind the point: add half of the last place before it."
    source = "fixed-point requantisation by a bare right shift"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return clamped(floor(real) + quantization.y_zero_point, quantization)


class TruncatedAfterZeroPoint(Fault):
    """The zero point is added to the scaled sum, and the total is truncated."""

    usually = "(int)(real + zero_point): a cast truncates. Round the scaled sum, then add."
    source = "hand-written layers: a cast to the output type in place of a rounding"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return clamped(trunc(real + quantization.y_zero_point), quantization)


class OutputZeroPointIgnored(Fault):
    """The zero point of the result is not added."""

    usually = "the scaled sum is handed out as it is: add y_zero_point after rounding, before saturating."
    source = "hand-written layers tested with symmetric quantisation"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return clamped(self.nearest(real), quantization)


class ClampedBeforeZeroPoint(Fault):
    """Scaled sums are saturated before the zero point is added, and again afterwards."""

    usually = "the clamp stands before the zero point: the range is cut off on one side."
    source = "hand-written layers: output limits that are not shifted by the zero point"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return clamped(clamped(self.nearest(real), quantization) + quantization.y_zero_point, quantization)


class ZeroPointWrapsAfterClamp(Fault):
    """Scaled sums are saturated before the zero point is added, whose sum wraps around in eight bits."""

    usually = "np.clip stands before + zero_point, and the cast wraps: saturate last."
    source = "hand-written layers: output limits that are not shifted by the zero point"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return wrapped(clamped(self.nearest(real), quantization) + quantization.y_zero_point, quantization)


class ResultsWrapInBytes(Fault):
    """Results beyond the output format wrap around in eight bits."""

    usually = "a cast to the output type in place of a saturation: clamp to the ends of the type first."
    source = "hand-written layers: a cast where a saturation is due"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        return wrapped(self.nearest(real) + quantization.y_zero_point, quantization)


class ClampedToOtherSign(Fault):
    """Signed results are held within 0 ... 255, unsigned ones within -128 ... 127, and wrap around in eight bits."""

    usually = "the limits are those of the other 8-bit type: -128 ... 127 for int8, 0 ... 255 for uint8."
    source = "hand-written layers with the limits of one type for both"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        low, high = (0, 255) if quantization.out_format == "int8" else (-128, 127)
        return wrapped(min(max(self.nearest(real) + quantization.y_zero_point, low), high), quantization)


class NegativeUnsignedResultsMirrored(Fault):
    """Unsigned results below zero come out as their magnitude."""

    usually = "the conversion to uint8 rounds |x|: clamp to zero first."
    source = "https://github.com/tenstorrent/tt-metal/pull/56327"

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        value = self.nearest(real) + quantization.y_zero_point
        return clamped(abs(value) if quantization.out_format == "uint8" else value, quantization)
