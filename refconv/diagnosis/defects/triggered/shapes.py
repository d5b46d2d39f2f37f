"""What triggers ask of a problem."""

from __future__ import annotations

import math

from refconv.problem import ConvProblem


def kernel_is(problem: ConvProblem, *kernel: int) -> bool:
    """Say whether the kernel has these extents."""
    return problem.kernel_size == kernel


def steps_one(problem: ConvProblem) -> bool:
    """Say whether stride and dilation are 1: the precondition of most fast paths."""
    return set(problem.stride + problem.dilation) == {1}


def is_depthwise(problem: ConvProblem) -> bool:
    """Say whether each input channel is a group of its own."""
    return problem.groups == problem.in_channels > 1


def is_square(problem: ConvProblem) -> bool:
    """Say whether the image is as high as wide."""
    return len(set(problem.input_size)) == 1


def is_padded(problem: ConvProblem) -> bool:
    """Say whether there is any padding."""
    return any(map(sum, problem.padding))


def is_asymmetric(problem: ConvProblem) -> bool:
    """Say whether the pads of some axis differ between its ends."""
    return any(begin != end for begin, end in problem.padding)


def is_same(problem: ConvProblem) -> bool:
    """Say whether the pads are those of SAME padding, the larger half at the end."""
    return all(_same_pads(problem, axis) == problem.padding[axis] for axis in range(len(problem.input_size)))


def inputs_per_group(problem: ConvProblem) -> int:
    """Return C/G."""
    return problem.in_channels // problem.groups


def outputs_per_group(problem: ConvProblem) -> int:
    """Return K/G."""
    return problem.out_channels // problem.groups


def reach(problem: ConvProblem, axis: int) -> int:
    """Return the extent of the dilated kernel."""
    return problem.dilation[axis] * (problem.kernel_size[axis] - 1) + 1


def positions(problem: ConvProblem) -> int:
    """Return oH·oW."""
    return math.prod(problem.output_size)


def tail(length: int, block: int) -> int:
    """Return what blocks leave over of a length that fills one at least; else 0."""
    return length % block if length > block else 0


def whole(length: int, block: int) -> int:
    """Return how much of a length whole blocks cover."""
    return length // block * block


def rounded_up(length: int, block: int) -> int:
    """Return the length of all blocks that a length touches."""
    return -(-length // block) * block


def _same_pads(problem: ConvProblem, axis: int) -> tuple[int, int]:
    length, stride = problem.input_size[axis], problem.stride[axis]
    total = max(0, (-(-length // stride) - 1) * stride + reach(problem, axis) - length)
    return total // 2, total - total // 2
