"""How the bias enters y, and how grad_output enters grad_bias: a table of pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from refconv.diagnosis.products import Array, Floats
from refconv.problem import ConvProblem

Call = Callable[[dict[str, Array]], Floats]  # inputs by name, to the result of one operation

DIRECTIONS = {"forward": ("bias", "y"), "grad_bias": ("grad_output", "bias")}  # from, to


@dataclass(frozen=True, eq=False)
class Linear:
    """A matrix: row, an element of y (or of grad_output); column, a channel of the bias.

    Attributes
    ----------
    operation : {"forward", "grad_bias"}
    matrix : array, shape (N*K*oH*oW, K)
        The factors; the true one is one where the channels are equal, and zero elsewhere.
    """

    operation: str
    problem: ConvProblem
    matrix: Floats

    def compute(self, inputs: Mapping[str, Array]) -> Floats:
        """Return what the bias adds to y, or grad_bias."""
        if self.operation == "forward":
            return (self.matrix @ inputs["bias"].ravel()).reshape(self.problem.y_shape)
        total: Floats = inputs["grad_output"].ravel() @ self.matrix
        return total


def true_linear(operation: str, problem: ConvProblem) -> Linear:
    """Return the true matrix."""
    channel = np.indices(problem.y_shape)[1].ravel()
    return Linear(operation, problem, (channel[:, None] == np.arange(problem.out_channels)).astype(np.float64))


def recover_linear(operation: str, problem: ConvProblem, call: Call) -> Linear | None:
    """Recover the matrix, by one call for each element; all other inputs are zero."""
    if operation not in DIRECTIONS:
        return None
    source, _ = DIRECTIONS[operation]
    inputs = {source: np.zeros(problem.shape_of(source))}
    if operation == "forward":
        inputs |= {name: np.zeros(problem.shape_of(name)) for name in ("x", "weight")}
    nothing, columns = call(inputs).ravel(), []
    for index in range(math.prod(problem.shape_of(source))):
        one = np.zeros(problem.shape_of(source))
        one.flat[index] = 1
        columns.append(call(inputs | {source: one}).ravel() - nothing)
    matrix = np.array(columns)
    return Linear(operation, problem, matrix.T if operation == "forward" else matrix)
