"""Attempts at the seams of real kernels: where vectors, tiles, fast paths and special shapes begin and end.

Drawn without Hypothesis, whose draws take longer than the calls; what is caught is shrunk by
:mod:`~refconv.diagnosis.hunt.polish`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import count, cycle, product
from random import Random
from typing import Any

from refconv.diagnosis.hunt.attempt import LAYOUTS, Attempt
from refconv.problem import ConvProblem

Pair = tuple[int, int]

SMALL = (1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9)
BLOCKS = (8, 10, 12, 15, 16, 16, 17, 18, 20, 24, 27, 31, 32, 32, 33, 34, 40, 48, 63, 64, 64, 65, 66, 96, 127, 128, 129)
KERNELS = (1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5, 5, 5, 6, 7, 7, 8, 9, 11, 15, 16, 17, 31)
DILATIONS = (1, 1, 2, 2, 2, 3, 4, 6, 8, 9, 12, 16)
OUTPUTS = (1, 2, 3, 3, 4, 5, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 17, 20, 31, 32, 33, 65)
BATCHES = (1,) * 10 + (2,) * 5 + (3, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 0)
COUNTERS = (65537, 1026, 32770, 258, 4097)  # beyond the limits of counters, grids and offsets
LONG = 30  # one attempt of so many
LINES = 0.1  # of the problems
LIMITS = (2**11, 2**11, 2**14, 2**14, 2**17)  # of products


def seam_attempts(random: Random, dtypes: Sequence[str], kinds: Sequence[tuple[str, str]]) -> Iterator[Attempt]:
    """Yield attempts without end: most with plain numbers, some with other formats, fills, layouts or a second call.

    Examples
    --------
    >>> attempts = seam_attempts(Random(1), ["float32"], [("float32", "exact")])
    >>> str(next(attempts).problem)
    'n1c1i1x3-k1w1x3-s1x1-d1x1-p0+0x2+0-g1-o1x3'
    """
    exact = [kind for kind in kinds if kind[1] == "exact"]
    long = cycle(_long())
    for number in count(1):
        problem = _problem(random, random.choice(LIMITS)) if number % LONG else next(long)
        chance = random.random()
        dtype, fill = (dtypes[0], "exact") if chance < 0.75 else random.choice(exact if chance < 0.92 else kinds)
        layout = LAYOUTS[0] if random.random() < 0.8 else random.choice(LAYOUTS)
        again = random.random() < 0.2
        yield Attempt(problem, dtype, fill, bias=random.random() < 0.5, layout=layout, again=again)


def _problem(random: Random, limit: int) -> ConvProblem:
    """Draw until a problem is small enough, and its image is not all padding; all others are legal."""
    while True:
        groups, in_channels, out_channels = _channels(random)
        kernel, dilation = _kernel(random), _dilation(random)
        stride = _stride(random, kernel)
        outputs = _twice(random, OUTPUTS, 0.4)
        padding = _padding(random, kernel, dilation)
        if random.random() < LINES:
            outputs, kernel, stride, dilation = ((1, pair[1]) for pair in (outputs, kernel, stride, dilation))
            padding = ((0, 0), padding[1])
        axes = zip(outputs, kernel, stride, dilation, padding, strict=True)
        size = [(o - 1) * s + d * (k - 1) + 1 - sum(p) + random.choice((0, 0, 1, 2)) % s for o, k, s, d, p in axes]
        batch = random.choice(BATCHES)
        products = max(1, batch) * out_channels * in_channels // groups * math.prod(kernel) * math.prod(outputs)
        if products > limit or min(size) < 1:
            continue
        return ConvProblem(
            batch=batch, in_channels=in_channels, out_channels=out_channels, input_size=(size[0], size[1]),
            kernel_size=kernel, stride=stride, dilation=dilation, padding=padding, groups=groups,
        )  # fmt: skip


def _long() -> Iterator[ConvProblem]:
    """Yield plain problems with one number beyond the limit of a counter."""
    kinds: tuple[dict[str, Any], ...] = (
        {"kernel_size": (1, 1), "stride": (1, 1)},
        {"kernel_size": (1, 2), "stride": (2, 3)},
    )
    for kind, long, name in product(kinds, COUNTERS, ("batch", "in_channels", "out_channels", "height", "width")):
        numbers: dict[str, Any] = {"batch": 1, "in_channels": 1, "out_channels": 1, "height": 2, "width": 2, name: long}
        size = numbers.pop("height"), numbers.pop("width")
        yield ConvProblem(input_size=size, **numbers, **kind)


def _count(random: Random) -> int:
    return random.choice(SMALL if random.random() < 0.6 else BLOCKS)


def _channels(random: Random) -> tuple[int, int, int]:
    """Draw groups, C and K: no groups, depthwise, or a few groups."""
    chance = random.random()
    if chance < 0.6:
        return 1, _count(random), _count(random)
    if chance < 0.8:
        channels = _count(random)
        return channels, channels, channels * random.choice((1, 1, 1, 2, 3))
    groups = random.choice((2, 2, 3, 4, 5, 8, 16, 32))
    return groups, groups * _count(random), groups * _count(random)


def _twice(random: Random, values: Sequence[int], equal: float) -> Pair:
    first = random.choice(values)
    return first, first if random.random() < equal else random.choice(values)


def _kernel(random: Random) -> Pair:
    return _twice(random, KERNELS, 0.6)


def _dilation(random: Random) -> Pair:
    return (1, 1) if random.random() < 0.7 else _twice(random, DILATIONS, 0.4)


def _stride(random: Random, kernel: Pair) -> Pair:
    chance = random.random()
    if chance < 0.5:
        return 1, 1
    return kernel if chance < 0.58 else _twice(random, (1, 2, 2, 2, 3, 4), 0.5)


def _padding(random: Random, kernel: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Draw no padding, that which keeps the size, all that is useful, or any."""
    chance = random.random()
    if chance < 0.35:
        return (0, 0), (0, 0)
    if chance < 0.65:
        half = [d * (k - 1) / 2 for k, d in zip(kernel, dilation, strict=True)]
        return (math.ceil(half[0]), math.floor(half[0])), (math.ceil(half[1]), math.floor(half[1]))
    if chance < 0.7:
        return (kernel[0] - 1,) * 2, (kernel[1] - 1,) * 2
    if chance < 0.8:  # at one side alone
        ends = _twice(random, (0, 1, 1, 2), 0.4)
        return ((0, ends[0]), (0, ends[1])) if random.random() < 0.6 else ((ends[0], 0), (ends[1], 0))
    top, left = _twice(random, (0, 0, 1, 1, 2, 3, 4), 0.5)
    if random.random() < 0.5:
        return (top, top), (left, left)
    return (top, random.choice((0, 1, 2, 3))), (left, random.choice((0, 1, 2, 3)))
