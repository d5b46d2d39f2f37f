"""The workhorse: patches into columns, then one matrix product per group.

``columns`` holds, for each output position of each image, the C/G*kH*kW inputs under the kernel; the layer
is then a matrix product (Chellapilla, Puri and Simard, "High performance convolutional neural networks for
document processing", 2006).  Going back, the products are overlap-added tap by tap: kH*kW strided additions
in a fixed order, so that the result is deterministic.

Arrays may come from NumPy, CuPy, PyTorch or any other namespace of the array API standard.  Columns are
built for a block of images and output positions at a time, so that extra memory stays within ``BUDGET``
whatever the problem.  Padding is never stored: a tap is copied where it meets the image, and the rest of its
row is zero.  Kernels of one tap that skip nothing need no copy, and depthwise layers no product at all
(:mod:`refconv.reference.depthwise`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device, is_numpy_array

from refconv.problem import ConvProblem, Geometry
from refconv.reference import depthwise

Array = Any  # of any array API namespace

name = "im2col"
BUDGET = 16 * 2**20  # bytes that a block may take, or one output position if that needs more


class Block(NamedTuple):
    """A range of images and, along every spatial axis, a range of output positions."""

    images: slice
    outputs: tuple[slice, ...]


class Tap(NamedTuple):
    """Where one kernel tap meets the image: places in the outputs of a block, and the inputs read there."""

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
    y = _empty(problem.y_shape, x, weight)
    if depthwise.serves(problem):
        depthwise.forward(y, x, weight, problem)
    else:
        kernels = _kernels(weight, y, problem)
        for block, columns in _unfolded(x, y, problem):
            _store_product(kernels, columns, _part(y, block))
    if bias is None:
        return y
    problem.check_tensor("bias", bias.shape)
    return _plus(y, array_namespace(y).reshape(bias, (-1, *[1] * len(problem.output_size))))


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
    if depthwise.serves(problem):
        depthwise.grad_input(gradient, grad_output, weight, problem)
        return gradient
    kernels = array_namespace(gradient).matrix_transpose(_kernels(weight, gradient, problem))
    for block, columns in _buffers(gradient, problem):
        nabla = _flat(grad_output, block, gradient, problem)
        if _is_pointwise(problem):
            _store_product(kernels, nabla, _part(gradient, block))
        else:
            _store_product(kernels, nabla, columns)
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
    gradient = _zeros(problem.weight_shape, x, grad_output)
    if depthwise.serves(problem):
        depthwise.grad_weight(gradient, x, grad_output, problem)
        return gradient
    xp, total = array_namespace(gradient), None
    for block, columns in _unfolded(x, gradient, problem):
        part = xp.matmul(_flat(grad_output, block, gradient, problem), xp.matrix_transpose(columns))
        total = part if total is None else _plus(total, part)
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


def _blocks(problem: ConvProblem, itemsize: int) -> Iterator[Block]:
    """Cut the work into boxes whose columns and product stay within the budget."""
    column = problem.in_channels * math.prod(problem.kernel_size) + problem.out_channels
    room, steps = BUDGET // max(1, itemsize * column), []
    for length in (*reversed(problem.output_size), problem.batch):
        steps.append(max(1, min(length, room)))
        room //= steps[-1]
    ranges = [
        [slice(start, min(start + step, length)) for start in range(0, length, step)]
        for length, step in zip((problem.batch, *problem.output_size), reversed(steps), strict=True)
    ]
    yield from (Block(images, tuple(outputs)) for images, *outputs in product(*ranges))


def _extents(block: Block) -> tuple[int, ...]:
    """Return the number of images of a block and the extents of its box."""
    return tuple(part.stop - part.start for part in (block.images, *block.outputs))


def _buffers(like: Array, problem: ConvProblem) -> Iterator[tuple[Block, Array]]:
    """Yield every block with room for its columns, (C, kH, kW, n, oH, oW), in memory that is used again."""
    xp, row = array_namespace(like), (problem.in_channels, *problem.kernel_size)
    blocks = list(_blocks(problem, getattr(like.dtype, "itemsize", 8)))
    most = max((math.prod(_extents(block)) for block in blocks), default=0) * math.prod(row)
    memory = xp.empty(0 if _is_pointwise(problem) else most, dtype=like.dtype, device=device(like))
    for block in blocks:
        shape = (*row, *_extents(block))
        yield block, None if _is_pointwise(problem) else xp.reshape(memory[: math.prod(shape)], shape)


def _unfolded(x: Array, like: Array, problem: ConvProblem) -> Iterator[tuple[Block, Array]]:
    """Yield every block with its columns, (G, C/G*kH*kW, n*oH*oW); the next block overwrites them."""
    xp = array_namespace(like)
    for block, columns in _buffers(like, problem):
        if _is_pointwise(problem):
            columns = xp.astype(_part(x, block), like.dtype, copy=False)
        else:
            _copy_taps(x, columns, block, problem)
        yield block, xp.reshape(columns, _matrices(columns, problem))


def _copy_taps(x: Array, columns: Array, block: Block, problem: ConvProblem) -> None:
    """Copy the inputs that each tap reads into its row of the columns, and zeros where it meets padding."""
    channels_first = _channels_first(x)
    for tap in _taps(block, problem):
        row = columns[:, *tap.kernel, ...]
        for axis, (met, length) in enumerate(zip(tap.output, _extents(block)[1:], strict=True)):
            before = (slice(None),) * (axis + 2)
            if met.start > 0:
                row[*before, : met.start, ...] = 0
            if met.stop < length:
                row[*before, met.stop :, ...] = 0
        row[:, :, *tap.output] = channels_first[:, block.images, *tap.input]


def _overlap_add(gradient: Array, columns: Array, block: Block, problem: ConvProblem) -> None:
    """Add every tap's row of the columns back to the inputs that it was copied from."""
    channels_first = _channels_first(gradient)
    for tap in _taps(block, problem):
        channels_first[:, block.images, *tap.input] += columns[:, *tap.kernel, :, *tap.output]


