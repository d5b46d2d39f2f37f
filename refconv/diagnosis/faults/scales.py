"""Quantised layers, third part: the scales of channels, of the bias, and the multipliers made of them."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

from fractions import Fraction
from math import floor, frexp

import numpy as np

from refconv.diagnosis.faults.base import Fault
from refconv.quantization import Quantization


class ByChannel(Fault):
    """Something that knows the problem of the running call."""

    def quantized_forward(self, x, weight, bias, quantization, problem):  # type: ignore[no-untyped-def]
        self.problem = problem
        return super().quantized_forward(x, weight, bias, quantization, problem)

    def place(self, index: int, quantization: Quantization) -> Fraction:
        """Return the multiplier at an index, or the only one."""
        return quantization.multipliers[index % len(quantization.multipliers)]


class ScaleOfFirstChannel(Fault):
    """All output channels are scaled as the first one is."""

    usually = "weight_scale[0], or a pointer that is not advanced: channel k needs weight_scale[k]."
    source = "hand-written layers tested with one scale for all channels"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        return quantization.multipliers[0]


class ScaleByBatch(Fault):
    """Scales of channels are found by the index of the image."""

    usually = "the axis of the scales is counted from the wrong end: channels are the second axis."
    source = "https://github.com/apache/tvm/pull/10162"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        return quantization.multipliers[index[0] % len(quantization.multipliers)]


class ScaleWithinGroup(ByChannel):
    """Scales of channels are found by the index of the channel within its group."""

    usually = "a grouped layer runs as several plain ones that all start with the first scale."
    source = "https://github.com/apache/tvm/issues/8299"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        per_group = self.problem.out_channels // self.problem.groups
        return self.place(index[1] % per_group, quantization)


class ScaleOfGroup(ByChannel):
    """Scales of channels are found by the group of the channel."""

    usually = "weight_scale[g] in the loop over the groups: there is a scale for each output channel, weight_scale[k]."
    source = "grouped layers with the scales outside of the loop over output channels"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        return self.place(index[1] // (self.problem.out_channels // self.problem.groups), quantization)


class ScaleOfInputChannel(ByChannel):
    """Depthwise layers with several outputs for a channel find their scales by the input channel."""

    usually = "with a depth multiplier there are more output channels than input channels: index by the former."
    source = "https://github.com/SonySemiconductorSolutions/mct-model-optimization/issues/809"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        depthwise = self.problem.groups == self.problem.in_channels > 1
        per_group = self.problem.out_channels // self.problem.groups
        return self.place(index[1] // per_group if depthwise else index[1], quantization)


class MultiplierOfSixteenBits(Fault):
    """The multiplier is rounded to 16 bits."""

    usually = "a fixed-point multiplier with too few bits for the sums of the layer: use 31."
    source = "fixed-point requantisation with 16-bit multipliers"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        exact = Fraction(super().multiplier(index, quantization))
        exponent = frexp(float(exact))[1]
        return Fraction(floor(exact * Fraction(2) ** (15 - exponent) + Fraction(1, 2))) * Fraction(2) ** (exponent - 15)


class MultiplierInFloat32(Fault):
    """The multiplier is computed from the scales in float32, with two roundings."""

    usually = "input_scale * weight_scale / output_scale in float: compute it in double."
    source = "https://github.com/tensorflow/tensorflow/issues/23800"

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        scales = quantization.weight_scale
        scale = np.float32(quantization.x_scale) * np.float32(scales[index[1] if len(scales) > 1 else 0])
        return float(scale / np.float32(quantization.y_scale))


class SumsScaledInFloat32(Fault):
    """Sums are converted to float32 before they are scaled, and the product is rounded there, too."""

    usually = "acc * scale in float: a sum above 2**24 and a product near a tie are rounded before they are rounded."
    source = "requantisation epilogues in float32"

    def scaled(self, total: int, bias: int, index: tuple[int, ...], quantization: Quantization) -> Fraction:
        return Fraction(float(np.float32(total + bias) * np.float32(float(self.multiplier(index, quantization)))))


class BiasInUnitsOfTheResult(Fault):
    """The bias is added after the scaling, as if it were in units of the result."""

    usually = "an int32 bias has the scale x_scale * weight_scale: add it to the accumulator."
    source = "https://github.com/pytorch/executorch/pull/20655"

    def scaled(self, total: int, bias: int, index: tuple[int, ...], quantization: Quantization) -> Fraction:
        return super().scaled(total, 0, index, quantization) + bias


class BiasScaledByFirstChannel(Fault):
    """The bias of all channels is scaled by the multiplier of the first one."""

    usually = "the bias was given one scale, but weights of many: it is per channel where they are."
    source = "hand-written layers: one bias scale beside many weight scales"

    def scaled(self, total: int, bias: int, index: tuple[int, ...], quantization: Quantization) -> Fraction:
        return super().scaled(total, 0, index, quantization) + bias * quantization.multipliers[0]
