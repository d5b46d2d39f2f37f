"""What a defect model of a transposed convolution is: the adjoint of a layer, and the places where it may be bent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from refconv.diagnosis.defects.base import Described
from refconv.diagnosis.layer import Array, Layer
from refconv.problem import ConvProblem, TransposedProblem


class TransposedLayer:
    """A correct transposed convolution: each of its operations is one of the convolution whose adjoint it is.

    Whoever bends the :class:`Layer` gets a transposed layer with the same bend, in ``layer``; what only transposed
    convolutions have (output_padding, the cut, the bias on a scattered output) is bent in the methods.

    Examples
    --------
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(2,), kernel_size=(2,))
    >>> TransposedLayer().forward(np.array([[[1, 2]]]), np.array([[[10, 1]]]), None, problem).tolist()
    [[[10, 21, 2]]]
    """

    name = "transposed-layer"
    transposed = True
    layer: type[Layer] = Layer

    def adjoint(self, problem: TransposedProblem) -> ConvProblem:
        """Return the convolution whose adjoint it is."""
        return problem.adjoint

    def add_bias(self, y: Array, bias: Array, problem: TransposedProblem) -> Array:
        """Add the bias to y, shape (N, K, oH, oW)."""
        column = bias.reshape(-1, *(1,) * len(problem.input_size))
        added: Array = y + column * self.share(problem).astype(bias.dtype)
        return added

    def share(self, problem: TransposedProblem) -> Array:
        """Return how often the bias is added to each element of an output plane, shape (oH, oW)."""
        return np.ones(problem.output_size, np.int64)

    def result(self, operation: str, value: Array, problem: TransposedProblem) -> Array:
        """Return the result of an operation as it is handed out."""
        return value

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        """Return y, shape (N, K, oH, oW)."""
        y = self.layer().grad_input(x, weight, self.adjoint(problem))
        return self.result("forward", y if bias is None else self.add_bias(y, bias, problem), problem)

    def grad_input(self, grad_output: Array, weight: Array, problem: TransposedProblem) -> Array:
        """Return grad_input, shape (N, C, H, W)."""
        gradient = self.layer().forward(grad_output, weight, None, self.adjoint(problem))
        return self.result("grad_input", gradient, problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
        """Return grad_weight, shape (C, K/G, kH, kW)."""
        return self.result("grad_weight", self.layer().grad_weight(grad_output, x, self.adjoint(problem)), problem)

    def grad_bias(self, grad_output: Array, problem: TransposedProblem) -> Array:
        """Return grad_bias, shape (K,)."""
        axes = (0, *range(2, grad_output.ndim))
        return self.result("grad_bias", grad_output.sum(axes, dtype=grad_output.dtype), problem)


class TransposedDefect(Described, TransposedLayer):
    """A transposed convolution with one particular bug, which it predicts by computing it."""


def reached(problem: TransposedProblem, place: tuple[int, ...] | None = None) -> Array:
    """Count the kernels that reach each element of an output plane, shape (oH, oW): those of all places, or of one.

    Examples
    --------
    >>> reached(TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(3,),
    ...                           stride=(2,))).tolist()
    [1, 1, 2, 1, 2, 1, 1]
    """
    one = replace(problem.adjoint, batch=1, in_channels=1, out_channels=1, groups=1)
    ones = np.zeros(one.y_shape, np.int64)
    ones[(0, 0, *(place or (...,)))] = 1
    counts: Array = Layer().grad_input(ones, np.ones(one.weight_shape, np.int64), one)[0, 0]
    return counts
