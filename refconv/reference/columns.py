"""Patches into columns and back, for :mod:`refconv.reference.im2col`.

``columns`` holds, for each output position of each image, the C/G*kH*kW inputs under the kernel.  They are made for a
block of images and output positions at a time, in memory that the next block uses again.  NumPy, and CuPy, which
understands NumPy's words, copy all taps at once out of a padded patch of the images, through a view that steps over
taps and outputs.  Elsewhere, and where such a patch would be larger than the columns, each tap is copied where it meets
the image, and the rest of its row is zero.  Kernels of one tap that skip nothing need no copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from refconv.problem import ConvProblem

Array = Any  # of any array API namespace

ON_A_DEVICE = 128  # times the budget: starting a kernel costs more there than leaving a cache
ENOUGH = 256  # output positions from which every image has columns of its own, so that no product need be reordered
NOTHING = slice(0, 0)


class Block(NamedTuple):
    """A range of images and, along every spatial axis, a range of output positions."""

    images: slice
    outputs: tuple[slice, ...]


class Tap(NamedTuple):
    """Where one kernel tap meets the image: places in the outputs of a block, and the inputs read there."""

    kernel: tuple[int, ...]
    output: tuple[slice, ...]
    input: tuple[slice, ...]


def buffers(like: Array, problem: ConvProblem, budget: int) -> Iterator[tuple[Block, Array]]:
    """Yield every block with room for its columns, (C, kH, kW, n, oH, oW), in memory that is used again."""
    xp, row = array_namespace(like), (problem.in_channels, *problem.kernel_size)
    room = budget_at(like, budget) // getattr(like.dtype, "itemsize", 8)
    blocks = list(_blocks(problem, room, together=is_on_a_device(like)))
    most = max((math.prod(_extents(block)) for block in blocks), default=0) * math.prod(row)
    memory = xp.empty(0 if is_pointwise(problem) else most, dtype=like.dtype, device=device(like))
    for block in blocks:
        shape = (*row, *_extents(block))
        yield block, None if is_pointwise(problem) else xp.reshape(memory[: math.prod(shape)], shape)


def unfolded(x: Array, like: Array, problem: ConvProblem, budget: int) -> Iterator[tuple[Block, Array]]:
    """Yield every block with its columns, (G, C/G*kH*kW, n*oH*oW); the next block overwrites them."""
    xp = array_namespace(like)
    for block, columns in buffers(like, problem, budget):
        if is_pointwise(problem):
            columns = xp.astype(part(x, block), like.dtype, copy=False)
        elif speaks_numpy(columns) and math.prod(_reach(block, problem)) <= math.prod(columns.shape[1:]):
            columns[...] = _windows(_patch(x, block, like, problem), problem)
        else:
            _copy_taps(x, columns, block, problem)
        yield block, xp.reshape(columns, matrices(columns, problem))


def overlap_add(gradient: Array, columns: Array, block: Block, problem: ConvProblem) -> None:
    """Add every tap's row of the columns back to the inputs that it was copied from."""
    images = _channels_first(gradient)[:, block.images, ...]
    for tap in _taps(block, problem):
        images[:, :, *tap.input] += columns[:, *tap.kernel, :, *tap.output]


def budget_at(like: Array, budget: int) -> int:
    """Return the bytes that a block may take where an array lives."""
    return budget * ON_A_DEVICE if is_on_a_device(like) else budget


def speaks_numpy(like: Array) -> bool:
    """Tell whether NumPy's functions take an array, and write into it: NumPy's own, and CuPy's (NEP 18)."""
    return hasattr(type(like), "__array_function__")


def is_on_a_device(like: Array) -> bool:
    """Tell whether an array is one of CuPy's, or of another library that speaks like it."""
    return speaks_numpy(like) and not is_numpy_array(like)


def is_pointwise(problem: ConvProblem) -> bool:
    """Tell whether the columns are the image itself.

    Examples
    --------
    >>> from refconv import ConvProblem
    >>> is_pointwise(ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(1, 1)))
    True
    """
    one_tap = math.prod(problem.kernel_size) == 1 == math.prod(problem.stride)
    return one_tap and not any(map(any, problem.padding))  # padding of (1, -1) keeps the size and shifts the image


def part(tensor: Array, block: Block) -> Array:
    """View a block of y, or of what has its extents, as (K, n, oH, oW)."""
    return _channels_first(tensor)[:, block.images, *block.outputs]


