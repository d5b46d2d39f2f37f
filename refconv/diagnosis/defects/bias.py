"""A bias that is lost, multiplied or another channel's."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import math

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import ABSENT, Array
from refconv.problem import ConvProblem


class BiasIgnored(Defect):
    """The bias is not added."""

    usually = "the bias is accepted and forgotten: y[:, k] needs + bias[k]."
    source = "https://github.com/deepakcrk/CNN_ForDummies/issues/9"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return y


class BiasTwice(Defect):
    """The bias is added twice."""

    usually = "the accumulator starts with the bias, and it is added again at the end."
    source = "https://github.com/LeelaChessZero/lc0/pull/130"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return super().add_bias(y, 2 * bias, problem)


class BiasSubtracted(Defect):
    """The bias is subtracted."""

    usually = "a wrong sign: y[:, k] needs + bias[k]."
    source = "hand-written layers: a wrong sign"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return super().add_bias(y, -bias, problem)


class BiasPerTap(Defect):
    """The bias is added once for every tap of the kernel."""

    usually = "the bias is added within the loops over kh and kw: add it once, before or after them."
    source = "hand-written layers: bias within the innermost loop"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return super().add_bias(y, math.prod(problem.kernel_size) * bias, problem)


class BiasPerChannel(Defect):
    """The bias is added once for every input channel of the group."""

    usually = "the bias is added within the loop over c, or with every 2-D convolution: add it once per output."
    source = "hand-written layers: bias with every 2-D convolution"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return super().add_bias(y, problem.in_channels // problem.groups * bias, problem)


class BiasOfFirstChannel(Defect):
    """The bias of output channel 0 is added to all channels."""

    usually = "bias[0], or a pointer that is not advanced: channel k needs bias[k]."
    source = "https://github.com/kraiskil/onnx2c/issues/7"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return super().add_bias(y, bias[:1], problem)


class BiasOfFirstGroup(Defect):
    """All groups add the bias of the first one."""

    usually = "the bias is indexed with the channel's number within the group: index it with k."
    source = "grouped layers that index the bias within the group"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        per_group = max(1, problem.out_channels // problem.groups)
        return super().add_bias(y, bias[np.arange(len(bias)) % per_group], problem)


class BiasOfFirstImage(Defect):
    """Only the first image of the batch gets the bias."""

    usually = "the bias is added to one image of y: its shape must broadcast as (1, K, 1, 1)."
    source = "hand-written layers: bias added to one image"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        return np.concatenate([y[:1] + bias[:, None], y[1:]])


class BiasOnlyInsideImage(Defect):
    """Outputs whose window sees nothing but padding get no bias."""

    usually = "an early exit for empty windows leaves zero: such outputs are equal to the bias."
    source = "layers with an early exit for empty windows"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        inside = (self.pixels(problem) != ABSENT).any(axis=1)
        return np.where(inside, super().add_bias(y, bias, problem), y)
