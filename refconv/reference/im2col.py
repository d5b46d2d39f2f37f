"""The workhorse: patches into columns, then one matrix product per group.

``columns`` holds, for each output position of each image, the C/G*kH*kW inputs under the kernel; the layer
is then a matrix product (Chellapilla, Puri and Simard, "High performance convolutional neural networks for
document processing", 2006).  Going back, the products are overlap-added tap by tap: kH*kW strided additions
in a fixed order, so that the result is deterministic.

Arrays may come from NumPy, CuPy, PyTorch or any other namespace of the array API standard.  Columns are
built for a block of images and output positions at a time (:mod:`refconv.reference.columns`), small enough to
stay in a cache (larger on a device, whose kernels cost more to start), so that extra memory stays bounded whatever the
problem.  Depthwise layers need no product at all (:mod:`refconv.reference.depthwise`).
"""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import array_namespace, device

from refconv.problem import ConvProblem, Geometry
from refconv.reference import depthwise
from refconv.reference.columns import (
    Block,
    buffers,
    is_on_a_device,
    is_pointwise,
    matrices,
    overlap_add,
    part,
    speaks_numpy,
    unfolded,
)

Array = Any  # of any array API namespace

name = "im2col"
BUDGET = 4 * 2**20  # bytes that columns and product of a block may take, or one output position if that needs more


def forward(x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
    """Multiply the weights, one row per output channel, by the columns.

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
    Chellapilla et al. (2006), section 3.1, with the groups as the batch of the matrix product.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]])
    >>> weight = np.array([[[[1, 2], [3, 4]]]])
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
    >>> forward(x, weight, None, problem).tolist()
    [[[[37, 47], [67, 77]]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("weight", weight.shape)
    y = _empty(problem.y_shape, x, weight)
    if _is_depthwise(problem, y):
        depthwise.forward(y, x, weight, problem)
    else:
        kernels = _kernels(weight, y, problem)
        for block, columns in unfolded(x, y, problem, BUDGET):
            _store_product(kernels, columns, part(y, block))
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return _plus(y, array_namespace(y).reshape(bias, (problem.out_channels, *[1] * len(problem.output_size))))


def grad_input(grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
    """Multiply by the transposed weights, then add each tap's row back where it was read.

    Parameters
    ----------
    grad_output : array, shape (N, K, oH, oW)
    weight : array, shape (K, C/G, kH, kW)
    problem : ConvProblem

    Returns
    -------
    array, shape (N, C, H, W)

    Raises
    ------
    TensorError
        If a tensor does not have the shape that the problem gives it.

    Notes
    -----
    The adjoint of :func:`forward`: the transposed product, then the adjoint of copying, which is adding
    (Chellapilla et al., 2006, section 3.2).

    Examples
    --------
    >>> import numpy as np
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_input(np.array([[[[1, 10]]]]), np.array([[[[2, 3]]]]), problem).tolist()
    [[[[2, 23, 30]]]]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    problem.check_tensor("weight", weight.shape)
    gradient = _zeros(problem.x_shape, grad_output, weight)
    if _is_depthwise(problem, gradient):
        depthwise.grad_input(gradient, grad_output, weight, problem)
        return gradient
    kernels = array_namespace(gradient).matrix_transpose(_kernels(weight, gradient, problem))
    for block, columns in buffers(gradient, problem, BUDGET):
        nabla = _flat(grad_output, block, gradient, problem)
        if is_pointwise(problem):
            _store_product(kernels, nabla, part(gradient, block))
        else:
            _store_product(kernels, nabla, columns)
            overlap_add(gradient, columns, block, problem)
    return gradient


def grad_weight(x: Array, grad_output: Array, problem: ConvProblem) -> Array:
    """Multiply the output gradients by the transposed columns, block after block.

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
    The chain rule for a matrix product: the gradient at A of A @ B is ∇ @ Bᵀ
    (Chellapilla et al., 2006, section 3.2).

    Examples
    --------
    >>> import numpy as np
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_weight(np.array([[[[2, 3, 5]]]]), np.array([[[[1, 10]]]]), problem).tolist()
    [[[[32, 53]]]]
    """
    problem.check_tensor("x", x.shape)
    problem.check_tensor("grad_output", grad_output.shape)
    gradient = _zeros(problem.weight_shape, x, grad_output)
    if _is_depthwise(problem, gradient):
        depthwise.grad_weight(gradient, x, grad_output, problem)
        return gradient
    xp, total = array_namespace(gradient), None
    for block, columns in unfolded(x, gradient, problem, BUDGET):
        added = xp.matmul(_flat(grad_output, block, gradient, problem), xp.matrix_transpose(columns))
        total = added if total is None else _plus(total, added)
    return gradient if total is None else xp.reshape(total, problem.weight_shape)


def grad_bias(grad_output: Array, problem: Geometry) -> Array:
    """Sum over the images and the output positions.

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
    The adjoint of the broadcast that adds the bias is a sum.

    Examples
    --------
    >>> import numpy as np
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(1, 3), kernel_size=(1, 2))
    >>> grad_bias(np.array([[[[1, 10]], [[2, 20]]]]), problem).tolist()
    [11, 22]
    """
    problem.check_tensor("grad_output", grad_output.shape)
    xp = array_namespace(grad_output)
    axes = (0, *range(2, len(grad_output.shape)))
    return xp.sum(grad_output, axis=axes, dtype=grad_output.dtype)


def _is_depthwise(problem: ConvProblem, like: Array) -> bool:
    """Tell whether multiply-adds replace the products: not on a device, which would be asked once for every tap."""
    return depthwise.serves(problem) and not is_on_a_device(like)


def _flat(grad_output: Array, block: Block, like: Array, problem: ConvProblem) -> Array:
    """Make of a block of grad_output (G, K/G, n*oH*oW): a view if it can be."""
    xp, nabla = array_namespace(like), part(grad_output, block)
    return xp.reshape(xp.astype(nabla, like.dtype, copy=False), matrices(nabla, problem))


def _kernels(weight: Array, like: Array, problem: ConvProblem) -> Array:
    """View the weights as (G, K/G, C/G*kH*kW)."""
    xp = array_namespace(like)
    shape = (problem.groups, problem.out_channels // problem.groups, math.prod(problem.weight_shape[1:]))
    return xp.reshape(xp.astype(weight, like.dtype, copy=False), shape)


def _store_product(first: Array, second: Array, place: Array) -> None:
    """Multiply matrices into (rows, ..., positions), without a copy where that can be written to."""
    xp = array_namespace(first)
    if speaks_numpy(place) and (place.flags.c_contiguous or place.shape[1] == 1):  # else images would lie apart
        xp.matmul(first, second, out=place.reshape((*first.shape[:2], second.shape[2])))
    else:
        place[...] = xp.reshape(xp.matmul(first, second), place.shape)


def _plus(total: Array, added: Array) -> Array:
    """Add, in place if that changes no dtype."""
    if added.dtype != total.dtype:
        return total + added
    total += added
    return total


def _zeros(shape: tuple[int, ...], *like: Array) -> Array:
    """Make zeros in the namespace, common dtype and place of the given arrays."""
    xp = array_namespace(*like)
    return xp.zeros(shape, dtype=xp.result_type(*like), device=device(like[0]))


def _empty(shape: tuple[int, ...], *like: Array) -> Array:
    """Make room that will be written to the last element, like :func:`_zeros`."""
    xp = array_namespace(*like)
    return xp.empty(shape, dtype=xp.result_type(*like), device=device(like[0]))
