"""The consensus: one case computed by all three references, which must agree to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv import exact
from refconv.catalogue import CaseSpec
from refconv.catalogue.inputs import BUDGETS
from refconv.errors import DisagreementError
from refconv.formats import get_format
from refconv.generate.sampling import computes_all, windows
from refconv.generate.tasks import Task, under, unstated_overflow
from refconv.implementations import RESULT_NAMES, Runner
from refconv.implementations.devices import carried_to
from refconv.judge import judge_tensor, standard_interval
from refconv.quantization import Quantization
from refconv.reference import direct, im2col, sparse
from refconv.reference.choice import suited
from refconv.suite import REFUSED, Case, Expected, Judge
from refconv.suite.model import Result

Array = npt.NDArray[Any]

REFERENCES = (direct, sparse, im2col)
FLOAT64, INT32 = get_format("float64"), get_format("int32")


_device: ContextVar[str] = ContextVar("device", default="cpu")


@contextmanager
def computing_on(device: str) -> Iterator[None]:
    """Let im2col, and the exact engine with it, compute on a device meanwhile."""
    before = _device.set(device)
    try:
        yield
    finally:
        _device.reset(before)


def golden_case(spec: CaseSpec) -> Case:
    """Compute all golden values of a case by all references.

    Raises
    ------
    DisagreementError
        If the references differ anywhere; it names the case, the operation, the element and the values.
    """
    inputs, policies = spec.inputs(), spec.row.policies
    if spec.row.invalid:
        return Case(spec.id, spec.row.comment, spec.flags, "invalid", spec.problem, inputs, {}, refused=spec.operations)

    def golden(policy: str) -> dict[str, Expected]:
        if policy == REFUSED:
            return {}
        return {RESULT_NAMES[operation]: _expected(spec, operation, inputs, policy) for operation in spec.operations}

    expected, alternatives = ({}, {name: golden(name) for name in policies}) if policies else (golden(""), {})
    if spec.row.quantization is not None and not policies:
        _check_roundings(spec, [golden(name)["y"].tensor for name in exact.ROUNDINGS])
    result: Result = "choice" if policies else "valid"
    return Case(spec.id, spec.row.comment, spec.flags, result, spec.problem, inputs, expected, alternatives,
                spec.row.quantization)  # fmt: skip


def agreed(task: Task) -> dict[str, Array]:
    """Compute a task by every reference and return what all of them say.

    Of large problems some references compute a sample, see :mod:`refconv.generate.sampling`.

    Returns
    -------
    dict
        ``tensor`` and ``magnitude`` (S, rounded up); with an accumulator ``terms`` (n), ``lo`` and ``hi`` too.

    Raises
    ------
    DisagreementError
        If they differ in a single bit.
    """
    everybody = [reference for reference in REFERENCES if computes_all(task.problem, task.operation, reference)]
    whole = {reference.name: _compute(task, reference) for reference in everybody}
    _hold_equal(task, whole)
    golden = whole[im2col.name]
    for reference in REFERENCES:
        if reference.name not in whole:
            for window in windows(task):
                part = {name: values[window.at] for name, values in golden.items()}
                _hold_equal(window.task, {im2col.name: part, reference.name: _compute(window.task, reference)})
    return golden


def consult(oracle: Runner, spec: CaseSpec) -> dict[str, str]:
    """Ask an outside oracle, which computes in float64, about every operation of a case.

    Returns
    -------
    dict
        By operation: ``"equal"`` for exact fills, else the largest deviation in units of the float64
        bound, as a hex-float string.  For a choice: the policy that the oracle follows, or that it follows none.

    Raises
    ------
    DisagreementError
        If it differs from the references by more than float64 arithmetic can.
    """
    quantization = spec.row.quantization
    tensors = spec.inputs() if quantization is None else exact.centred(spec.inputs(), quantization)  # what is summed
    inputs = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    if spec.row.invalid:
        return {operation: _refusal(oracle, spec, operation, inputs) for operation in spec.operations}
    opinion = _chosen if spec.row.policies and quantization is None else _opinion
    return {operation: opinion(oracle, spec, operation, inputs) for operation in spec.operations}


def _expected(spec: CaseSpec, operation: str, inputs: dict[str, Array], policy: str) -> Expected:
    accumulator = None if spec.rule == "exact" else spec.accumulator(operation)
    overflow = spec.row.overflow
    task = Task(spec.id, operation, spec.problem, inputs, spec.out_format, accumulator, overflow,
                spec.row.quantization)  # fmt: skip
    golden = agreed(under(policy, task))
    if accumulator is None:
        _check_budget(spec, operation, golden["magnitude"][np.isfinite(golden["tensor"].astype(np.float64))])
        return Expected(golden["tensor"], Judge("exact", overflow=overflow))
    terms = int(golden.pop("terms").max(initial=0))
    return Expected(judge=Judge("standard", accumulator.name, terms, overflow), **golden)


def _hold_equal(task: Task, said: dict[str, dict[str, Array]]) -> None:
    first, *_ = said.values()
    for name in first:
        values = {reference: result[name] for reference, result in said.items()}
        if any(value.tobytes() != first[name].tobytes() for value in values.values()):
            raise DisagreementError(_difference(task, name, values))


def _compute(task: Task, using: Any) -> dict[str, Array]:
    """Compute the result, its interval, S and n by one reference."""
    if task.quantization is not None:
        return _compute_quantized(task, task.quantization, using)
    carry = carried_to(_device.get() if using is im2col else "cpu")
    return {name: exact.fetched(value) for name, value in _computed(task, carry(task.inputs), using).items()}


def _computed(task: Task, inputs: dict[str, Array], using: Any) -> dict[str, Array]:
    """Compute the same where the inputs are."""
    using = suited(using, task.problem)
    total = exact.exact_sum(task.operation, inputs, task.problem, using)
    magnitude = exact.exact_magnitude(task.operation, inputs, task.problem, using)
    overflow = task.overflow or unstated_overflow(task.out_format)
    golden = {"tensor": total.round(task.out_format, overflow)}
    if task.accumulator is None:
        return golden | {"magnitude": magnitude.round(FLOAT64, upward=True)}
    terms = exact.count_terms(task.operation, inputs, task.problem, using)
    interval = standard_interval(total, magnitude, terms, task.accumulator, task.out_format, overflow)
    return golden | interval._asdict() | {"terms": terms}


def _compute_quantized(task: Task, quantization: Quantization, using: Any) -> dict[str, Array]:
    """Compute the int32 accumulators by one reference, and requantise them."""
    plain = replace(task, inputs=exact.centred(task.inputs, quantization), quantization=None, out_format=INT32)
    golden = _compute(plain, using)
    return golden | {"tensor": exact.requantize(golden["tensor"], quantization, task.rounding)}


def _check_roundings(spec: CaseSpec, goldens: list[Array]) -> None:
    """Hold the promise of a quantised case without policies: every way to round gives the same."""
    if any(golden.tobytes() != goldens[0].tobytes() for golden in goldens):
        raise DisagreementError(f"{spec.id}: ways to round differ here, so that the row must state its policies.")


def _difference(task: Task, name: str, values: dict[str, Array]) -> str:
    first, *others = values.values()
    differs = np.any([first != value for value in others], axis=0)
    at = tuple(int(i) for i in np.argwhere(differs)[0]) if differs.any() else (0,) * first.ndim
    said = ", ".join(f"{reference} {value[at]}" for reference, value in values.items())
    return (
        f"{task.case_id}: the references must agree on {task.operation} ({name}), but at {list(at)} they say {said}; "
        f"nothing was written ({task.problem})."
    )


def _check_budget(spec: CaseSpec, operation: str, magnitude: Array) -> None:
    """Hold the promise of exact fills: every partial sum, in any order, fits into the accumulator."""
    narrow = spec.fill == "narrow"
    out = "float32" if spec.row.overflow else spec.out_format.name  # who overflows the output may fill the accumulator
    budget = spec.in_format.largest_integer if narrow else BUDGETS[out]
    largest = magnitude.max(initial=0.0)
    if largest > budget:
        raise DisagreementError(
            f"{spec.id}: sums of an exact fill must stay within {budget}, but {operation} reaches {largest:.0f}."
        )


def _chosen(oracle: Runner, spec: CaseSpec, operation: str, inputs: dict[str, Array]) -> str:
    """Say which policy the oracle follows; what is open for all is open for it."""
    for policy in spec.row.policies:
        if policy == REFUSED:
            if _refuses(oracle, spec, operation, inputs):
                return policy
            continue
        try:
            _opinion(oracle, spec, operation, inputs, policy)
        except DisagreementError:
            continue
        return policy
    return "none of the policies"


def _refusal(oracle: Runner, spec: CaseSpec, operation: str, inputs: dict[str, Array]) -> str:
    if not _refuses(oracle, spec, operation, inputs):
        raise DisagreementError(f"{spec.id}: {oracle.name} must refuse {operation}, but it returns a result.")
    return "refused"


def _refuses(oracle: Runner, spec: CaseSpec, operation: str, inputs: dict[str, Array]) -> bool:
    try:
        oracle.run(operation, inputs, spec.problem)
    except Exception:
        return True
    return False


def _opinion(oracle: Runner, spec: CaseSpec, operation: str, inputs: dict[str, Array], policy: str = "") -> str:
    task = under(policy, Task(spec.id, operation, spec.problem, inputs, FLOAT64, FLOAT64))
    using = suited(im2col, task.problem)
    total = exact.exact_sum(operation, task.inputs, task.problem, using)
    truth = total.round(FLOAT64)
    try:
        said = np.asarray(oracle.run(operation, inputs, spec.problem))
    except Exception as error:
        if 0 in (*task.problem.weight_shape, *task.problem.x_shape):
            return "refused"
        why = str(error).rstrip(".")
        raise DisagreementError(f"{spec.id}: {oracle.name} must answer, but it refuses {operation}: {why}.") from error
    if said.shape != truth.shape:
        raise DisagreementError(f"{spec.id}: {oracle.name} must return shape {truth.shape}, got {said.shape}.")
    if spec.rule == "exact":
        verdict = judge_tensor(said, truth)
    else:
        magnitude = exact.exact_magnitude(operation, task.inputs, task.problem, using)
        terms = exact.count_terms(operation, task.inputs, task.problem, using)
        interval = standard_interval(total, magnitude, terms, FLOAT64, FLOAT64)
        verdict = judge_tensor(said, truth, interval.lo, interval.hi)
    if verdict.first is not None:
        first = verdict.first
        raise DisagreementError(
            f"{spec.id}: {oracle.name} must agree with the references on {operation}, but at {list(first.index)} it "
            f"says {first.got!r} and they {first.expected!r}; nothing was written ({spec.problem})."
        )
    return "equal" if spec.rule == "exact" else verdict.interval_use.hex()