def matrices(tensor: Array, problem: ConvProblem) -> tuple[int, int, int]:
    """Return the shape that makes (G * rows, ..., n, oH, oW) one matrix per group."""
    positions = math.prod(tensor.shape[-1 - len(problem.output_size) :])
    return (problem.groups, math.prod(tensor.shape) // max(1, positions * problem.groups), positions)


def _blocks(problem: ConvProblem, room: int, together: bool) -> Iterator[Block]:
    """Cut the work into boxes of so many numbers in columns and product: one for each large image, or for several."""
    lengths, steps = (problem.batch, *problem.output_size), []
    room //= max(1, problem.in_channels * math.prod(problem.kernel_size) + problem.out_channels)
    for length in reversed(lengths):
        steps.append(max(1, min(length, room)))
        room //= steps[-1]
    if math.prod(problem.output_size) >= ENOUGH and not together:
        steps[-1] = 1
    ranges = [
        [slice(start, min(start + step, length)) for start in range(0, length, step)]
        for length, step in zip(lengths, reversed(steps), strict=True)
    ]
    yield from (Block(images, tuple(outputs)) for images, *outputs in product(*ranges))


def _extents(block: Block) -> tuple[int, ...]:
    """Return the number of images of a block and the extents of its box."""
    return tuple(part.stop - part.start for part in (block.images, *block.outputs))


def _reach(block: Block, problem: ConvProblem) -> tuple[int, ...]:
    """Return the number of images of a block and the extents of the inputs, padding included, that it reads."""
    images, *outputs = _extents(block)
    axes = zip(outputs, problem.kernel_size, problem.stride, problem.dilation, strict=True)
    return images, *((length - 1) * stride + (kernel - 1) * dilation + 1 for length, kernel, stride, dilation in axes)


def _patch(x: Array, block: Block, like: Array, problem: ConvProblem) -> Array:
    """Copy the inputs that a block reads, padding included: (C, n, h, w)."""
    extents, inside, read = _reach(block, problem), [], []
    for axis, extent in enumerate(extents[1:]):
        start = block.outputs[axis].start * problem.stride[axis] - problem.padding[axis][0]
        first, last = max(0, start), min(problem.input_size[axis], start + extent)
        inside.append(slice(first - start, max(first, last) - start))
        read.append(slice(first, max(first, last)))
    patch = np.zeros((problem.in_channels, *extents), dtype=like.dtype, like=like)
    patch[:, :, *inside] = _channels_first(x)[:, block.images, *read]
    return patch


def _windows(patch: Array, problem: ConvProblem) -> Array:
    """View a patch as columns: a step along the kernel is its dilation, a step along the outputs the stride."""
    count = len(problem.kernel_size)
    axes = zip(problem.kernel_size, problem.dilation, strict=True)
    reach = [(kernel - 1) * dilation + 1 for kernel, dilation in axes]
    windows = np.lib.stride_tricks.sliding_window_view(patch, reach, axis=tuple(range(2, 2 + count)))
    steps = [slice(None, None, step) for step in (*problem.stride, *problem.dilation)]
    taps = range(2 + count, 2 + 2 * count)
    return windows[:, :, *steps].transpose(0, *taps, 1, *range(2, 2 + count))


def _copy_taps(x: Array, columns: Array, block: Block, problem: ConvProblem) -> None:
    """Copy the inputs that each tap reads into its row of the columns, and zeros where it meets padding."""
    images = _channels_first(x)[:, block.images, ...]
    for tap in _taps(block, problem):
        row = columns[:, *tap.kernel, ...]
        for axis, met in enumerate(tap.output):
            before = (slice(None),) * (axis + 2)
            row[*before, : met.start, ...] = 0
            row[*before, met.stop :, ...] = 0
        row[:, :, *tap.output] = images[:, :, *tap.input]


def _taps(block: Block, problem: ConvProblem) -> Iterator[Tap]:
    """Find, for every kernel tap, the outputs of the block at which it meets the image."""
    axes = [
        [(tap, *_meeting(problem, axis, tap, block.outputs[axis])) for tap in range(length)]
        for axis, length in enumerate(problem.kernel_size)
    ]
    for place in product(*axes):
        yield Tap(*zip(*place, strict=True))


def _meeting(problem: ConvProblem, axis: int, tap: int, outputs: slice) -> tuple[slice, slice]:
    """Intersect a range of outputs with those whose tap falls inside of the image, on one axis."""
    stride, length, start = problem.stride[axis], problem.input_size[axis], outputs.start
    offset = tap * problem.dilation[axis] - problem.padding[axis][0]  # output o reads input o * stride + offset
    first = max(start, -(offset // stride))  # ceil(-offset / stride): the first that reads 0 or more
    last = min(outputs.stop - 1, (length - 1 - offset) // stride)
    if first > last:
        return NOTHING, NOTHING
    return slice(first - start, last - start + 1), slice(first * stride + offset, last * stride + offset + 1, stride)


def _channels_first(tensor: Array) -> Array:
    """View (N, C, H, W) as (C, N, H, W)."""
    return array_namespace(tensor).permute_dims(tensor, (1, 0, *range(2, len(tensor.shape))))
