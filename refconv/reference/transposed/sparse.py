"""The matrix: one image's transposed convolution is Y* = (W*)ᵀ X*.

W* is the matrix of the convolution whose adjoint the layer is, :attr:`refconv.problem.TransposedProblem.adjoint`;
:func:`refconv.convolution_matrix` of it can be looked at.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from refconv.problem import TransposedProblem
from refconv.reference import sparse
from refconv.reference.sparse import grad_bias

__all__ = ["forward", "grad_bias", "grad_input", "grad_weight"]

Array = npt.NDArray[Any]

name = "sparse"


def forward(x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
    """Multiply by the transpose: Y* = (W*)ᵀ X*.

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
    y = sparse.grad_input(x, weight, problem.adjoint)
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return y + bias.reshape(-1, *[1] * len(problem.output_size))


def grad_input(grad_output: Array, weight: Array, problem: TransposedProblem) -> Array:
    """Multiply: the gradient at X* is W* ∇.

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
    return sparse.forward(grad_output, weight, None, problem.adjoint)


def grad_weight(x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
    """Project ∇ (X*)ᵀ, transposed, onto the pattern of W*: the adjoint's grad_weight with exchanged roles.

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
    return sparse.grad_weight(grad_output, x, problem.adjoint)
