"""Products of a transposed convolution that are not added where kernels overlap, and a bias that is not added once.

The bias belongs to every element of the output once: also where several kernels overlap, and where none reaches.
"""

# ruff: noqa: D102  (the hooks are described where TransposedLayer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.transposed.base import TransposedDefect, reached
from refconv.diagnosis.layer import Array
from refconv.problem import TransposedProblem


class TransposedOverlapOverwritten(TransposedDefect):
    """Where kernels overlap, the output holds what the last one put there instead of the sum."""

    usually = "y[...] = patch where y[...] += patch is meant, or an indexed += that counts repeated indices once."
    source = "hand-written layers: overlaps are overwritten"
    operations = ("forward",)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        y = np.zeros(problem.y_shape, np.result_type(x, weight))
        for place in np.ndindex(problem.input_size):
            here = np.zeros_like(x)
            here[(..., *place)] = 1
            y = np.where(reached(problem, place) > 0, super().forward(here * x, weight, None, problem), y)
        return y if bias is None else self.add_bias(y, bias, problem)


class TransposedOverlapAveraged(TransposedDefect):
    """Where kernels overlap, the output is divided by their number."""

    usually = "a fold that normalises by its counts, which belongs to the inverse of unfold, not to this layer."
    source = "hand-written layers: normalised overlap-add"
    operations = ("forward",)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        y = super().forward(x, weight, None, problem) / np.maximum(1, reached(problem))
        return y if bias is None else self.add_bias(y, bias, problem)


class TransposedBiasIgnored(TransposedDefect):
    """The bias is not added."""

    usually = "the layer is computed as the input gradient of a convolution, which has no bias: add it afterwards."
    source = "hand-written layers: transposed convolution through the input gradient"
    operations = ("forward",)

    def share(self, problem: TransposedProblem) -> Array:
        return np.zeros(problem.output_size, np.int64)


class TransposedBiasPerKernel(TransposedDefect):
    """The bias is added once for every kernel that reaches an element."""

    usually = "the bias is added to the patches before they are put together: add it once, to the sum."
    source = "hand-written layers: bias added to the columns"
    operations = ("forward",)

    def share(self, problem: TransposedProblem) -> Array:
        return reached(problem)


class TransposedBiasWhereReached(TransposedDefect):
    """Elements that no kernel reaches get no bias."""

    usually = "the bias is added while products are written: gaps between strides and added ends need it too."
    source = "hand-written layers: bias in the loop over the taps"
    operations = ("forward",)

    def share(self, problem: TransposedProblem) -> Array:
        return (reached(problem) > 0).astype(np.int64)


class TransposedBiasOfFirstGroup(TransposedDefect):
    """All groups add the bias of the first one."""

    usually = "the bias is indexed within the group, bias[k]: slice it as the outputs, bias[g*(K/G) + k]."
    source = "https://github.com/robertknight/rten/pull/1408"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: TransposedProblem) -> Array:
        own = np.arange(problem.out_channels) % max(1, problem.out_channels // problem.groups)
        return super().add_bias(y, bias[own], problem)


class TransposedBiasOfGroup(TransposedDefect):
    """All output channels of a group add the bias with the number of the group."""

    usually = "bias[g] in the loop over the groups: each output channel has a bias of its own, bias[g*(K/G) + k]."
    source = "hand-written layers: the bias is read in the loop over the groups"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: TransposedProblem) -> Array:
        group = np.arange(problem.out_channels) // max(1, problem.out_channels // problem.groups)
        return super().add_bias(y, bias[group], problem)


class TransposedBiasOfFirstChannel(TransposedDefect):
    """The bias of output channel 0 is added to all channels."""

    usually = "bias[0], or a bias that is spread over the wrong axis."
    source = "hand-written layers: a scalar bias"
    operations = ("forward",)

    def add_bias(self, y: Array, bias: Array, problem: TransposedProblem) -> Array:
        return super().add_bias(y, bias[np.zeros(problem.out_channels, np.int64)], problem)
