"""Ways in which the gradient of the bias alone goes wrong."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Array
from refconv.problem import ConvProblem


class GradBiasOfFirstImage(Defect):
    """grad_bias is that of the first image alone."""

    usually = "grad_output[0] is summed: sum over the batch, too."
    source = "hand-written layers: grad_output[0]"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        first = grad_output.copy()
        first[1:] = 0
        return super().grad_bias(first, problem)


class GradBiasOfLastImage(Defect):
    """grad_bias is that of the last image alone."""

    usually = "the loop over n assigns with = where it must add with +=."
    source = "https://github.com/mlpack/mlpack/pull/3679"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        last = grad_output.copy()
        last[:-1] = 0
        return super().grad_bias(last, problem)


class GradBiasOfFirstPosition(Defect):
    """grad_bias is that of the first output position alone."""

    usually = "the sum runs over the batch only: sum over oh and ow, too."
    source = "hand-written layers: bias gradient per position"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        first = np.zeros(grad_output.shape, grad_output.dtype)
        planes = (*grad_output.shape[:2], -1)
        first.reshape(planes)[..., :1] = grad_output.reshape(planes)[..., :1]
        return super().grad_bias(first, problem)


class GradBiasOfAllChannels(Defect):
    """Every channel gets the sum over all channels."""

    usually = "the sum runs over k as well: sum over n, oh and ow only, axis=(0, 2, 3)."
    source = "https://github.com/rasbt/stat453-deep-learning-ss21/issues/5"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        gradient = super().grad_bias(grad_output, problem)
        gradient[:] = gradient.sum(dtype=gradient.dtype)
        return gradient
