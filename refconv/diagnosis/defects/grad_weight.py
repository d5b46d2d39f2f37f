"""Ways in which the gradient of the weights alone goes wrong."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.defects.groups import GroupOffsetIgnored
from refconv.diagnosis.defects.layout import WeightInputsFirst
from refconv.diagnosis.defects.orientation import KernelFlipped, KernelTransposed
from refconv.diagnosis.defects.padding import PaddingIgnored
from refconv.diagnosis.defects.stride_dilation import DilationIgnored, StrideAndDilationExchanged, StrideIgnored
from refconv.diagnosis.layer import Array
from refconv.problem import ConvProblem


class GradWeightOfFirstImage(Defect):
    """grad_weight is that of the first image alone."""

    usually = "the loop over n returns too early, or reads grad_output[0]: sum over the batch."
    source = "https://github.com/ROCm/rocm-libraries/issues/11805"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        first = grad_output.copy()
        first[1:] = 0
        return super().grad_weight(x, first, problem)


class GradWeightOfLastImage(Defect):
    """grad_weight is that of the last image alone."""

    usually = "the loop over n assigns with = where it must add with +=."
    source = "https://github.com/LBANN/lbann/pull/1022"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        last = grad_output.copy()
        last[:-1] = 0
        return super().grad_weight(x, last, problem)


class GradWeightFlipped(Defect):
    """grad_weight is flipped along all axes."""

    usually = "a library's convolve() of x and grad_output: the correlation of the two is meant."
    source = "hand-written layers: convolve() where correlation is meant"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return KernelFlipped().grad_weight(x, grad_output, problem)


class GradWeightTransposed(Defect):
    """The rows and columns of grad_weight are exchanged: its memory is written as (kW, kH)."""

    usually = "the gradient is reshaped from (kW, kH), or indexed with kw*kH + kh."
    source = "https://github.com/Maratyszcza/NNPACK/issues/15"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return KernelTransposed().grad_weight(x, grad_output, problem)


class GradWeightChannelsExchanged(Defect):
    """The memory of grad_weight is written as (C/G, K, kH, kW)."""

    usually = "the product of columns and grad_output is (C/G*kH*kW, K): transpose it, do not reshape it."
    source = "hand-written layers: a product reshaped where it must be transposed"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return WeightInputsFirst().grad_weight(x, grad_output, problem)


class GradWeightStrideIgnored(Defect):
    """In grad_weight, the windows are one element apart whatever the stride."""

    usually = "x and grad_output are correlated densely: grad_output must be dilated by the stride."
    source = "https://github.com/Kulbear/deep-learning-coursera/pull/34"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return StrideIgnored().grad_weight(x, grad_output, problem)


class GradWeightDilationIgnored(Defect):
    """In grad_weight, the taps are dense whatever the dilation."""

    usually = "the dilation is forgotten in the backward pass: tap kh meets x at oh*sH - top + kh*dH."
    source = "hand-written layers: dilation forgotten in the backward pass"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return DilationIgnored().grad_weight(x, grad_output, problem)


class GradWeightStrideAndDilationExchanged(Defect):
    """In grad_weight, stride and dilation are exchanged."""

    usually = "grad_weight is a convolution whose dilation is the layer's stride, and whose stride is its dilation."
    source = "hand-written layers: stride and dilation not exchanged for grad_weight"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return StrideAndDilationExchanged().grad_weight(x, grad_output, problem)


class GradWeightPaddingIgnored(Defect):
    """In grad_weight, the windows start inside of the image, as if there were no padding."""

    usually = "the backward pass reads x where it needs the padded x of the forward pass."
    source = "hand-written layers: x kept where the padded x is needed"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return PaddingIgnored().grad_weight(x, grad_output, problem)


class GradWeightGroupIgnored(Defect):
    """In grad_weight, all groups read the input channels of the first one."""

    usually = "the offset g*(C/G) is missing where the backward pass reads x."
    source = "https://github.com/pytorch/pytorch/issues/51430"
    operations = ("grad_weight",)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return GroupOffsetIgnored().grad_weight(x, grad_output, problem)
