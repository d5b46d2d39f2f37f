"""Run an implementation on the probes and write down what happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from refconv.diagnosis.predict import Array, Calls
from refconv.diagnosis.probes import Probe, probes
from refconv.formats import FORMATS
from refconv.implementations import CallError, Runner, SessionRunner
from refconv.implementations.in_process import blame
from refconv.implementations.places import told
from refconv.problem import OPERATIONS, ConvProblem


@dataclass(frozen=True)
class Observation:
    """One operation on one probe, called twice in a row.

    Attributes
    ----------
    operation, probe, problem : str
        ``problem`` is the descriptor.
    elements, wrong : int
        Of the first call, or of the second if that is where it went wrong; all, if the shape is.
    index, expected, got
        The first wrong element; None where nothing is wrong or the shape is.
    expected_shape, got_shape : tuple of int
    error : float
        The largest difference, as a share of the largest correct result; infinite for a wrong shape.
    repeatable : bool
        Whether both calls gave the same.
    matches : tuple of str or None
        The defects that predict this very result; empty where nothing is wrong, None where nobody asked.
    near : float
        What counts as equal, as a share of the largest correct result; zero, unless everything is inexact.
    """

    operation: str
    probe: str
    problem: str
    elements: int
    wrong: int
    index: tuple[int, ...] | None
    expected: float | None
    got: float | None
    expected_shape: tuple[int, ...]
    got_shape: tuple[int, ...]
    error: float
    repeatable: bool
    matches: tuple[str, ...] | None
    results: Calls = field(repr=False, compare=False)
    near: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """An operation on a probe that gave no result to judge; the status, that of an answer, says how, the reason why."""

    operation: str
    probe: str
    problem: str
    status: str
    reason: str

    @property
    def unsupported(self) -> bool:
        """Whether it is not offered at all."""
        return self.status == "UNSUPPORTED"


def observe(
    runner: Runner, chosen: Sequence[Probe] = (), operations: Sequence[str] = OPERATIONS
) -> tuple[list[Observation], list[Refusal]]:  # fmt: skip
    """Run operations on the chosen probes, or on all of the usual ones."""
    seen = list(observed(runner, ((operation, probe) for operation in operations for probe in chosen or probes())))
    return (
        [item for item in seen if isinstance(item, Observation)],
        [item for item in seen if isinstance(item, Refusal)],
    )


def observed(runner: Runner, asked: Iterable[tuple[str, Probe]]) -> Iterator[Observation | Refusal]:
    """Run operations on probes, twice in a row each; another process is at the next while the last is judged."""
    waiting: deque[tuple[str, Probe, Iterator[Array]]] = deque()
    for operation, probe in asked:
        waiting.append((operation, probe, _results(runner, operation, probe)))
        if len(waiting) > 1:
            yield _seen(*waiting.popleft())
    yield from (_seen(*item) for item in waiting)


def observe_one(runner: Runner, operation: str, probe: Probe) -> Observation | Refusal:
    """Run one operation on one probe, twice in a row."""
    return next(observed(runner, [(operation, probe)]))


def _results(runner: Runner, operation: str, probe: Probe) -> Iterator[Array]:
    """Ask for the same twice; the results are there when they are taken."""
    if isinstance(runner, SessionRunner):
        return map(_as_float64, runner.repeated(operation, probe.copies(), probe.problem, 2))
    return (call(runner, operation, probe.copies(), probe.problem) for _ in range(2))


def _seen(operation: str, probe: Probe, results: Iterator[Array]) -> Observation | Refusal:
    try:
        first, second = results
    except Exception as error:
        return Refusal(operation, probe.name, probe.problem.descriptor, *_blamed(error))
    return _judged(operation, probe, (first, second))


def _blamed(error: Exception) -> tuple[str, str]:
    """Return the status of what was raised instead of a result, and its first line."""
    if isinstance(error, CallError):
        status, reason = error.status, str(error)
    else:
        status = "UNSUPPORTED" if isinstance(error, NotImplementedError) else blame(error)[0]
        reason = told(error)
    return status, (reason.splitlines() or [""])[0].rstrip(": ")


def call(runner: Runner, operation: str, tensors: dict[str, Array], problem: ConvProblem) -> Array:
    """Run an operation once, and return its result as float64; tensors that are not given are zero."""
    dtype = next(iter(tensors.values())).dtype
    missing = {name: np.zeros(problem.shape_of(name), dtype) for name in ("x", "weight", "grad_output")}
    with np.errstate(all="ignore"):  # the warnings of someone else's arithmetic
        return _as_float64(np.asarray(runner.run(operation, missing | tensors, problem)))


def _as_float64(result: Array) -> Array:
    """Return a copy, so that a buffer may be used again."""
    if result.dtype.kind not in "fiub" and result.dtype.name not in FORMATS:
        raise TypeError(f"the result must be an array of numbers, got {result.dtype}.")
    return result.astype(np.float64)


def _judged(operation: str, probe: Probe, results: Calls) -> Observation:
    truth = probe.truth[operation]
    got_shape = next((result.shape for result in results if result.shape != truth.shape), truth.shape)
    index, expected, got = None, None, None
    wrong, error = truth.size, float("inf")
    if got_shape == truth.shape:
        bad = [np.flatnonzero(result != truth) for result in results]
        first, places = (results[0], bad[0]) if len(bad[0]) else (results[1], bad[1])
        wrong, error = len(places), 0.0
        if wrong:
            index = tuple(int(i) for i in np.unravel_index(places[0], truth.shape))
            expected, got = float(truth[index]), float(first[index])
            largest = float(np.abs(truth).max(initial=0)) or 1.0
            error = max(float(np.abs(result - truth).max(initial=0)) for result in results) / largest
    return Observation(
        operation, probe.name, probe.problem.descriptor, truth.size, wrong, index, expected, got, truth.shape,
        got_shape, error, np.array_equal(*results, equal_nan=True), None if wrong else (), results,
    )  # fmt: skip
