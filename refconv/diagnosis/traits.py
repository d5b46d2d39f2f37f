"""What problems have in common, and what the shape of a wrong result gives away."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from refconv.problem import ConvProblem

Shape = tuple[int, ...]

TRAITS: dict[str, Callable[[ConvProblem], bool]] = {
    "a stride above 1": lambda p: max(p.stride) > 1,
    "strides that differ": lambda p: len(set(p.stride)) > 1,
    "a dilation above 1": lambda p: max(p.dilation) > 1,
    "padding": lambda p: any(map(sum, p.padding)),
    "pads that differ between the ends of an axis": lambda p: any(begin != end for begin, end in p.padding),
    "pads that differ between the axes": lambda p: len(set(p.padding)) > 1,
    "windows that see nothing but padding": lambda p: any(
        begin >= dilation * (kernel - 1) + 1
        for (begin, _), dilation, kernel in zip(p.padding, p.dilation, p.kernel_size, strict=True)
    ),
    "a kernel that is not square": lambda p: len(set(p.kernel_size)) > 1,
    "a kernel of even extent": lambda p: any(kernel % 2 == 0 for kernel in p.kernel_size),
    "a kernel larger than 3": lambda p: max(p.kernel_size) > 3,
    "a 1x1 kernel": lambda p: max(p.kernel_size) == 1,
    "leftover rows or columns": lambda p: any(
        (length + sum(pads) - dilation * (kernel - 1) - 1) % stride
        for length, pads, dilation, kernel, stride in zip(
            p.input_size, p.padding, p.dilation, p.kernel_size, p.stride, strict=True
        )
    ),
    "groups": lambda p: p.groups > 1,
    "one input channel per group": lambda p: p.groups > 1 and p.groups == p.in_channels,
    "more than four input channels per group": lambda p: p.in_channels // p.groups > 4,
    "another number of images than two": lambda p: p.batch != 2,
}


def telling(wrong: Iterable[ConvProblem], right: Iterable[ConvProblem]) -> list[str]:
    """Return what all wrong problems have and no right one has.

    Examples
    --------
    >>> strided = ConvProblem.from_descriptor("n2c1i5x5-k1w3x3-s2x2-d1x1-p0+0x0+0-g1-o2x2")
    >>> dense = ConvProblem.from_descriptor("n2c1i5x5-k1w3x3-s1x1-d1x1-p0+0x0+0-g1-o3x3")
    >>> telling([strided], [dense])
    ['a stride above 1']
    """
    wrong, right = list(wrong), list(right)
    return [
        name for name, has in TRAITS.items() if right and all(map(has, wrong)) and not any(map(has, right))
    ]  # fmt: skip


def shape_hint(operation: str, problem: ConvProblem, got: Shape) -> str:
    """Say what a result of the wrong shape usually means; empty if it gives nothing away.

    Examples
    --------
    >>> problem = ConvProblem.from_descriptor("n2c1i6x6-k3w3x3-s2x2-d1x1-p0+0x0+0-g1-o2x2")
    >>> shape_hint("forward", problem, (2, 3, 3, 3))
    'the output size is rounded up: leftover rows and columns are floored away'
    """
    expected = problem.shape_of(operation)
    if len(got) == len(expected) and 0 in got and 0 not in expected:
        return "a crop [p:-p] at p = 0, which is empty: crop with [p:p + length]"
    if got[:2] + got[:1:-1] == expected:
        return "height and width are exchanged"
    if operation == "forward" and got == (*expected[:2], *_rounded_up(problem)):
        return "the output size is rounded up: leftover rows and columns are floored away"
    if operation == "grad_input" and got == (*expected[:2], *_padded(problem)):
        return "the gradient of the padded input is returned: crop the padding off"
    if operation == "grad_bias" and len(got) > 1 and math.prod(got) > math.prod(expected):
        return "a sum is missing: grad_bias is summed over images, rows and columns"
    if math.prod(got) == math.prod(expected):
        return "the elements are there, but their axes are in another order or merged"
    return ""


def _rounded_up(problem: ConvProblem) -> Shape:
    axes = zip(_padded(problem), problem.kernel_size, problem.dilation, problem.stride, strict=True)
    return tuple(-(-(length - dilation * (kernel - 1) - 1) // stride) + 1 for length, kernel, dilation, stride in axes)


def _padded(problem: ConvProblem) -> Shape:
    return tuple(length + sum(pads) for length, pads in zip(problem.input_size, problem.padding, strict=True))
