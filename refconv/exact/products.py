"""The fewest float64 convolutions whose exact results add up to an operation.

A convolution of two factors is exact in float64, in any order and on any BLAS, if the magnitudes of the products of
each result add up to at most 2**53 in units of their lowest bit.  Where the factors themselves allow that, one convolution
does; else the factors are cut into slices, as wide as the bound allows, and every pair of slices is convolved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.exact.expansion import Part
from refconv.exact.slicing import SIGNIFICAND, Slice, ceil_log2, extent, is_ordinary, real_slices, share
from refconv.problem import ConvProblem

Float64s = npt.NDArray[np.float64]
Apply = Callable[..., Any]  # of a reference, with the problem as its last argument

WIDEST = 50  # bits of a slice that is cut without scaling
DARING = (2, 1, 0)  # bits beyond what the worst digits would allow, which actual digits may


def products(operation: str, factors: list[Float64s], problem: ConvProblem, apply: Apply) -> list[Part] | None:
    """Compute parts whose exact sum is the operation.

    Parameters
    ----------
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    factors : list of array of float64
        Finite; two of them, or the only one.
    problem : ConvProblem
    apply : callable
        The operation of a reference.

    Returns
    -------
    list of Part, or None
        None where numbers are so large or so small that float64 itself ends.
    """
    extents = [extent(factor) for factor in factors]
    low, high = (sum(ends) for ends in zip(*extents, strict=True))
    terms = ceil_log2(problem.reduction_length(operation))
    if not all(is_ordinary(*ends) for ends in (*extents, (low, high + terms))):
        return None
    if len(factors) == 1:
        return _of_one(factors[0], extents[0], terms, lambda part: apply(part, problem))
    if high + terms - low <= SIGNIFICAND:
        return [Part(apply(*factors, problem), low, high + terms)]
    bound = _bound(operation, factors[0], factors[1], problem)
    if bound <= 2.0 ** (SIGNIFICAND + low):
        return [Part(apply(*factors, problem), low, SIGNIFICAND + low)]
    first, second = _slices(operation, factors, extents, problem)
    return _convolved(operation, first, second, problem, apply)


def _of_one(factor: Float64s, ends: tuple[int, int], terms: int, apply: Apply) -> list[Part]:
    """Add up the slices of a single factor."""
    parts = real_slices(factor, *ends, min(WIDEST, SIGNIFICAND + 1 - max(1, terms)))
    return [Part(apply(part), exponent, exponent + SIGNIFICAND) for exponent, part in parts]


def _bound(operation: str, first: Float64s, second: Float64s, problem: ConvProblem) -> float:
    """Bound the sum of the magnitudes of the products of any result."""
    sizes = np.abs(second)
    if operation == "forward":
        sums = sizes.sum(axis=tuple(range(1, sizes.ndim)))
    elif operation == "grad_weight":
        sums = sizes.sum(axis=(0, *range(2, sizes.ndim)))
    else:
        groups = sizes.reshape(problem.groups, -1, *sizes.shape[1:])
        sums = groups.sum(axis=(1, *range(3, groups.ndim)))
    most = min(sums.max(initial=0.0) * (1 + 2.0**-20), sizes.max(initial=0.0) * problem.reduction_length(operation))
    return float(most) * max(float(first.max(initial=0.0)), -float(first.min(initial=0.0)))


def _slices(
    operation: str, factors: list[Float64s], extents: list[tuple[int, int]], problem: ConvProblem
) -> list[list[Slice]]:
    """Cut both factors so that the fewest pairs are convolved, and hold the bound against every pair."""
    lengths = [high - low + 1 for low, high in extents]
    safe = SIGNIFICAND + 2 - ceil_log2(problem.reduction_length(operation))
    for total in (safe + daring for daring in DARING):
        chosen = [min(WIDEST, width) for width in share(lengths[0], lengths[1], total)]
        cut = [real_slices(factor, *ends, width) for factor, ends, width in zip(factors, extents, chosen, strict=True)]
        pairs = product(*cut)
        if total == safe or all(_fits(operation, one, other, problem) for one, other in pairs):
            return [[(exponent, part) for exponent, part in slices if part.any()] for slices in cut]
    raise AssertionError("the safe widths fit")


def _fits(operation: str, first: Slice, second: Slice, problem: ConvProblem) -> bool:
    return _bound(operation, first[1], second[1], problem) <= math.ldexp(1.0, SIGNIFICAND + first[0] + second[0])


def _convolved(
    operation: str, first: list[Slice], second: list[Slice], problem: ConvProblem, apply: Apply
) -> list[Part]:
    """Convolve every pair; the slices of the second factor side by side, so that columns are made once for all."""
    if problem.groups > 1 or not first or not second:
        return [_part(apply(one, other, problem), e, f) for e, one in first for f, other in second]
    axis, field = {
        "forward": (0, "out_channels"),
        "grad_input": (1, "in_channels"),
        "grad_weight": (1, "out_channels"),
    }[operation]
    wider = replace(problem, **{field: len(second) * getattr(problem, field)})
    beside = np.concatenate([part for _, part in second], axis=axis)
    parts = []
    for exponent, part in first:
        together = apply(part, beside, wider)
        results = np.split(together, len(second), axis=0 if operation == "grad_weight" else 1)
        parts += [_part(result, exponent, other) for result, (other, _) in zip(results, second, strict=True)]
    return parts


def _part(values: Any, first: int, second: int) -> Part:
    return Part(values, first + second, first + second + SIGNIFICAND)
