"""Faults that several gradients share."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import math

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Array
from refconv.problem import ConvProblem

GRADIENTS = ("grad_input", "grad_weight", "grad_bias")
OF_PARAMETERS = ("grad_weight", "grad_bias")


class GradientsDividedByBatch(Defect):
    """Gradients are divided by the number of images."""

    usually = "the mean over the batch belongs to the loss: sum over n, do not divide by N."
    source = "hand-written layers: gradient divided by N"
    operations = GRADIENTS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return value / value.dtype.type(max(1, problem.batch)) if operation in GRADIENTS else value


class GradientsAveragedOverPositions(Defect):
    """The gradients of weights and bias are averaged over the output positions."""

    usually = "mean() over the spatial axes where sum() is meant."
    source = "hand-written layers: mean() for sum()"
    operations = OF_PARAMETERS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return value / value.dtype.type(math.prod(problem.output_size)) if operation in OF_PARAMETERS else value


class GradientsAveraged(Defect):
    """The gradients of weights and bias are averaged over images and output positions."""

    usually = "mean() where sum() is meant: each weight's gradient is the sum over all n, oh and ow."
    source = "https://github.com/sebgao/cTensor/issues/3"
    operations = OF_PARAMETERS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        count = problem.batch * math.prod(problem.output_size)
        return value / value.dtype.type(max(1, count)) if operation in OF_PARAMETERS else value


class GradientsAccumulated(Defect):
    """Gradients are added to those of the calls before."""

    usually = "the gradient's buffer is kept and only ever added to: clear it, or return a new one."
    source = "hand-written layers: gradients accumulated across calls"
    operations = GRADIENTS
    stateful = True

    def __init__(self) -> None:
        self.totals: dict[tuple[str, ConvProblem], Array] = {}

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        if operation in GRADIENTS:
            value = value + self.totals.get((operation, problem), 0)
            self.totals[operation, problem] = value
        return value


class GradientsLost(Defect):
    """Gradients are all zero."""

    usually = "the gradient is added to a copy (fancy indexing, reshape of a transpose, padded scratch) and lost."
    source = "hand-written layers: gradient written to scratch and lost"
    operations = GRADIENTS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return np.zeros_like(value) if operation in GRADIENTS else value


class GradientsNegated(Defect):
    """Gradients have the wrong sign."""

    usually = "the update -gradient is returned, or the loss is target minus output."
    source = "hand-written layers: the update is returned"
    operations = GRADIENTS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return -value if operation in GRADIENTS else value
