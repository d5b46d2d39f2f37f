"""Depthwise layers for :mod:`refconv.reference.im2col`: one input channel per group, taps as multiply-adds.

A matrix product with one row and one column per channel would be all overhead.  Instead, a channel is padded
and split into its stride phases, each a plane whose rows follow each other in memory.  There a tap is one long
run: the outputs of the whole channel are the run at the tap's offset, times its weight.  The run is as wide as
the plane, so that what it holds beyond the last output column is left out in the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device, is_numpy_array

from refconv.problem import ConvProblem

Array = Any  # of any array API namespace

MULTIPLIERS = 4  # output channels per group beyond which a matrix product pays
CACHE = 2**20  # bytes that the planes and runs of a block may take, or one channel if that needs more


class Run(NamedTuple):
    """One kernel tap: the phase that it reads, and where in the plane its outputs begin and end."""

    kernel: tuple[int, ...]
    phase: tuple[int, ...]
    places: slice


class Room(NamedTuple):
    """Memory that every block uses again: what lies between the numbers of planes and of wide stays zero."""

    planes: Array  # (n, c, sH, sW, plane)
    wide: Array  # (n, c, outputs at the width of a plane)
    product: Array  # (n, c, length)


class Layout(NamedTuple):
    """The planes of a problem: rows of outputs, at the width of the padded phases."""

    problem: ConvProblem
    plane: tuple[int, ...]  # extents of a phase
    wide: tuple[int, ...]  # extents of the outputs within a plane
    length: int  # from the first output to the last
    runs: tuple[Run, ...]


def serves(problem: ConvProblem) -> bool:
    """Tell whether a problem is depthwise, and its planes are not much larger than its tensors.

    Examples
    --------
    >>> serves(ConvProblem(batch=1, in_channels=8, out_channels=8, groups=8, input_size=(9, 9), kernel_size=(3, 3)))
    True
    """
    if problem.weight_shape[1] != 1 or not 0 < problem.out_channels <= MULTIPLIERS * problem.groups:
        return False
    padded = math.prod(_layout(problem).plane) * math.prod(problem.stride)
    return padded <= 4 * (math.prod(problem.input_size) + math.prod(problem.output_size))


def forward(y: Array, x: Array, weight: Array, problem: ConvProblem) -> None:
    """Write the layer to y."""
    times = _multiplier(y)
    for images, layout, outputs, kernels, sources, room in _blocks(problem, y, weight):
        planes = _fill_planes(room.planes, x[images, sources, ...], layout)
        total = room.wide[..., : layout.length]
        first, *others = layout.runs
        begun = times(planes[:, :, *first.phase, first.places], kernels[:, *first.kernel, None], total)
        if begun is not total:
            total[...] = begun
        for run in others:
            total += times(planes[:, :, *run.phase, run.places], kernels[:, *run.kernel, None], room.product)
        y[images, outputs, ...] = _narrow(room.wide, layout)


def grad_input(gradient: Array, grad_output: Array, weight: Array, problem: ConvProblem) -> None:
    """Add the layer's adjoint to a gradient of zeros."""
    times = _multiplier(gradient)
    for images, layout, outputs, kernels, sources, room in _blocks(problem, gradient, weight):
        nabla, planes = _fill_wide(room.wide, grad_output[images, outputs, ...], layout), room.planes
        planes[...] = 0
        for run in layout.runs:
            planes[:, :, *run.phase, run.places] += times(nabla, kernels[:, *run.kernel, None], room.product)
        target, whole = gradient[images, sources, ...], _split(planes, layout)
        for phase, inside, read in _phases(layout):
            target[:, :, *read] += whole[:, :, *phase, *inside]


def grad_weight(gradient: Array, x: Array, grad_output: Array, problem: ConvProblem) -> None:
    """Add the sums of products to a gradient of zeros."""
    xp = array_namespace(gradient)
    for images, layout, outputs, kernels, sources, room in _blocks(problem, gradient, gradient):
        nabla = _fill_wide(room.wide, grad_output[images, outputs, ...], layout)
        planes = _fill_planes(room.planes, x[images, sources, ...], layout)
        for run in layout.runs:
            sums = xp.vecdot(planes[:, :, *run.phase, run.places], nabla)
            kernels[:, *run.kernel] += xp.sum(sums, axis=0, dtype=gradient.dtype)


