"""What all models make of a case: defects of the geometry, and where numbers are bytes, faults of the numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import floor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from refconv.check.operation import demand
from refconv.diagnosis.defects import Defect, known_defects, transposed_defects
from refconv.diagnosis.kills import Array, Model, predicted
from refconv.exact import centred
from refconv.implementations import ARGUMENTS
from refconv.judge import digest
from refconv.problem import ConvProblem
from refconv.suite import Case, Expected

if TYPE_CHECKING:
    from refconv.diagnosis.faults import Fault


class _Right(Defect):
    """Nothing is wrong."""


@functools.cache
def defect_models() -> Mapping[str, Model]:
    """Return the models of convolutions, transposed ones among them."""
    return MappingProxyType({**known_defects(), **transposed_defects()})


@functools.cache
def suspects() -> Mapping[str, Model | type[Fault]]:
    """Return all models that :func:`suspected` knows to ask, defects first.

    Examples
    --------
    >>> {"kernel-flipped", "weight-zero-point-ignored"} <= set(suspects())
    True
    """
    return MappingProxyType({**defect_models(), **_faults()})


@functools.cache
def _faults() -> Mapping[str, type[Fault]]:
    from refconv.diagnosis.faults import integer_faults  # a tenth of what importing a command takes

    return integer_faults()


def suspected(case: Case, slug: str, operation: str, expected: Expected, wanted: str = "") -> Array | None:
    """Return what a model makes of a case, if it says something of it.

    In a quantised layer a defect is one of the sums, between zero points and scales.

    Parameters
    ----------
    case : Case
    slug : str
        One of :func:`suspects`.
    operation : str
    expected : Expected
        What is right.
    wanted : str
        Where several ways to round are right, the one whose result has this digest is taken, or else the usual one.

    Raises
    ------
    ValueError, IndexError
        If a layer with the bug refuses the problem, or the model has no answer.
    """
    fault = _faults().get(slug)
    if case.quantization is None and fault is None:
        return predicted(case, defect_models()[slug], operation)
    if not isinstance(case.problem, ConvProblem):
        return None
    if case.quantization is None and fault is not None:
        return _of_integers(case, case.problem, fault, operation, expected)
    found = list(_quantised(case, case.problem, slug)) if operation == "forward" else []
    return next((got for got in found if digest(got) == wanted), found[0] if found else None)


def _of_integers(
    case: Case, problem: ConvProblem, fault: type[Fault], operation: str, expected: Expected
) -> Array | None:
    tensors = _tensors(case, operation)
    if any(tensor.dtype.kind not in "iu" for tensor in tensors if tensor is not None):
        return None
    got: Array = getattr(fault(), operation)(*tensors, problem, **demand(case, expected).keywords)
    return got


def _quantised(case: Case, problem: ConvProblem, slug: str) -> Iterator[Array]:
    """Yield what a model makes of a quantised layer, under each way to round that is right."""
    from refconv.diagnosis.faults import Fault

    quantization, fault = case.quantization, _faults().get(slug)
    assert quantization is not None
    sums = None if fault else _wrong_sums(case, defect_models()[slug])
    x, weight, bias = _tensors(case)
    for nearest in ROUNDINGS if case.alternatives else ROUNDINGS[:1]:
        layer = fault() if fault else Fault()
        layer.nearest = nearest
        if fault:
            yield layer.quantized_forward(x, weight, bias, quantization, problem)
        elif sums is not None:
            yield layer.requantized(sums, None, quantization)


def _wrong_sums(case: Case, defect: Model) -> Array | None:
    """Return what a defect makes of the int32 sums; None where they are right."""
    shifted, right = _between_zero_points(case)
    sums = predicted(shifted, defect, "forward")
    if sums is None or not np.isfinite(sums).all() or np.array_equal(sums, right):
        return None
    return np.rint(sums).astype(np.int64)


@functools.lru_cache(maxsize=64)
def _between_zero_points(case: Case) -> tuple[Case, Array]:
    """Return the plain layer inside of a quantised one, and its sums."""
    assert case.quantization is not None
    shifted = replace(case, inputs=centred(case.inputs, case.quantization), quantization=None)
    right = predicted(shifted, _Right, "forward")
    assert right is not None
    return shifted, right


def _tensors(case: Case, operation: str = "forward") -> list[Any]:
    return [case.inputs.get(name) for name in ARGUMENTS[operation]]


def _half_away(real: Fraction) -> int:
    magnitude = floor(abs(real) + Fraction(1, 2))
    return -magnitude if real < 0 else magnitude


def _half_up(real: Fraction) -> int:
    return floor(real + Fraction(1, 2))


ROUNDINGS: tuple[Callable[[Fraction], int], ...] = (round, _half_away, _half_up)
