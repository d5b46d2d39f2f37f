"""Hypothesis strategies for attempts, which shrink toward the smallest and plainest problem.

Every number is drawn as a place in a table that ascends from the simplest value and repeats what is
popular in practice.  So the draws are as uneven as they need to be, and still shrink one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from hypothesis import strategies as st

from refconv.catalogue import FILLS
from refconv.diagnosis.hunt.attempt import LAYOUTS, Attempt
from refconv.formats import get_format
from refconv.problem import ConvProblem, output_length

Draw = Callable[[st.SearchStrategy[int]], int]
Table = tuple[int, ...]

FEW = {1: 24, 2: 12, 3: 10, 4: 8, 5: 5, 6: 4, 7: 4, 8: 5, 9: 3}
EDGES = {value: 3 for power in (16, 32, 64) for value in (power - 1, power, power + 1)}


def table(most: int, repeated: dict[int, int], least: int = 1) -> Table:
    """List least ... most in ascending order, some values repeatedly.

    Examples
    --------
    >>> table(4, {1: 3, 3: 2})
    (1, 1, 1, 2, 3, 3, 4)
    """
    return tuple(value for value in range(least, most + 1) for _ in range(repeated.get(value, 1)))


CHANNELS = table(70, FEW | EDGES)
GROUPS = (*table(9, {1: 40, 2: 8, 3: 6, 4: 4}), 16, 31, 32, 33, 64)
KERNEL = table(11, {1: 12, 2: 8, 3: 14, 4: 4, 5: 4, 7: 2})
STRIDE = table(6, {1: 14, 2: 8, 3: 4, 4: 2})
DILATION = table(5, {1: 20, 2: 6, 3: 3})
PAD = table(8, {0: 20, 1: 8, 2: 5, 3: 3}, least=0)
EXTRA = table(69, {0: 16, 1: 14, 2: 12, 3: 8, 4: 8, 5: 6, 6: 4, 7: 4} | EDGES, least=0)
BATCH = (*[1] * 12, *[2] * 5, 3, 3, 0, 4, 5, 7, 8, 9, 15, 16, 17)

INTEGER_FILLS = ("exact", "extremes")
REAL_FILLS = tuple(name for name, fill in FILLS.items() if fill.rule == "standard")


def kinds(dtypes: Sequence[str], plain: bool) -> tuple[tuple[str, str], ...]:
    """List the pairs of number format and fill, the simplest first; ``plain``: the first format, exact."""
    if plain:
        return ((dtypes[0], "exact"),)
    pairs = product(("exact", "extremes", *REAL_FILLS), dtypes)
    return tuple((dtype, fill) for fill, dtype in pairs if fill in _fills_of(dtype))


def _fills_of(dtype: str) -> tuple[str, ...]:
    return INTEGER_FILLS if get_format(dtype).is_integer else ("exact", *REAL_FILLS)


@st.composite
def problems(draw: Draw, limit: int) -> ConvProblem:
    """Draw a legal problem of at most about ``limit`` products."""

    def pick(values: Table, room: int) -> int:
        return draw(st.sampled_from([value for value in values if value <= max(room, values[0])]))

    batch, groups = pick(BATCH, limit), pick(GROUPS, limit)
    work = groups * max(1, batch)
    kernel = pick(KERNEL, 11), pick(KERNEL, 11)
    dilation = pick(DILATION, 5), pick(DILATION, 5)
    stride = pick(STRIDE, 6), pick(STRIDE, 6)
    padding = (pick(PAD, 8), pick(PAD, 8)), (pick(PAD, 8), pick(PAD, 8))
    work *= kernel[0] * kernel[1]
    least = [max(1, d * (k - 1) + 1 - sum(p)) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    outputs = [output_length(*axis) for axis in zip(least, kernel, stride, dilation, padding, strict=True)]
    work *= max(1, outputs[0]) * max(1, outputs[1])
    in_channels = pick(CHANNELS, limit // work)
    work *= in_channels
    out_channels = pick(CHANNELS, limit // work)
    work *= out_channels
    size = []
    for axis, shortest in enumerate(least):
        extra = pick(EXTRA, limit // work * stride[axis])
        work *= 1 + extra // stride[axis]
        size.append(shortest + extra)
    return ConvProblem(
        batch=batch, in_channels=groups * in_channels, out_channels=groups * out_channels,
        input_size=tuple(size), kernel_size=kernel, stride=stride, dilation=dilation, padding=padding, groups=groups,
    )  # fmt: skip


def attempts(dtypes: Sequence[str], plain: bool, limit: int) -> st.SearchStrategy[Attempt]:
    """Draw attempts: the problem first, then what else may be unusual."""
    return st.tuples(
        problems(limit), st.booleans(), st.sampled_from((*LAYOUTS[:1] * 5, *LAYOUTS[1:])),
        st.sampled_from((False, False, True)), st.sampled_from(kinds(dtypes, plain)),
    ).map(lambda drawn: Attempt(drawn[0], *drawn[4], bias=drawn[1], layout=drawn[2], again=drawn[3]))  # fmt: skip
