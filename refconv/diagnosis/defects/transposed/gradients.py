"""Gradients of a transposed convolution that are those of something else."""

# ruff: noqa: D102  (the hooks are described where TransposedLayer declares them)

from __future__ import annotations

import math

import numpy as np

from refconv.diagnosis.defects import groups, orientation, padding, stride_dilation
from refconv.diagnosis.defects.transposed.base import TransposedDefect, TransposedLayer, reached
from refconv.diagnosis.defects.transposed.channels import OutputsFirst
from refconv.diagnosis.layer import Array, Layer
from refconv.problem import TransposedProblem

GRADIENTS = ("grad_input", "grad_weight", "grad_bias")
PARAMETERS = ("grad_weight", "grad_bias")


class _OnlyIn(TransposedDefect):
    """Bent in the operations that it names, right in the others."""

    bent: type[Layer]

    def grad_input(self, grad_output: Array, weight: Array, problem: TransposedProblem) -> Array:
        return self._used("grad_input").grad_input(grad_output, weight, problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
        return self._used("grad_weight").grad_weight(x, grad_output, problem)

    def _used(self, operation: str) -> TransposedLayer:
        layer = TransposedLayer()
        layer.layer = self.bent if operation in self.operations else Layer
        return layer


class TransposedGradInputFlipped(_OnlyIn):
    """In grad_input, the kernel is flipped along all axes."""

    usually = "the gradient of a transposed convolution is a plain correlation: nothing is turned round."
    source = "hand-written layers: the kernel is turned round once too often"
    operations = ("grad_input",)
    bent = orientation.KernelFlipped


class TransposedGradInputStrideIgnored(_OnlyIn):
    """In grad_input, the windows are one element apart whatever the stride."""

    usually = "the gradient is a convolution with the layer's stride: read grad_output at h*sH - top + kh*dH."
    source = "https://github.com/pytorch/pytorch/issues/63314"
    operations = ("grad_input",)
    bent = stride_dilation.StrideIgnored


class TransposedGradInputDilationIgnored(_OnlyIn):
    """In grad_input, the taps are dense whatever the dilation."""

    usually = "the dilation is forgotten in the backward pass."
    source = "hand-written layers: dilation forgotten in the backward pass"
    operations = ("grad_input",)
    bent = stride_dilation.DilationIgnored


class TransposedGradInputPaddingIgnored(_OnlyIn):
    """In grad_input, the windows start at the first element of grad_output, as if nothing had been cut off."""

    usually = "the cut of the forward pass is padding of the backward pass."
    source = "hand-written layers: padding forgotten in the backward pass"
    operations = ("grad_input",)
    bent = padding.PaddingIgnored


class TransposedGradInputGroupIgnored(_OnlyIn):
    """In grad_input, all groups read the channels of the first one of grad_output."""

    usually = "the offset g*(K/G) is missing where grad_output is read."
    source = "hand-written layers: group offset forgotten in the backward pass"
    operations = ("grad_input",)
    bent = groups.GroupOffsetIgnored


class TransposedGradInputWeightsAsConvolution(_OnlyIn):
    """In grad_input, the memory of the weights is read as (K, C/G, kH, kW)."""

    usually = "the weights are transposed once too often: grad_input is a convolution with the weights as they are."
    source = "hand-written layers: weights transposed once too often"
    operations = ("grad_input",)
    bent = OutputsFirst


class TransposedGradWeightRolesKept(_OnlyIn):
    """The memory of grad_weight is written as (K, C/G, kH, kW), as that of a convolution."""

    usually = "x and grad_output exchange their roles: grad_weight[c, k] is the sum of x[c] * grad_output[k]."
    source = "https://github.com/nntrainer/nntrainer/issues/705"
    operations = ("grad_weight",)
    bent = OutputsFirst


class TransposedGradWeightFlipped(_OnlyIn):
    """grad_weight is flipped along all axes."""

    usually = "the gradient of the turned kernel is returned: turn it back."
    source = "hand-written layers: the gradient of the flipped kernel"
    operations = ("grad_weight",)
    bent = orientation.KernelFlipped


class TransposedGradWeightStrideIgnored(_OnlyIn):
    """In grad_weight, the elements of x lie one apart whatever the stride."""

    usually = "the stride becomes the dilation of the correlation that gives grad_weight."
    source = "hand-written layers: stride forgotten in grad_weight"
    operations = ("grad_weight",)
    bent = stride_dilation.StrideIgnored


class TransposedGradWeightDilationIgnored(_OnlyIn):
    """In grad_weight, the taps are dense whatever the dilation."""

    usually = "the dilation becomes the stride of the correlation that gives grad_weight."
    source = "hand-written layers: dilation forgotten in grad_weight"
    operations = ("grad_weight",)
    bent = stride_dilation.DilationIgnored


class TransposedGradWeightPaddingIgnored(_OnlyIn):
    """In grad_weight, the windows start at the first element of grad_output, as if nothing had been cut off."""

    usually = "the cut of the forward pass is padding of the backward pass."
    source = "hand-written layers: padding forgotten in grad_weight"
    operations = ("grad_weight",)
    bent = padding.PaddingIgnored


class TransposedGradWeightGroupIgnored(_OnlyIn):
    """In grad_weight, all groups read the channels of the first one of grad_output."""

    usually = "the offset g*(K/G) is missing where grad_output is read."
    source = "hand-written layers: group offset forgotten in the backward pass"
    operations = ("grad_weight",)
    bent = groups.GroupOffsetIgnored


class TransposedGradWeightOfFirstImage(TransposedDefect):
    """grad_weight is that of the first image alone."""

    usually = "grad_weight is overwritten by each image, or the loop over n ends early: sum over all images."
    source = "hand-written layers: gradient of one image"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
        first = (np.arange(problem.batch) == 0).reshape(-1, *(1,) * (x.ndim - 1))
        return super().grad_weight(x * first, grad_output, problem)


class TransposedGradientsDividedByBatch(TransposedDefect):
    """Gradients are divided by the number of images."""

    usually = "the mean over the batch belongs to the loss: sum over n, do not divide by N."
    source = "hand-written layers: gradient divided by N"
    operations = GRADIENTS

    def result(self, operation: str, value: Array, problem: TransposedProblem) -> Array:
        return value / max(1, problem.batch) if operation in GRADIENTS else value


class TransposedGradientsAveraged(TransposedDefect):
    """The gradients of weights and bias are averaged over the output positions."""

    usually = "mean() over the spatial axes where sum() is meant."
    source = "hand-written layers: mean() for sum()"
    operations = PARAMETERS

    def result(self, operation: str, value: Array, problem: TransposedProblem) -> Array:
        return value / math.prod(problem.output_size) if operation in PARAMETERS else value


class TransposedGradientsLost(TransposedDefect):
    """Gradients are all zero."""

    usually = "the gradient is added to a copy (fancy indexing, reshape of a transpose, padded scratch) and lost."
    source = "hand-written layers: gradient written to scratch and lost"
    operations = GRADIENTS

    def result(self, operation: str, value: Array, problem: TransposedProblem) -> Array:
        return np.zeros_like(value) if operation in GRADIENTS else value


class TransposedGradBiasWhereReached(TransposedDefect):
    """grad_bias counts only the elements that a kernel reaches."""

    usually = "grad_bias is summed over the patches' elements: sum grad_output itself, gaps and added ends too."
    source = "hand-written layers: gradients over the scattered elements"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: TransposedProblem) -> Array:
        return super().grad_bias(grad_output * (reached(problem) > 0), problem)


class TransposedGradBiasPerKernel(TransposedDefect):
    """grad_bias counts an element once for every kernel that reaches it."""

    usually = "grad_bias is summed over the columns: sum grad_output itself, once."
    source = "hand-written layers: gradients over the columns"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: TransposedProblem) -> Array:
        return super().grad_bias(grad_output * reached(problem), problem)


class TransposedGradBiasOfFirstImage(TransposedDefect):
    """grad_bias is that of the first image alone."""

    usually = "the sum over n is missing."
    source = "hand-written layers: gradient of one image"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: TransposedProblem) -> Array:
        return super().grad_bias(grad_output[:1], problem)
