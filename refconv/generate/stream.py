"""The endless stream of small exact cases behind the tier ``accumulated``; ``docs/accumulated.md`` is its recipe.

A case is one problem with tensors of its own, and its four results.  Everything follows from SHAKE-256 and integer
arithmetic: 64 consecutive cases, a block, share the geometry, each case draws its own numbers.  All are nonzero
integers of at most 127, and no sum of magnitudes reaches 2**24, so that every result is exact in float32 in any order.
A block is computed in one go, its cases being so many more groups of one convolution.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256, shake_256
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv import exact
from refconv.errors import CatalogueError
from refconv.fills.bits import bits
from refconv.formats import get_format
from refconv.problem import OPERATIONS, ConvProblem
from refconv.reference import im2col

Array = npt.NDArray[Any]
Range = tuple[int, int]

BLOCK = 64  # consecutive cases that share a geometry
LARGEST = 127  # of the magnitudes of all numbers
FLOAT32 = get_format("float32")
TENSORS = ("x", "weight", "bias", "grad_output")  # in the order in which a case draws them


class Family(NamedTuple):
    """Between which ends the numbers of a geometry are drawn, both included; kernels and what follows by axis."""

    groups: Range
    inputs: Range  # C/G
    outputs: Range  # K/G
    kernel: Range
    stride: Range
    dilation: Range
    padding: Range


FAMILIES = {
    "plain": Family((1, 1), (1, 4), (1, 5), (1, 3), (1, 1), (1, 1), (0, 2)),
    "asymmetric": Family((1, 3), (1, 3), (1, 3), (1, 4), (1, 3), (1, 3), (0, 2)),
    "grouped": Family((2, 4), (1, 3), (1, 3), (1, 3), (1, 2), (1, 2), (0, 2)),
    "depthwise": Family((2, 8), (1, 1), (1, 2), (1, 4), (1, 2), (1, 2), (0, 2)),
}


def family_of(name: str) -> Family:
    """Return a family by its name.

    Raises
    ------
    CatalogueError
        If there is none.
    """
    if name not in FAMILIES:
        raise CatalogueError(f"family must be one of {', '.join(FAMILIES)}, got {name!r}.")
    return FAMILIES[name]


def geometry(name: str, block: int) -> ConvProblem:
    """Draw the problem of a block.

    Examples
    --------
    >>> geometry("asymmetric", 0).descriptor
    'n2c1i6x4-k1w1x3-s3x1-d1x1-p2+1x0+0-g1-o3x2'
    """
    family = family_of(name)
    words = iter((bits(f"accumulated/{name}/geometry/{block}", (17,)) >> np.uint64(16)).tolist())

    def draw(ends: Range) -> int:
        return ends[0] + int(next(words)) % (ends[1] - ends[0] + 1)

    batch, groups, inputs, outputs = draw((1, 2)), draw(family.groups), draw(family.inputs), draw(family.outputs)
    kernel, stride, dilation = ((draw(ends), draw(ends)) for ends in (family.kernel, family.stride, family.dilation))
    pads = [(draw(family.padding), draw(family.padding)) for _ in range(2)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    size = tuple(max(1, length - sum(pair)) + draw((0, 5)) for length, pair in zip(reach, pads, strict=True))
    return ConvProblem(
        batch=batch, in_channels=groups * inputs, out_channels=groups * outputs, input_size=size, kernel_size=kernel,
        stride=stride, dilation=dilation, padding=tuple(pads), groups=groups,
    )  # fmt: skip


def tensors(name: str, cases: range, problem: ConvProblem) -> dict[str, Array]:
    """Draw the numbers of cases of one block: one array for each tensor, with the cases along a new first axis."""
    sizes = [math.prod(problem.shape_of(tensor)) for tensor in TENSORS]
    drawn = b"".join(_draw(name, case, sum(sizes)) for case in cases)
    words = np.frombuffer(drawn, dtype="<u2").reshape(len(cases), sum(sizes)).astype(np.float64)
    values = np.floor(words / 2) % LARGEST + 1
    values *= 1 - 2 * (words % 2)
    parts = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    return {tensor: part.reshape(-1, *problem.shape_of(tensor)) for tensor, part in zip(TENSORS, parts, strict=True)}


def results(drawn: dict[str, Array], problem: ConvProblem) -> dict[str, Array]:
    """Compute all operations of cases exactly, in float32, with the cases along the first axis."""
    count = len(drawn["bias"])
    whole = replace(
        problem, in_channels=count * problem.in_channels, out_channels=count * problem.out_channels,
        groups=count * problem.groups,
    )  # fmt: skip
    beside = {name: _beside(name, values) for name, values in drawn.items()}
    found = {}
    for operation in OPERATIONS:
        total = exact.exact_sum(operation, beside, whole, im2col).round(FLOAT32)
        found[operation] = _apart(operation, total, count)
    return found


def digest(name: str, cases: range) -> bytes:
    """Return the SHA-256 of the results of cases of one block: case after case, in the order of the operations."""
    problem = geometry(name, cases.start // BLOCK)
    found = results(tensors(name, cases, problem), problem)
    rows = [found[operation].reshape(len(cases), -1) for operation in OPERATIONS]
    return sha256(np.concatenate(rows, axis=1).astype("<f4").tobytes()).digest()


def blocks(cases: range) -> Iterator[range]:
    """Cut a range of cases where the geometry changes."""
    for start in range(cases.start - cases.start % BLOCK, cases.stop, BLOCK):
        yield range(max(start, cases.start), min(start + BLOCK, cases.stop))


def _draw(name: str, case: int, count: int) -> bytes:
    return shake_256(f"refconv/1/accumulated/{name}/{case}".encode()).digest(2 * count)


def _beside(name: str, values: Array) -> Array:
    """Turn (cases, N, C, ...) into (N, cases * C, ...), and (cases, K, ...) into (cases * K, ...)."""
    if name in ("x", "grad_output"):
        values = np.moveaxis(values, 0, 1)
        return values.reshape(len(values), -1, *values.shape[3:])
    return values.reshape(-1, *values.shape[2:])


def _apart(operation: str, values: Array, count: int) -> Array:
    """Undo :func:`_beside`."""
    if operation in ("forward", "grad_input"):
        return np.moveaxis(values.reshape(len(values), count, -1, *values.shape[2:]), 1, 0)
    return values.reshape(count, -1, *values.shape[1:])
