"""Shrink toward the smallest and plainest: bisect, then try every smaller value, and every pair of numbers at once.

A bug that shows for 5, 7 and 17 channels but not for 8 or 16 is a hole that bisection falls into.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from refconv.diagnosis.attributes import lowered
from refconv.diagnosis.hunt.attempt import LAYOUTS, Attempt
from refconv.errors import GeometryError
from refconv.problem import ConvProblem

Numbers = tuple[int, ...]
FEW = 140  # values to try one by one
LEAST: Numbers = (1,) * 12 + (0,) * 4  # of each number of a problem, batch apart
STEPS = range(6, 12)  # the places of kernels, strides and dilations, which size the outputs


def descended(attempt: Attempt, fails: Callable[[Attempt], bool], kinds: Sequence[tuple[str, str]]) -> Attempt:
    """Bring every number as far down as the failure survives, by bisection; again, until nothing changes.

    Parameters are those of :func:`polish`.
    """
    before, tried = None, {attempt}
    while before != attempt:
        before = attempt
        for candidates in (_plainer, *(_lower(place) for place in range(len(LEAST)))):
            for candidate in candidates(attempt, kinds):
                if candidate not in tried and candidate.rank < attempt.rank:
                    tried.add(candidate)
                    if fails(candidate):
                        attempt = candidate
                        break
    return attempt


def _lower(place: int) -> Callable[[Attempt, Sequence[tuple[str, str]]], Iterator[Attempt]]:
    """Lower one number, with the size of the output kept, where that helps."""

    def candidates(attempt: Attempt, _: Sequence[tuple[str, str]]) -> Iterator[Attempt]:
        numbers = _numbers(attempt.problem)
        for lower in lowered(numbers[place], LEAST[place]):
            changed = (*numbers[:place], lower, *numbers[place + 1 :])
            for candidate in (_kept(changed, attempt.problem) if place in STEPS else (), changed):
                problem = _problem(candidate) if candidate else None
                if problem:
                    yield replace(attempt, problem=problem)

    return candidates


def _kept(numbers: Numbers, problem: ConvProblem) -> Numbers:
    """Fit the image to other kernels, strides or dilations, so that the output keeps its size."""
    kernel, stride, dilation, pads = numbers[6:8], numbers[8:10], numbers[10:12], numbers[12:]
    size = [
        (problem.output_size[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1
        - pads[2 * axis] - pads[2 * axis + 1]
        for axis in (0, 1)
    ]  # fmt: skip
    return (*numbers[:4], *(max(1, length) for length in size), *numbers[6:])


def polish(attempt: Attempt, fails: Callable[[Attempt], bool], kinds: Sequence[tuple[str, str]]) -> Attempt:
    """Return a failing attempt none of whose neighbours is simpler and fails.

    Parameters
    ----------
    attempt : Attempt
        One that fails.
    fails : callable
    kinds : sequence of (dtype, fill)
        The simplest first.
    """
    best, tried = attempt, {attempt}
    while True:
        for candidate in _neighbours(best, kinds):
            if candidate in tried or candidate.rank >= best.rank:
                continue
            tried.add(candidate)
            if fails(candidate):
                best = candidate
                break
        else:
            return best


def _neighbours(attempt: Attempt, kinds: Sequence[tuple[str, str]]) -> Iterator[Attempt]:
    yield from _plainer(attempt, kinds)
    numbers = _numbers(attempt.problem)
    changed = (*_plain_axis(numbers), *_ungrouped(numbers), *_one_smaller(numbers), *_two_smaller(numbers))
    for candidate in changed:
        problem = _problem(candidate)
        if problem:
            yield replace(attempt, problem=problem)


def _plainer(attempt: Attempt, kinds: Sequence[tuple[str, str]]) -> Iterator[Attempt]:
    yield replace(attempt, again=False)
    yield replace(attempt, layout=LAYOUTS[0])
    yield replace(attempt, bias=False)
    for dtype, fill in kinds[: kinds.index((attempt.dtype, attempt.fill))]:
        yield replace(attempt, dtype=dtype, fill=fill)


def _numbers(problem: ConvProblem) -> Numbers:
    p = problem
    pads = (size for pair in p.padding for size in pair)
    channels = p.groups, p.in_channels // p.groups, p.out_channels // p.groups
    return (*channels, p.batch, *p.input_size, *p.kernel_size, *p.stride, *p.dilation, *pads)


def _problem(numbers: Numbers) -> ConvProblem | None:
    groups, per_in, per_out, batch, H, W, kH, kW, sH, sW, dH, dW, top, bottom, left, right = numbers
    try:
        return ConvProblem(
            batch=batch, in_channels=groups * per_in, out_channels=groups * per_out, groups=groups,
            input_size=(H, W), kernel_size=(kH, kW), stride=(sH, sW), dilation=(dH, dW),
            padding=((top, bottom), (left, right)),
        )  # fmt: skip
    except GeometryError:
        return None


def _plain_axis(numbers: Numbers) -> Iterator[Numbers]:
    """Make one axis trivial: one row, a kernel of one, no padding."""
    for axis in (0, 1):
        plain = list(numbers)
        plain[4 + axis : 12 : 2] = [1] * 4
        plain[12 + 2 * axis : 14 + 2 * axis] = [0, 0]
        yield tuple(plain)


def _ungrouped(numbers: Numbers) -> Iterator[Numbers]:
    """Keep the channels of one side, or of both, without the groups."""
    groups, per_in, per_out, *others = numbers
    for C, K in ((per_in, per_out * groups), (per_in * groups, per_out), (per_in * groups, per_out * groups)):
        yield (1, C, K, *others)


def _one_smaller(numbers: Numbers) -> Iterator[Numbers]:
    for place, least in enumerate(LEAST):
        for value in _smaller(numbers[place], least):
            yield (*numbers[:place], value, *numbers[place + 1 :])


def _smaller(value: int, least: int) -> list[int]:
    """List all smaller values; of a large one, the first, the last, and those at powers of two."""
    if value <= FEW:
        return list(range(least, value))
    powers = (2**power + more for power in range(FEW.bit_length() - 1, value.bit_length()) for more in (-1, 0, 1, 2))
    return sorted({*range(least, 70), *(power for power in powers if power < value), *range(value - 8, value)})


def _two_smaller(numbers: Numbers) -> Iterator[Numbers]:
    """Move two numbers: both down by one, or one down and the other up, by one or by half of it."""
    for first, second in combinations(range(len(LEAST)), 2):
        halves = numbers[first] // 2, numbers[second] // 2
        steps = [(-halves[0], halves[0]), (halves[1], -halves[1]), (-1, -1), (-1, 1), (1, -1)]
        for down, up in steps:
            moved = list(numbers)
            moved[first] += down
            moved[second] += up
            if moved[first] >= LEAST[first] and moved[second] >= LEAST[second]:
                yield tuple(moved)
