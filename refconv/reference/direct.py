"""The definition: seven loops over n, k, oh, ow, c, kh, kw.

Everything here is written to be read aloud, not to be fast.  The loops stand once, in
:func:`seven_loops`, and once more for any number of axes; the layer and its three gradients are then one
line each.  The scalars may be of any kind: floats, complex numbers, Python integers of any size
(``dtype=object``).

Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (arXiv:1603.07285),
sections 2 and 4, for the layer with padding, stride and dilation; the gradients follow from the chain
rule, since y is linear in each of x and weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.problem import ConvProblem, Geometry

Array = npt.NDArray[Any]
Index = tuple[int, ...]
Product = tuple[Index, Index, Index]  # where its y, its x and its weight stand

name = "direct"
unbounded_integers = True  # arrays of Python integers are computed without any rounding or overflow


def products(problem: ConvProblem) -> Iterator[Product]:
    """Yield where every product of the layer stands: in y, in x and in weight.

    Padding is absence: a tap that falls outside of the image makes no product, so nothing is ever
    multiplied by a padded zero.

    Parameters
    ----------
    problem : ConvProblem
        With any number of spatial axes.

    Yields
    ------
    (n, k, oh, ow), (n, c, ih, iw), (k, c - g*C/G, kh, kw)
        Indices into y, x and weight.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> for y, x, weight in products(problem):
    ...     print(y, x, weight)
    (0, 0, 0, 0) (0, 0, 0, 0) (0, 0, 0, 0)
    (0, 0, 0, 0) (0, 0, 0, 1) (0, 0, 0, 1)
    (0, 0, 0, 1) (0, 0, 0, 1) (0, 0, 0, 0)
    (0, 0, 0, 1) (0, 0, 0, 2) (0, 0, 0, 1)
    """
    return seven_loops(problem) if len(problem.input_size) == 2 else loops_over_any_axes(problem)


def seven_loops(problem: ConvProblem) -> Iterator[Product]:
    """Yield the products of a problem with two spatial axes."""
    N, C, H, W = problem.x_shape
    K, Cg, kH, kW = problem.weight_shape
    oH, oW = problem.output_size
    sH, sW = problem.stride
    dH, dW = problem.dilation
    (top, _), (left, _) = problem.padding
    for n in range(N):
        for k in range(K):
            g = k // (K // problem.groups)
            for oh in range(oH):
                for ow in range(oW):
                    for c in range(Cg):
                        for kh in range(kH):
                            for kw in range(kW):
                                ih = oh * sH - top + kh * dH
                                iw = ow * sW - left + kw * dW
                                if 0 <= ih < H and 0 <= iw < W:
                                    yield (n, k, oh, ow), (n, g * Cg + c, ih, iw), (k, c, kh, kw)


def loops_over_any_axes(problem: ConvProblem) -> Iterator[Product]:
    """Yield the same products in the same order, with as many loops as there are axes."""
    K, Cg, *_ = problem.weight_shape
    axes = range(len(problem.input_size))
    for n, k, *output in np.ndindex(problem.y_shape):
        g = k // (K // problem.groups)
        for c, *tap in np.ndindex(problem.weight_shape[1:]):
            position = [
                output[a] * problem.stride[a] - problem.padding[a][0] + tap[a] * problem.dilation[a] for a in axes
            ]
            if all(0 <= position[a] < problem.input_size[a] for a in axes):
                yield (n, k, *output), (n, g * Cg + c, *position), (k, c, *tap)


def forward(x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
    """Slide the kernel: y[n, k, oh, ow] = bias[k] + the sum of x * weight over c, kh and kw.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    weight : array, shape (K, C/G, kH, kW)
    bias : array, shape (K,), or None
    problem : ConvProblem

    Returns
    -------
    array, shape (N, K, oH, oW)

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    The sum of products of Dumoulin and Visin, section 2: cross-correlation, the kernel is not flipped.

    Examples
    --------
    >>> x = np.array([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]])
    >>> weight = np.array([[[[1, 2], [3, 4]]]])
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
    >>> forward(x, weight, None, problem).tolist()
    [[[[37, 47], [67, 77]]]]
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


def grad_input(grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
    """Send every output's gradient back along its products to the inputs that it read.

    Parameters
    ----------
    grad_output : array, shape (N, K, oH, oW)
    weight : array, shape (K, C/G, kH, kW)
    problem : ConvProblem

    Returns
    -------
    array, shape (N, C, H, W)
        Zero where an input is read by no output.

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    Chain rule: dy[n, k, oh, ow] / dx[n, c, ih, iw] = weight[k, c, kh, kw] for each product of
    :func:`products` (Dumoulin and Visin, section 4.1).

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_input(np.array([[[[1, 10]]]]), np.array([[[[2, 3]]]]), problem).tolist()
    [[[[2, 23, 30]]]]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    problem.check_tensor("weight", weight.shape)
    gradient = np.zeros(problem.x_shape, dtype=np.result_type(grad_output, weight))
    for at_y, at_x, at_weight in products(problem):
        gradient[at_x] += grad_output[at_y] * weight[at_weight]
    return gradient


def grad_weight(x: Array, grad_output: Array, problem: ConvProblem) -> Array:
    """Add up, for every weight, the products of the inputs that it met and the gradients there.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    grad_output : array, shape (N, K, oH, oW)
    problem : ConvProblem

    Returns
    -------
    array, shape (K, C/G, kH, kW)
        Summed over the batch, not averaged.

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    Chain rule: dy[n, k, oh, ow] / dweight[k, c, kh, kw] = x[n, c, ih, iw] for each product of
    :func:`products`.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_weight(np.array([[[[2, 3, 5]]]]), np.array([[[[1, 10]]]]), problem).tolist()
    [[[[32, 53]]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("grad_output", grad_output.shape)
    gradient = np.zeros(problem.weight_shape, dtype=np.result_type(x, grad_output))
    for at_y, at_x, at_weight in products(problem):
        gradient[at_weight] += grad_output[at_y] * x[at_x]
    return gradient


def grad_bias(grad_output: Array, problem: Geometry) -> Array:
    """Add up the gradients of all outputs to which a bias was added.

    Parameters
    ----------
    grad_output : array, shape (N, K, oH, oW)
    problem : ConvProblem

    Returns
    -------
    array, shape (K,)

    Raises
    ------
    TensorError
        If grad_output does not have the shape that the problem gives it.

    Notes
    -----
    Chain rule: dy[n, k, oh, ow] / dbias[k] = 1.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_bias(np.array([[[[1, 10]], [[2, 20]]]]), problem).tolist()
    [11, 22]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    gradient = np.zeros(problem.bias_shape, dtype=grad_output.dtype)
    for n, k, *output in np.ndindex(problem.y_shape):
        gradient[k] += grad_output[n, k, *output]
    return gradient
