"""What each defect would compute on each probe."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.diagnosis.defects import Triggered, known_defects
from refconv.diagnosis.defects.resized import resized
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.probes import Probe, probe_named
from refconv.errors import RefconvError
from refconv.implementations import ARGUMENTS

Array = npt.NDArray[Any]
Calls = tuple[Array, Array]  # the results of two calls in a row

NOTHING: Calls = (np.zeros(0),) * 2  # what equals no result

TOLERANCE = 2.0**-20  # of predictions that are no integers: sums that somebody divided


def predict(slug: str, operation: str, probe: Probe) -> Calls:
    """Return what two calls in a row of a defective layer give."""
    return _predict(slug, operation, probe.name)


def shows(slug: str, operation: str, probe: Probe) -> bool:
    """Say whether a defect changes the result of an operation."""
    return operation in known_defects()[slug].operations and not all(
        same(result, probe.truth[operation]) for result in predict(slug, operation, probe)
    )


def fits(slug: str, operation: str, probe: Probe, results: Calls, near: float = 0.0) -> bool:
    """Say whether two calls in a row gave what a defect predicts, or nearly so."""
    expected = predict(slug, operation, probe)
    if operation == "forward" and results[0].shape != expected[0].shape:
        expected = _resized(slug, probe.name)
    pairs = zip(results, expected, strict=True)
    if not near:
        return all(same(*pair) for pair in pairs)
    bound = near * float(np.abs(probe.truth[operation]).max(initial=0))
    return all(
        got.shape == expected.shape and np.allclose(got, expected, rtol=0, atol=bound, equal_nan=True)
        for got, expected in pairs
    )


def same(got: Array, expected: Array) -> bool:
    """Compare integers for equality, and fractions up to a few roundings.

    Examples
    --------
    >>> third = np.ones(1, np.float32) / 3
    >>> same(third + 1e-7, third), same(np.array([4.0 + 1e-6]), np.array([4.0])), same(np.ones(2), np.ones(1))
    (True, False, False)
    """
    if got.shape != expected.shape:
        return False
    differs = got != expected
    if not differs.any():
        return True
    result, target = got[differs], expected[differs].astype(np.float64)
    with np.errstate(invalid="ignore"):
        close = np.abs(result - target) <= TOLERANCE * np.abs(target) * (target != np.rint(target))
    return bool(close.all())


@functools.lru_cache(maxsize=16384)
def _predict(slug: str, operation: str, name: str) -> Calls:
    probe = probe_named(name)
    layer = _layer(slug, operation, probe)
    if layer is None:
        return (probe.truth[operation],) * 2
    arguments = _arguments(operation, probe)
    try:
        first = getattr(layer, operation)(*arguments, probe.problem)
        second = getattr(layer, operation)(*arguments, probe.problem) if known_defects()[slug].stateful else first
    except (RefconvError, ValueError, IndexError):  # a model that knows no such problem
        return NOTHING
    return first, second


@functools.lru_cache(maxsize=4096)
def _resized(slug: str, name: str) -> Calls:
    """Return what two calls in a row give if the output's size follows from the mistake."""
    probe = probe_named(name)
    layer = _layer(slug, "forward", probe)
    if layer is None:
        return NOTHING
    x, weight, bias = _arguments("forward", probe)
    y = resized(layer, x, weight, bias, probe.problem)
    return NOTHING if y is None else (y, y)


def _layer(slug: str, operation: str, probe: Probe) -> Layer | None:
    """Return the layer with a defect; None where its trigger does not hold."""
    layer: Layer = known_defects()[slug]()
    if not isinstance(layer, Triggered):
        return layer
    element = probe.element.dtype
    return layer.layer(operation, probe.problem, element) if layer.holds(operation, probe.problem, element) else None


def _arguments(operation: str, probe: Probe) -> list[Array]:
    """Return the tensors of a call as wide as its result: narrow inputs are integers, which lose nothing."""
    return [probe.tensors[name].astype(probe.truth[operation].dtype) for name in ARGUMENTS[operation]]
