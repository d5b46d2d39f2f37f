"""Run an implementation on the probes and write down what happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from refconv.diagnosis.predict import Array, Calls
from refconv.diagnosis.probes import Probe, probes
from refconv.formats import FORMATS
from refconv.implementations import CallError, Runner
from refconv.implementations.in_process import blame
from refconv.implementations.places import told
from refconv.judge import judge_tensor
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
    seen = [observe_one(runner, operation, probe) for operation in operations for probe in chosen or probes()]
    return (
        [item for item in seen if isinstance(item, Observation)],
        [item for item in seen if isinstance(item, Refusal)],
    )


def observe_one(runner: Runner, operation: str, probe: Probe) -> Observation | Refusal:
    """Run one operation on one probe, twice in a row."""
    try:
        results = _called(runner, operation, probe), _called(runner, operation, probe)
    except Exception as error:
        return Refusal(operation, probe.name, probe.problem.descriptor, *_blamed(error))
    return _judged(operation, probe, results)


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
        result = np.asarray(runner.run(operation, missing | tensors, problem))
    if result.dtype.kind not in "fiub" and result.dtype.name not in FORMATS:
        raise TypeError(f"the result must be an array of numbers, got {result.dtype}.")
    return result.astype(np.float64)  # a copy, so that a buffer may be used again


def _called(runner: Runner, operation: str, probe: Probe) -> Array:
    return call(runner, operation, probe.copies(), probe.problem)


def _judged(operation: str, probe: Probe, results: Calls) -> Observation:
    truth = probe.truth[operation]
    if any(result.shape != truth.shape for result in results):
        got_shape = next(result.shape for result in results if result.shape != truth.shape)
        wrong, first, error = truth.size, None, float("inf")
    else:
        got_shape = truth.shape
        verdicts = [judge_tensor(result, truth) for result in results]
        verdict = verdicts[0] if verdicts[0].wrong else verdicts[1]
        wrong, first = verdict.wrong, verdict.first
        largest = float(np.abs(truth).max(initial=0)) or 1.0
        error = max(float(np.abs(result - truth).max(initial=0)) for result in results) / largest
    return Observation(
        operation, probe.name, probe.problem.descriptor, truth.size, wrong,
        first.index if first else None, first.expected if first else None, first.got if first else None,
        truth.shape, got_shape, error, np.array_equal(*results, equal_nan=True),
        None if wrong else (), results,
    )  # fmt: skip