@lru_cache(maxsize=16)
def _layout(problem: ConvProblem) -> Layout:
    axes = zip(problem.output_size, problem.kernel_size, problem.dilation, problem.stride, strict=True)
    plane = tuple(length + dilation * (kernel - 1) // stride for length, kernel, dilation, stride in axes)
    length = 1 + _offset([extent - 1 for extent in problem.output_size], plane)
    return Layout(problem, plane, (problem.output_size[0], *plane[1:]), length, tuple(_runs(problem, plane, length)))


def _runs(problem: ConvProblem, plane: tuple[int, ...], length: int) -> Iterator[Run]:
    """Find the run of every tap."""
    for kernel in product(*map(range, problem.kernel_size)):
        reach = [tap * dilation for tap, dilation in zip(kernel, problem.dilation, strict=True)]
        steps = [divmod(distance, stride) for distance, stride in zip(reach, problem.stride, strict=True)]
        start = _offset([step for step, _ in steps], plane)
        yield Run(kernel, tuple(phase for _, phase in steps), slice(start, start + length))


def _offset(position: Any, plane: tuple[int, ...]) -> int:
    """Return where in the memory of a plane a position lies."""
    offset = 0
    for place, extent in zip(position, plane, strict=True):
        offset = offset * extent + place
    return offset


def _blocks(problem: ConvProblem, like: Array, weight: Array) -> Iterator[tuple[Any, ...]]:
    """Cut into images and channels: yields images, layout, channels of y, their kernels, channels of x, and room."""
    layout, each = _layout(problem), problem.out_channels // problem.groups
    xp = array_namespace(like)
    kernels = xp.reshape(xp.astype(weight, like.dtype, copy=False), (problem.groups, each, *problem.kernel_size))
    shapes = (*problem.stride, math.prod(layout.plane)), (math.prod(layout.wide),), (layout.length,)
    size = getattr(like.dtype, "itemsize", 8) * sum(map(math.prod, shapes))
    channels = max(1, min(problem.groups, CACHE // size))
    images = max(1, min(problem.batch, CACHE // (size * channels)))
    memory = [xp.zeros((images, channels, *shape), dtype=like.dtype, device=device(like)) for shape in shapes]
    for image, channel, which in product(
        range(0, problem.batch, images), range(0, problem.groups, channels), range(each)
    ):
        batch = slice(image, min(problem.batch, image + images))
        part = slice(channel, min(problem.groups, channel + channels))
        of_y = slice(part.start * each + which, (part.stop - 1) * each + which + 1, each)
        room = Room(*(array[: batch.stop - batch.start, : part.stop - part.start, ...] for array in memory))
        yield batch, layout, of_y, kernels[part, which, ...], part, room


def _phases(layout: Layout) -> Iterator[tuple[tuple[int, ...], list[slice], list[slice]]]:
    """Find, for every phase, which places of its plane hold inputs, and which inputs these are."""
    p = layout.problem
    for phase in product(*map(range, p.stride)):
        inside, read = [], []
        for axis, first in enumerate(phase):
            stride, begin, extent = p.stride[axis], p.padding[axis][0], layout.plane[axis]
            skipped = max(0, -((first - begin) // stride))  # place q holds input q * stride + first - begin
            start = skipped * stride + first - begin
            count = max(0, min(extent - skipped, -((start - p.input_size[axis]) // stride)))
            inside.append(slice(skipped, skipped + count) if count else slice(0, 0))
            read.append(slice(start, start + (count - 1) * stride + 1, stride) if count else slice(0, 0))
        yield phase, inside, read


def _fill_planes(planes: Array, x: Array, layout: Layout) -> Array:
    """Split channels into their phases; the padding around them is there."""
    whole = _split(planes, layout)
    for phase, inside, read in _phases(layout):
        whole[:, :, *phase, *inside] = x[:, :, *read]
    return planes


def _split(planes: Array, layout: Layout) -> Array:
    """View planes with their axes."""
    return array_namespace(planes).reshape(planes, (*planes.shape[:-1], *layout.plane), copy=False)


def _narrow(wide: Array, layout: Layout) -> Array:
    """View the outputs, without what lies between them."""
    whole = array_namespace(wide).reshape(wide, (*wide.shape[:2], *layout.wide), copy=False)
    return whole[:, :, *(slice(0, length) for length in layout.problem.output_size)]


def _fill_wide(wide: Array, grad_output: Array, layout: Layout) -> Array:
    """Lay outputs out as wide as the plane, and return the run of them."""
    _narrow(wide, layout)[...] = grad_output
    return wide[..., : layout.length]


def _multiplier(like: Array) -> Callable[[Array, Array, Array], Array]:
    """Return the product of a run and weights: in memory that is there, where NumPy makes it."""
    multiply = array_namespace(like).multiply
    if is_numpy_array(like):
        return lambda run, weights, room: multiply(run, weights, out=room)
    return lambda run, weights, room: multiply(run, weights)
