"""The fewest convolutions whose exact results add up to an operation.

A convolution of two factors is exact in float64, in any order and on any BLAS, if the magnitudes of the products of
each result add up to at most 2**53 in units of their lowest bit; and in float32, with 2**24.  Where the factors
themselves allow that, one convolution does; else they are cut into slices, as wide as float64 allows, and every pair
is convolved.
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
from refconv.exact.slicing import (
    SIGNIFICAND,
    Reals,
    Slice,
    as_float64,
    ceil_log2,
    count_slices,
    is_ordinary,
    largest_magnitude,
    real_slices,
    share,
)
from refconv.problem import Problem

Float64s = npt.NDArray[np.float64]
Apply = Callable[..., Any]  # of a reference, with the problem as its last argument
Extent = tuple[int, int]

CARRIERS = ((np.float32, 24, 100), (np.float64, SIGNIFICAND, math.inf))  # bits, and how far the lowest may be from 1
WIDEST = 50  # bits of a slice that is cut without scaling
DARING = tuple(product(range(3), range(3)))  # bits of slices and of first slices beyond what the worst digits allow
TRIES = 2  # of cuts that actual digits may allow
GAIN = 8  # bits by which the bound from the actual values may be better, or it is not worth computing

# Slices of the second factor stand side by side on this axis, as if they were so many more channels.
BESIDE = {"forward": (0, "out_channels"), "grad_input": (1, "in_channels"), "grad_weight": (1, "out_channels")}


def products(
    operation: str, factors: list[Reals], extents: list[Extent], problem: Problem, apply: Apply
) -> list[Part] | None:
    """Compute parts whose exact sum is the operation.

    Parameters
    ----------
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    factors : list of array of float64 or float32
        Finite; two of them, or the only one.
    extents : list of (int, int)
        Theirs.
    problem : ConvProblem
    apply : callable
        The operation of a reference.

    Returns
    -------
    list of Part, or None
        None where numbers are so large or so small that float64 itself ends.
    """
    low, high = (sum(ends) for ends in zip(*extents, strict=True))
    terms = ceil_log2(problem.reduction_length(operation))
    if not all(is_ordinary(*ends) for ends in (*extents, (low, high + terms))):
        return None
    if len(factors) == 1:
        parts = real_slices(as_float64(factors[0]), extents[0], min(WIDEST, SIGNIFICAND + 1 - terms))
        return [Part(apply(part, problem), exponent, exponent + SIGNIFICAND) for exponent, part in parts]
    carrier = _carrier(operation, factors, (low, high + terms), problem)
    if carrier is None:
        return _convolved(operation, factors, extents, problem, apply)
    kind, digits = carrier
    return [Part(apply(*carried(factors, kind), problem), low, min(high + terms, low + digits))]


def takes_several(operation: str, factors: list[Reals], extents: list[Extent], problem: Problem) -> bool:
    """Tell whether :func:`products` would convolve slices, one with another."""
    low, high = (sum(ends) for ends in zip(*extents, strict=True))
    top = high + ceil_log2(problem.reduction_length(operation))
    ordinary = all(is_ordinary(*ends) for ends in (*extents, (low, top)))
    return ordinary and len(factors) == 2 and _carrier(operation, factors, (low, top), problem) is None


def with_problem(operation: str, using: Any) -> Apply:
    """Return an operation of a reference, without bias."""
    if operation == "forward":
        return lambda x, weight, problem: using.forward(x, weight, None, problem)
    function: Apply = getattr(using, operation)
    return function


def _carrier(operation: str, factors: list[Reals], ends: Extent, problem: Problem) -> tuple[Any, int] | None:
    """Return the narrowest format that holds every sum of products, so that one convolution is exact, and its bits."""
    low, high = ends
    for kind, digits, reach in CARRIERS:
        if abs(low) > reach or any(factor.dtype.itemsize > np.dtype(kind).itemsize for factor in factors):
            continue
        if high <= low + digits:
            return kind, digits
        if high <= low + digits + GAIN and _bound(operation, factors, problem) <= math.ldexp(1.0, low + digits):
            return kind, digits
    return None


def carried(factors: list[Reals], kind: Any) -> list[Reals]:
    """Make the smaller of two factors one of this kind, as is all that is computed with it."""
    smaller = min(factors, key=lambda factor: factor.size)
    return [factor.astype(kind, copy=False) if factor is smaller else factor for factor in factors]


def _bound(operation: str, factors: list[Reals], problem: Problem) -> float:
    """Bound the sum of the magnitudes of the products of any result."""
    return largest_magnitude(factors[0]) * _norm(operation, factors[1], problem)


def _norm(operation: str, second: Reals, problem: Problem) -> float:
    """Bound the sum of the magnitudes of all that one element of the first factor's size can meet in one result."""
    sizes = np.abs(second)
    if operation == "forward":
        sums = sizes.sum(axis=tuple(range(1, sizes.ndim)))
    elif operation == "grad_weight":
        sums = sizes.sum(axis=(0, *range(2, sizes.ndim)))
    else:
        groups = sizes.reshape(problem.groups, len(sizes) // problem.groups, *sizes.shape[1:])
        sums = groups.sum(axis=(1, *range(3, groups.ndim)))
    added = sizes.size / max(1, sums.size)
    rounded_up: float = largest_magnitude(sums) * (1 + 2 * added * float(np.finfo(sizes.dtype).eps))
    return min(rounded_up, largest_magnitude(sizes) * problem.reduction_length(operation))


def _convolved(
    operation: str, factors: list[Reals], extents: list[Extent], problem: Problem, apply: Apply
) -> list[Part]:
    """Cut both factors so that the fewest pairs are convolved, holding the bound against every pair."""
    safe = SIGNIFICAND + 2 - ceil_log2(problem.reduction_length(operation))
    needed = _pairs(extents, safe)
    cuts = [([(low, max(low, high - spare)) for low, high in extents], safe + daring) for daring, spare in DARING]
    fewer = [cut for cut in cuts if _pairs(*cut) < needed]
    for ends, total in sorted(fewer, key=lambda cut: _pairs(*cut))[:TRIES]:
        first, second, beside = _cut(operation, factors, ends, total, problem)
        if _all_fit(operation, first, second, problem):
            return _of_pairs(operation, first, second, beside, problem, apply)
    first, second, beside = _cut(operation, factors, extents, safe, problem)
    return _of_pairs(operation, first, second, beside, problem, apply)


def _widths(extents: list[Extent], total: int) -> list[int]:
    lengths = [high - low + 1 for low, high in extents]
    return [min(WIDEST, width) for width in share(lengths[0], lengths[1], total)]


def _pairs(extents: list[Extent], total: int) -> int:
    return math.prod(count_slices(ends, width) for ends, width in zip(extents, _widths(extents, total), strict=True))


def _cut(
    operation: str, factors: list[Reals], extents: list[Extent], total: int, problem: Problem
) -> tuple[list[Slice], list[Slice], Float64s | None]:
    """Slice both factors, the second one side by side, so that columns are made once for all of its slices.

    Side by side, these would not be in their groups: then there is nothing beside.

    Where the given extents fall short of a factor's, its first slice takes the bits that are missing.
    """
    widths = _widths(extents, total)
    first = real_slices(factors[0], extents[0], widths[0])
    count, axis = count_slices(extents[1], widths[1]), BESIDE[operation][0]
    if problem.groups > 1:
        return first, real_slices(as_float64(factors[1]), extents[1], widths[1]), None
    shape = list(factors[1].shape)
    shape[axis] *= count
    beside = np.empty(shape, like=factors[1])
    return first, real_slices(factors[1], extents[1], widths[1], np.split(beside, count, axis)), beside


def _all_fit(operation: str, first: list[Slice], second: list[Slice], problem: Problem) -> bool:
    """Tell whether no pair's results can leave 53 bits."""
    sizes = max(math.ldexp(largest_magnitude(part), -exponent) for exponent, part in first)
    norms = max(math.ldexp(_norm(operation, part, problem), -exponent) for exponent, part in second)
    return sizes * norms <= 2.0**SIGNIFICAND


def _of_pairs(
    operation: str, first: list[Slice], second: list[Slice], beside: Float64s | None, problem: Problem, apply: Apply
) -> list[Part]:
    """Convolve every pair."""
    if beside is None:
        return [_part(apply(one, other, problem), e, f) for e, one in first for f, other in second]
    field = BESIDE[operation][1]
    wider, parts = replace(problem, **{field: len(second) * getattr(problem, field)}), []
    for exponent, part in first:
        results = np.split(apply(part, beside, wider), len(second), axis=0 if operation == "grad_weight" else 1)
        parts += [_part(result, exponent, other) for result, (other, _) in zip(results, second, strict=True)]
    return parts


def _part(values: Any, first: int, second: int) -> Part:
    return Part(values, first + second, first + second + SIGNIFICAND)
