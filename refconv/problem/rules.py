"""What a problem must hold to, each rule with its sentence, and the only output-size formula."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from refconv.errors import GeometryError

if TYPE_CHECKING:
    from refconv.problem.geometry import Geometry

LARGEST = 2**63 - 1


def output_length(length: int, kernel: int, stride: int, dilation: int, padding: tuple[int, int]) -> int:
    """Count the places where a dilated kernel fits along one axis.

    ``floor((length + begin + end - dilation * (kernel - 1) - 1) / stride) + 1``, relationship 15 of
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (arXiv:1603.07285).
    Leftover rows and columns at the end are not read.

    Parameters
    ----------
    length, kernel, stride, dilation : int
        Extent of the input, extent of the kernel, step, and distance between taps (1 is dense),
        in elements.
    padding : (int, int)
        Elements added at the beginning and at the end.

    Returns
    -------
    int
        Zero or less where the kernel does not fit.

    Examples
    --------
    >>> output_length(7, kernel=3, stride=2, dilation=1, padding=(1, 0))
    3
    """
    reach = dilation * (kernel - 1) + 1
    return (length + sum(padding) - reach) // stride + 1


def spread_length(length: int, kernel: int, stride: int, dilation: int) -> int:
    """Count the elements that dilated kernels reach along one axis if each begins one stride after the other.

    Examples
    --------
    >>> spread_length(3, kernel=2, stride=2, dilation=3)
    8
    """
    return (length - 1) * stride + dilation * (kernel - 1) + 1


def taps_per_input(kernel: int, stride: int, dilation: int) -> int:
    """Count the taps of one axis that can meet the same input: those congruent modulo the stride."""
    period = stride // math.gcd(stride, dilation)
    return -(-kernel // period)


def check_axes(problem: Geometry) -> None:
    """Refuse fields that have more or fewer entries than there are axes."""
    axes = len(problem.input_size)
    if axes == 0:
        raise GeometryError(f"input_size must name at least one axis, got {problem.input_size}.")
    for name in ("kernel_size", "stride", "dilation", "padding"):
        value = getattr(problem, name)
        if len(value) != axes:
            raise GeometryError(
                f"{name} must have one entry per axis of input_size, got {name}={value}, "
                f"input_size={problem.input_size}."
            )


def check_extents(problem: Geometry) -> None:
    """Refuse numbers that are too small."""
    least = {"batch": 0, "in_channels": 0, "out_channels": 0, "groups": 1, "input_size": 1,
             "kernel_size": 1, "stride": 1, "dilation": 1}  # fmt: skip
    for name, bound in least.items():
        value = getattr(problem, name)
        if min((value,) if isinstance(value, int) else value) < bound:
            raise GeometryError(f"{name} must be {bound} or more, got {name}={value}.")


def check_crop(problem: Geometry, cropped: str, size: Iterable[int]) -> None:
    """Refuse negative padding, which crops, where it leaves nothing of an axis."""
    for axis, (length, pads) in enumerate(zip(size, problem.padding, strict=True)):
        if -min(pads) >= length:
            raise GeometryError(
                f"padding may be negative, which crops, but must leave an element of {cropped} at either end, "
                f"got {pads} on axis {axis} of {length} elements."
            )


def check_groups(problem: Geometry) -> None:
    """Refuse channels that groups do not divide."""
    for name in ("in_channels", "out_channels"):
        channels = getattr(problem, name)
        if channels % problem.groups:
            raise GeometryError(f"{name} must be divisible by groups, got {name}={channels}, groups={problem.groups}.")


def misfit(problem: Geometry) -> str:
    """Describe the first axis along which the dilated kernel exceeds the padded input; empty if it fits."""
    for axis, length in enumerate(problem.input_size):
        kernel, dilation, pads = problem.kernel_size[axis], problem.dilation[axis], problem.padding[axis]
        reach = dilation * (kernel - 1) + 1
        if reach > length + sum(pads):
            return (
                f"on axis {axis} a reach of {reach} (kernel_size={kernel}, dilation={dilation}) "
                f"in {length + sum(pads)} elements (input_size={length}, padding={pads})"
            )
    return ""


def check_addressable(problem: Geometry) -> None:
    """Refuse tensors that no machine can address."""
    for name in ("x", "weight", "y"):
        shape = problem.shape_of(name)
        if math.prod(shape) > LARGEST or max(shape, default=0) > LARGEST:
            raise GeometryError(f"{name} must hold at most 2**63 - 1 elements, got shape {shape}.")
