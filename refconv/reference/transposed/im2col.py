"""The workhorse: one matrix product per group, whose columns are then added where they overlap.

Every column of weightᵀ x is what one input sends to the outputs under its kernel; overlap-add puts them there, tap by
tap.  Going back, the columns are those of an ordinary convolution of grad_output.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from refconv.problem import TransposedProblem
from refconv.reference import im2col
from refconv.reference.im2col import grad_bias

__all__ = ["forward", "grad_bias", "grad_input", "grad_weight"]

Array = Any  # of any array API namespace

name = "im2col"


def forward(x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
    """Multiply the input by the transposed weights, then add every tap's row to the outputs that it reaches.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    weight : array, shape (C, K/G, kH, kW)
    bias : array, shape (K,), or None
    problem : TransposedProblem

    Returns
    -------
    array, shape (N, K, oH, oW)

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Examples
    --------
    >>> import numpy as np
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    >>> forward(np.array([[[1, 2, 3]]]), np.array([[[1, 10]]]), None, problem).tolist()
    [[[1, 12, 23, 30]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("weight", weight.shape)
    y = im2col.grad_input(x, weight, problem.adjoint)
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return y + array_namespace(bias).reshape(bias, (problem.out_channels, *[1] * len(problem.output_size)))


def grad_input(grad_output: Array, weight: Array, problem: TransposedProblem) -> Array:
    """Multiply the weights by the columns of grad_output.

    Parameters
    ----------
    grad_output : array, shape (N, K, oH, oW)
    weight : array, shape (C, K/G, kH, kW)
    problem : TransposedProblem

    Returns
    -------
    array, shape (N, C, H, W)

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Examples
    --------
    >>> import numpy as np
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    >>> grad_input(np.array([[[1, 2, 3, 4]]]), np.array([[[1, 10]]]), problem).tolist()
    [[[21, 32, 43]]]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    problem.check_tensor("weight", weight.shape)
    return im2col.forward(grad_output, weight, None, problem.adjoint)


def grad_weight(x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
    """Multiply the input by the columns of grad_output.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    grad_output : array, shape (N, K, oH, oW)
    problem : TransposedProblem

    Returns
    -------
    array, shape (C, K/G, kH, kW)
        Summed over the batch, not averaged.

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Examples
    --------
    >>> import numpy as np
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    >>> grad_weight(np.array([[[1, 10, 100]]]), np.array([[[1, 2, 3, 4]]]), problem).tolist()
    [[[321, 432]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("grad_output", grad_output.shape)
    return im2col.grad_weight(grad_output, x, problem.adjoint)
