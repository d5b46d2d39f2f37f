"""The products of single elements of a result: what a few of them are made of, without all the others.

This reads tensors by the definition of the layer and by nothing else, so a reference's own way to the same numbers can
be held against it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]


def factors_of(
    operation: str, factors: list[Array], problem: ConvProblem, elements: tuple[Indices, ...]
) -> tuple[Array, Array]:
    """Return the factors of all products of some elements; those that read padding are zero.

    Parameters
    ----------
    operation : {"forward", "grad_input", "grad_weight"}
    factors : list of array
        Its two tensors, as in :data:`refconv.exact.FACTORS`.
    problem : ConvProblem
    elements : tuple of array of int64
        Their indices, one array of shape (M,) for each axis of the result.

    Returns
    -------
    tuple of array, array
        Both of shape (M, products of each).

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2),
    ...                       padding=((0, 0), (0, 1)))
    >>> x, weight = np.array([[[[3.0, 5.0]]]]), np.array([[[[7.0, 11.0]]]])
    >>> read, weights = factors_of("forward", [x, weight], problem, np.unravel_index(np.array([1]), problem.y_shape))
    >>> read.tolist(), weights.tolist()
    ([[5.0, 0.0]], [[7.0, 11.0]])
    """
    first, second, *places = elements
    made = {"forward": _of_outputs, "grad_input": _of_inputs, "grad_weight": _of_weights}[operation]
    read, met = made(factors, problem, (first, second), places)
    return read.reshape(len(first), -1), met.reshape(len(first), -1)


def _of_outputs(factors: list[Array], problem: ConvProblem, lead: Any, places: list[Indices]) -> tuple[Array, Array]:
    """Of y[n, k, oh, ow]: x[n, c, oh * sH - pH + kh * dH, ...] and weight[k, c, kh, kw], over c, kh, kw."""
    (x, weight), (image, k) = factors, lead
    taps = [np.arange(length) for length in problem.kernel_size]
    read = [_position(problem, axis, o[:, None], tap) for axis, (o, tap) in enumerate(zip(places, taps, strict=True))]
    return _read(x, image[:, None], _inputs_of(problem, k), read), weight[k]


def _of_inputs(factors: list[Array], problem: ConvProblem, lead: Any, places: list[Indices]) -> tuple[Array, Array]:
    """Of grad_input[n, c, ih, iw]: grad_output[n, k, oh, ow] and weight[k, c, kh, kw], over k, kh, kw that reach it."""
    (grad_output, weight), (image, c) = factors, lead
    group, within = np.divmod(c, max(1, weight.shape[1]))
    each = problem.out_channels // problem.groups
    k = group[:, None] * each + np.arange(each)
    read = [
        _output(problem, axis, place[:, None], np.arange(length))
        for axis, (place, length) in enumerate(zip(places, problem.kernel_size, strict=True))
    ]
    return _read(grad_output, image[:, None], k, read), weight[k, within[:, None]]


def _of_weights(factors: list[Array], problem: ConvProblem, lead: Any, places: list[Indices]) -> tuple[Array, Array]:
    """Of grad_weight[k, c, kh, kw]: x[n, c, ...] and grad_output[n, k, oh, ow], over n, oh, ow."""
    (x, grad_output), (k, within) = factors, lead
    outputs = [np.arange(length) for length in problem.output_size]
    read = [
        _position(problem, axis, o, tap[:, None]) for axis, (o, tap) in enumerate(zip(outputs, places, strict=True))
    ]
    c = _inputs_of(problem, k)[np.arange(len(k)), within]
    return _read(x, np.arange(problem.batch), c[:, None], read), grad_output[:, k].swapaxes(0, 1)


def _inputs_of(problem: ConvProblem, k: Indices) -> Indices:
    """Return the channels of x that output channels read: (M, C/G)."""
    each = problem.weight_shape[1]
    group = k // (problem.out_channels // problem.groups)
    channels: Indices = group[:, None] * each + np.arange(each)
    return channels


def _position(problem: ConvProblem, axis: int, output: Indices, tap: Indices) -> tuple[Indices, Array]:
    """Return where an output reads by a tap, and whether that is inside of the image."""
    position = output * problem.stride[axis] - problem.padding[axis][0] + tap * problem.dilation[axis]
    return position, (position >= 0) & (position < problem.input_size[axis])


def _output(problem: ConvProblem, axis: int, place: Indices, tap: Indices) -> tuple[Indices, Array]:
    """Return which output reads a place by a tap, and whether there is one."""
    output, between = np.divmod(place + problem.padding[axis][0] - tap * problem.dilation[axis], problem.stride[axis])
    return output, (between == 0) & (output >= 0) & (output < problem.output_size[axis])


def _read(tensor: Array, image: Indices, channel: Indices, places: list[tuple[Indices, Array]]) -> Array:
    """Read a tensor at (M, images or channels, places of each axis), with zeros where there is nothing to be read."""
    axes = len(places)
    ahead = (..., *[None] * axes)
    spread = [[part[:, None, *_at(axis, axes)] for part in pair] for axis, pair in enumerate(places)]
    inside = math.prod((present for _, present in spread), start=np.True_)
    where = (np.where(present, place, 0) for place, present in spread)
    values: Array = tensor[image[ahead], channel[ahead], *where] * inside
    return values


def _at(axis: int, axes: int) -> list[Any]:
    """Return the indices that spread the last axis to its place among the others."""
    return [slice(None) if other == axis else None for other in range(axes)]