def _taps(block: Block, problem: ConvProblem) -> Iterator[Tap]:
    """Find, for every kernel tap, the outputs of the block at which it meets the image."""
    for kernel in product(*map(range, problem.kernel_size)):
        axes = [_meeting(problem, axis, tap, block.outputs[axis]) for axis, tap in enumerate(kernel)]
        yield Tap(kernel, tuple(output for output, _ in axes), tuple(read for _, read in axes))


def _meeting(problem: ConvProblem, axis: int, tap: int, outputs: slice) -> tuple[slice, slice]:
    """Intersect a range of outputs with those whose tap falls inside of the image, on one axis."""
    stride, length, start = problem.stride[axis], problem.input_size[axis], outputs.start
    offset = tap * problem.dilation[axis] - problem.padding[axis][0]  # output o reads input o * stride + offset
    first = max(start, -(offset // stride))  # ceil(-offset / stride): the first that reads 0 or more
    last = min(outputs.stop - 1, (length - 1 - offset) // stride)
    if first > last:
        return slice(0, 0), slice(0, 0)
    return slice(first - start, last - start + 1), slice(first * stride + offset, last * stride + offset + 1, stride)


def _is_pointwise(problem: ConvProblem) -> bool:
    """Tell whether the columns are the image itself."""
    one_tap = math.prod(problem.kernel_size) == 1 == math.prod(problem.stride)
    return one_tap and not any(map(any, problem.padding))  # padding of (1, -1) keeps the size and shifts the image


def _channels_first(tensor: Array) -> Array:
    """View (N, C, H, W) as (C, N, H, W)."""
    return array_namespace(tensor).permute_dims(tensor, (1, 0, *range(2, len(tensor.shape))))


def _part(tensor: Array, block: Block) -> Array:
    """View a block of y, or of what has its extents, as (K, n, oH, oW)."""
    return _channels_first(tensor)[:, block.images, *block.outputs]


def _matrices(tensor: Array, problem: ConvProblem) -> tuple[int, int, int]:
    """Return the shape that makes (G * rows, ..., n, oH, oW) one matrix per group."""
    positions = math.prod(tensor.shape[-1 - len(problem.output_size) :])
    return (problem.groups, math.prod(tensor.shape) // max(1, positions * problem.groups), positions)


def _flat(grad_output: Array, block: Block, like: Array, problem: ConvProblem) -> Array:
    """Make of a block of grad_output (G, K/G, n*oH*oW): a view if it can be."""
    xp, part = array_namespace(like), _part(grad_output, block)
    return xp.reshape(xp.astype(part, like.dtype, copy=False), _matrices(part, problem))


def _kernels(weight: Array, like: Array, problem: ConvProblem) -> Array:
    """View the weights as (G, K/G, C/G*kH*kW)."""
    xp = array_namespace(like)
    shape = (problem.groups, problem.out_channels // problem.groups, math.prod(problem.weight_shape[1:]))
    return xp.reshape(xp.astype(weight, like.dtype, copy=False), shape)


def _store_product(first: Array, second: Array, place: Array) -> None:
    """Multiply matrices into (rows, ..., positions), without a copy where NumPy can write there."""
    xp = array_namespace(first)
    if is_numpy_array(place) and (place.flags.c_contiguous or place.shape[1] == 1):  # else images would lie apart
        xp.matmul(first, second, out=place.reshape((*first.shape[:2], second.shape[2])))
    else:
        place[...] = xp.reshape(xp.matmul(first, second), place.shape)


def _plus(total: Array, part: Array) -> Array:
    """Add, in place if that changes no dtype."""
    if part.dtype != total.dtype:
        return total + part
    total += part
    return total


def _zeros(shape: tuple[int, ...], *like: Array) -> Array:
    """Make zeros in the namespace, common dtype and place of the given arrays."""
    xp = array_namespace(*like)
    return xp.zeros(shape, dtype=xp.result_type(*like), device=device(like[0]))


def _empty(shape: tuple[int, ...], *like: Array) -> Array:
    """Make room that will be written to the last element, like :func:`_zeros`."""
    xp = array_namespace(*like)
    return xp.empty(shape, dtype=xp.result_type(*like), device=device(like[0]))
