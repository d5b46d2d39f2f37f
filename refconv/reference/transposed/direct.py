"""The definition: every input is multiplied by the whole kernel and scattered over the output.

The loops stand once, in :func:`products`; the layer and its gradients are then one line each.  They run over n, c,
every axis of the input, k, and every axis of the kernel; with two axes,

``y[n, g*K/G + k, h*sH - top + kh*dH, w*sW - left + kw*dW] += x[n, c, h, w] * weight[c, k, kh, kw]``.

Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (arXiv:1603.07285), section 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.problem import TransposedProblem
from refconv.reference.direct import grad_bias

__all__ = ["forward", "grad_bias", "grad_input", "grad_weight", "products"]

Array = npt.NDArray[Any]
Index = tuple[int, ...]

name = "direct"
unbounded_integers = True  # arrays of Python integers are computed without any rounding or overflow


def products(problem: TransposedProblem) -> Iterator[tuple[Index, Index, Index]]:
    """Yield where every product of the layer stands: in y, in x and in weight.

    Padding cuts the output: what falls outside of it makes no product.

    Parameters
    ----------
    problem : TransposedProblem
        With any number of spatial axes.

    Yields
    ------
    (n, g*K/G + k, oh, ow), (n, c, h, w), (c, k, kh, kw)
        Indices into y, x and weight.

    Examples
    --------
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(2,), kernel_size=(2,),
    ...                             stride=(2,), padding=((1, 0),))
    >>> for y, x, weight in products(problem):
    ...     print(y, x, weight)
    (0, 0, 0) (0, 0, 0) (0, 0, 1)
    (0, 0, 1) (0, 0, 1) (0, 0, 0)
    (0, 0, 2) (0, 0, 1) (0, 0, 1)
    """
    C, Kg, *_ = problem.weight_shape
    size, axes = problem.output_size, range(len(problem.input_size))
    for n, c, *place in np.ndindex(problem.x_shape):
        g = c // (C // problem.groups)
        for k, *tap in np.ndindex(problem.weight_shape[1:]):
            target = [place[a] * problem.stride[a] - problem.padding[a][0] + tap[a] * problem.dilation[a] for a in axes]
            if all(0 <= target[a] < size[a] for a in axes):
                yield (n, g * Kg + k, *target), (n, c, *place), (c, k, *tap)


def forward(x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
    """Scatter: add x * weight to every output that an input reaches, and the bias to all.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    weight : array, shape (C, K/G, kH, kW)
    bias : array, shape (K,), or None
    problem : TransposedProblem

    Returns
    -------
    array, shape (N, K, oH, oW)
        The bias alone where no input reaches.

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Examples
    --------
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    >>> forward(np.array([[[1, 2, 3]]]), np.array([[[1, 10]]]), None, problem).tolist()
    [[[1, 12, 23, 30]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("weight", weight.shape)
    y = np.zeros(problem.y_shape, dtype=np.result_type(x, weight))
    for at_y, at_x, at_weight in products(problem):
        y[at_y] += x[at_x] * weight[at_weight]
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return y + bias.reshape(-1, *[1] * len(problem.output_size))


def grad_input(grad_output: Array, weight: Array, problem: TransposedProblem) -> Array:
    """Gather, for every input, the gradients of the outputs that it reached.

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
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    >>> grad_input(np.array([[[1, 2, 3, 4]]]), np.array([[[1, 10]]]), problem).tolist()
    [[[21, 32, 43]]]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    problem.check_tensor("weight", weight.shape)
    gradient = np.zeros(problem.x_shape, dtype=np.result_type(grad_output, weight))
    for at_y, at_x, at_weight in products(problem):
        gradient[at_x] += grad_output[at_y] * weight[at_weight]
    return gradient


def grad_weight(x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
    """Add up, for every weight, the products of the inputs that it met and the gradients where they went.

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
    >>> problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    >>> grad_weight(np.array([[[1, 10, 100]]]), np.array([[[1, 2, 3, 4]]]), problem).tolist()
    [[[321, 432]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("grad_output", grad_output.shape)
    gradient = np.zeros(problem.weight_shape, dtype=np.result_type(x, grad_output))
    for at_y, at_x, at_weight in products(problem):
        gradient[at_weight] += grad_output[at_y] * x[at_x]
    return gradient
