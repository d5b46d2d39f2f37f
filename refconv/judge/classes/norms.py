"""Norms of windows and channels, for the algorithms that transform whole tiles; in float64, rounded up."""

from __future__ import annotations

import math

import numpy as np

from refconv.judge.classes.base import Float64s, upward
from refconv.judge.evidence import Evidence


def channel_norm(tensor: Float64s, order: int) -> Float64s:
    """Return the 1-norm or 2-norm of every channel of every entry: (A, B, ...) -> (A, B).

    Examples
    --------
    >>> channel_norm(np.array([[[[3.0, -4.0]]]]), 1).round(3).tolist()
    [[7.0]]
    """
    flat = np.abs(tensor.reshape(*tensor.shape[:2], math.prod(tensor.shape[2:])))
    if order == 1:
        return upward(flat.sum(axis=-1), flat.shape[-1])
    largest = flat.max(axis=-1, initial=0.0)  # scaled, so that squares neither overflow nor vanish
    scaled = flat / np.where(largest > 0, largest, 1.0)[..., None]
    return upward(largest * np.sqrt((scaled * scaled).sum(axis=-1)), 2 * flat.shape[-1] + 4)


def window_maximum(tensor: Float64s, start: tuple[int, ...], length: tuple[int, ...], reach: int) -> Float64s:
    """Return the largest magnitude in every window of an image, which is zero outside of itself.

    Window i begins at ``start + i`` and is ``reach`` elements long, along each of the last axes.

    Examples
    --------
    >>> window_maximum(np.array([[1.0, -5.0, 2.0]]), start=(-1,), length=(4,), reach=2).tolist()
    [[1.0, 5.0, 5.0, 2.0]]
    """
    values, axes = np.abs(tensor), len(start)
    for axis, begin, count in zip(range(tensor.ndim - axes, tensor.ndim), start, length, strict=True):
        last = begin + count + reach - 1
        pads = [(0, 0)] * tensor.ndim
        pads[axis] = (max(0, -begin), max(0, last - values.shape[axis]))
        padded = np.pad(values, pads)
        first = begin + pads[axis][0]
        shifted = (np.take(padded, range(first + i, first + i + count), axis) for i in range(reach))
        values = np.maximum.reduce(list(shifted))
    return values


def over_channels(evidence: Evidence, first: Float64s, second: Float64s) -> Float64s:
    """Add the products of two norms over the channels that an output (or an input) reads.

    Parameters
    ----------
    evidence : Evidence
        Of "forward" or "grad_input".
    first : array, shape (N, C, ...) or (N, K, ...)
        Norms of x or grad_output.
    second : array, shape (K, C/G)
        Norms of the weight.

    Returns
    -------
    array, shape (N, K, ...) or (N, C, ...)
    """
    groups = evidence.problem.groups
    image = first.reshape(first.shape[0], groups, first.shape[1] // groups, *first.shape[2:])
    weight = second.reshape(groups, second.shape[0] // groups, second.shape[1])
    pattern = "ngc...,gkc->ngk..." if evidence.operation == "forward" else "ngk...,gkc->ngc..."
    total = np.einsum(pattern, image, weight)
    out_channels = total.shape[1] * total.shape[2]
    return upward(total.reshape(first.shape[0], out_channels, *first.shape[2:]), weight.shape[1] + weight.shape[2] + 1)
