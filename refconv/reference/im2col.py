"""The workhorse: patches into columns, then one matrix product per group.

``columns`` holds, for each output position, the C/G*kH*kW inputs under the kernel; the layer is then a
matrix product (Chellapilla, Puri and Simard, "High performance convolutional neural networks for
document processing", 2006).  Going back, the products are overlap-added tap by tap: kH*kW strided
additions in a fixed order, so that the result is deterministic.

Arrays may come from NumPy, CuPy, PyTorch or any other namespace of the array API standard.  Columns are
built for a block of images and output rows at a time, so that extra memory stays within ``BUDGET``.
Padding is never stored: a tap is copied where it meets the image, the rest of its row stays zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from refconv.problem import ConvProblem

Array = Any  # of any array API namespace

name = "im2col"
BUDGET = 64 * 2**20  # bytes that the columns of a block and their product may take


class Block(NamedTuple):
    """A range of images and a range of output positions along the first spatial axis."""

    images: slice
    rows: slice


class Tap(NamedTuple):
    """Where one kernel tap stands in the columns of a block, and the inputs that it reads there."""

    kernel: tuple[int, ...]
    output: tuple[slice, ...]
    input: tuple[slice, ...]


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
    xp = array_namespace(x, weight)
    kernels = _kernels(weight, problem)
    y = _zeros(problem.y_shape, x, weight)
    for block in _blocks(problem):
        part = xp.matmul(kernels, _columns(x, block, problem))
        y[block.images, :, block.rows, ...] = xp.reshape(part, _shape_in(block, problem))
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return y + xp.reshape(bias, (-1, *[1] * len(problem.output_size)))


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
    xp = array_namespace(grad_output, weight)
    kernels = xp.matrix_transpose(_kernels(weight, problem))
    gradient = _zeros(problem.x_shape, grad_output, weight)
    for block in _blocks(problem):
        columns = xp.matmul(kernels, _flat(grad_output, block, problem))
        _overlap_add(gradient, columns, block, problem)
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
    xp = array_namespace(x, grad_output)
    gradient = _kernels(_zeros(problem.weight_shape, x, grad_output), problem)
    for block in _blocks(problem):
        columns = _columns(x, block, problem)
        per_image = xp.matmul(_flat(grad_output, block, problem), xp.matrix_transpose(columns))
        gradient += xp.sum(per_image, axis=0, dtype=gradient.dtype)
    return xp.reshape(gradient, problem.weight_shape)


def grad_bias(grad_output: Array, problem: ConvProblem) -> Array:
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


def _blocks(problem: ConvProblem) -> Iterator[Block]:
    """Cut the work into ranges whose columns and product stay within the budget."""
    outputs = math.prod(problem.output_size[1:])
    column = problem.in_channels * math.prod(problem.kernel_size)
    per_row = max(1, 8 * outputs * (column + problem.out_channels))
    rows = max(1, min(problem.output_size[0], BUDGET // per_row))
    images = max(1, BUDGET // (per_row * rows))
    for first in range(0, problem.batch, images):
        for row in range(0, problem.output_size[0], rows):
            stop = min(problem.output_size[0], row + rows)
            yield Block(slice(first, min(problem.batch, first + images)), slice(row, stop))


def _shape_in(block: Block, problem: ConvProblem) -> tuple[int, ...]:
    """Return the shape of a block of y."""
    images, rows = block.images.stop - block.images.start, block.rows.stop - block.rows.start
    return (images, problem.out_channels, rows, *problem.output_size[1:])


def _taps(block: Block, problem: ConvProblem) -> Iterator[Tap]:
    """Find, for every kernel tap, the outputs of the block at which it meets the image."""
    ranges = [(block.rows.start, block.rows.stop), *((0, size) for size in problem.output_size[1:])]
    for kernel in product(*map(range, problem.kernel_size)):
        axes = [_meeting(problem, axis, tap, *ranges[axis]) for axis, tap in enumerate(kernel)]
        if all(output.start < output.stop for output, _ in axes):
            yield Tap(kernel, tuple(output for output, _ in axes), tuple(read for _, read in axes))


def _meeting(problem: ConvProblem, axis: int, tap: int, start: int, stop: int) -> tuple[slice, slice]:
    """Intersect the outputs start...stop with those whose tap falls inside of the image, on one axis."""
    stride, length = problem.stride[axis], problem.input_size[axis]
    offset = tap * problem.dilation[axis] - problem.padding[axis][0]  # output o reads input o * stride + offset
    first = max(start, -(offset // stride))  # ceil(-offset / stride): the first that reads 0 or more
    last = min(stop - 1, (length - 1 - offset) // stride)
    read = slice(first * stride + offset, last * stride + offset + 1, stride)
    return slice(first - start, last - start + 1), read


def _columns(x: Array, block: Block, problem: ConvProblem) -> Array:
    """Gather the patches of a block into (n, G, C/G*kH*kW, rows*oW)."""
    xp = array_namespace(x)
    images, _, *outputs = _shape_in(block, problem)
    columns = _zeros((images, problem.in_channels, *problem.kernel_size, *outputs), x)
    for tap in _taps(block, problem):
        columns[:, :, *tap.kernel, *tap.output] = x[block.images, :, *tap.input]
    depth = math.prod(problem.weight_shape[1:])
    return xp.reshape(columns, (images, problem.groups, depth, math.prod(outputs)))


def _overlap_add(gradient: Array, columns: Array, block: Block, problem: ConvProblem) -> None:
    """Add every tap's row of the columns back to the inputs that it was copied from."""
    xp = array_namespace(columns)
    images, _, *outputs = _shape_in(block, problem)
    columns = xp.reshape(columns, (images, problem.in_channels, *problem.kernel_size, *outputs))
    for tap in _taps(block, problem):
        gradient[block.images, :, *tap.input] += columns[:, :, *tap.kernel, *tap.output]


def _flat(grad_output: Array, block: Block, problem: ConvProblem) -> Array:
    """View a block of grad_output as (n, G, K/G, rows*oW)."""
    images, channels, *outputs = _shape_in(block, problem)
    part = grad_output[block.images, :, block.rows, ...]
    shape = (images, problem.groups, channels // problem.groups, math.prod(outputs))
    return array_namespace(grad_output).reshape(part, shape)


def _kernels(weight: Array, problem: ConvProblem) -> Array:
    """View the weights as (G, K/G, C/G*kH*kW)."""
    shape = (problem.groups, problem.out_channels // problem.groups, math.prod(problem.weight_shape[1:]))
    return array_namespace(weight).reshape(weight, shape)


def _zeros(shape: tuple[int, ...], *like: Array) -> Array:
    """Make zeros in the namespace, common dtype and place of the given arrays."""
    xp = array_namespace(*like)
    return xp.zeros(shape, dtype=xp.result_type(*like), device=device(like[0]))
