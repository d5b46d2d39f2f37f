"""Run an implementation over a suite, one operation of one case at a time."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.check.outcomes import Outcome, Report
from refconv.check.policies import Accepted, accepted_of, best_match, known_policies
from refconv.errors import CatalogueError
from refconv.formats import natural_output
from refconv.implementations import PLAIN, RESULT_NAMES, Demand, Runner, as_runner
from refconv.judge import Verdict, judge_tensor
from refconv.problem import OPERATIONS
from refconv.suite import Case, Expected, Suite

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]

REFUSALS = (ValueError, TypeError, AssertionError, RuntimeError)


def check(
    implementation: Any, suite: Suite, select: Iterable[str] = ("*",),
    operations: Iterable[str] = OPERATIONS, progress: Progress | None = None, policies: Iterable[str] = (),
) -> Report:  # fmt: skip
    """Judge an implementation on the cases of a suite.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes: a function with PyTorch's signature, or
        an object with forward, grad_input, grad_weight and grad_bias, or some of them.
    suite : Suite
    select : iterable of str
        Shell patterns over case ids.
    operations : iterable of str
        Those to run.
    progress : callable, optional
        Called as ``progress(done, total)`` after every case.
    policies : iterable of str
        Those that the implementation claims to follow.  A choice is judged strictly by the claimed policy;
        without a claim it passes if it matches any of its alternatives, and the outcome names the policy.

    Returns
    -------
    Report

    Raises
    ------
    CatalogueError
        If no case matches, an operation or policy is unknown, or two claimed policies contradict each other.
    SuiteError
        If the suite is damaged.
    """
    runner, wanted = as_runner(implementation), tuple(operations)
    unknown = sorted(set(wanted) - set(OPERATIONS))
    if unknown:
        raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)}.")
    claims = known_policies(policies)
    patterns = tuple(select)
    ids = suite.select(patterns)
    if not ids:
        raise CatalogueError(f"no case of suite {suite.name!r} matches {', '.join(patterns)}.")
    outcomes: list[Outcome] = []
    for done, case_id in enumerate(ids, start=1):
        outcomes += _check_case(runner, suite.case(case_id), wanted, claims)
        if progress:
            progress(done, len(ids))
    return Report(runner.name, suite.name, suite.version, tuple(outcomes))


def _check_case(runner: Runner, case: Case, operations: tuple[str, ...], claims: tuple[str, ...]) -> list[Outcome]:
    accepted = accepted_of(case, claims)
    covered = [name for name in OPERATIONS if name in operations and RESULT_NAMES[name] in accepted]
    return [_check_operation(runner, case, operation, accepted[RESULT_NAMES[operation]]) for operation in covered]


def _check_operation(runner: Runner, case: Case, operation: str, accepted: Accepted) -> Outcome:
    policy, expected = next(iter(accepted.items()))
    tensors = {name: np.array(tensor) for name, tensor in case.inputs.items()}  # its own copies, writable
    begin = time.perf_counter()
    try:
        demand = _demand(case, expected)
        result = runner.run(operation, tensors, case.problem, *([demand] if demand != PLAIN else []))
    except NotImplementedError as error:
        status, message, verdict = "UNSUPPORTED", str(error), None
    except Exception as error:
        status, message, verdict = *_blame(error), None
    else:
        changed = _changed(tensors, case)
        judged = {name: _judge(result, truth, RESULT_NAMES[operation], changed) for name, truth in accepted.items()}
        policy, (status, message, verdict) = best_match(judged)
    seconds = time.perf_counter() - begin
    return Outcome(
        case.id, operation, status, case.flags, case.comment, case.problem.descriptor,
        next(iter(case.inputs.values())).dtype.name, _rule(expected), message, verdict, seconds, policy,
    )  # fmt: skip


def _demand(case: Case, expected: Expected) -> Demand:
    """Say what nobody would do of himself: another format than the natural one, a stated overflow mode."""
    if case.quantization is not None:
        return Demand(quantization=case.quantization)
    natural = natural_output(next(iter(case.inputs.values())).dtype)
    out, overflow = expected.tensor.dtype.name, expected.judge.overflow
    usual = "infinity" if natural.has_infinity else None
    return Demand(out if out != natural.name else None, overflow if overflow != usual else None)


def _blame(error: Exception) -> tuple[str, str]:
    """Tell a refusal from a breakdown: errors like IndexError are nobody's way to refuse a problem."""
    own = type(error) is Exception or not hasattr(builtins, type(error).__name__)
    reason = f"{type(error).__name__}: {error}".rstrip(": ")
    if own or type(error) in REFUSALS:
        return "REJECTED", f"refused a legal problem with {reason}"
    return "ERROR", f"broke down with {reason}"


def _judge(result: Any, expected: Expected, name: str, changed: list[str]) -> tuple[str, str, Verdict | None]:
    truth = expected.tensor
    try:
        got = np.asarray(result)
        numeric = got.dtype.kind in "fiub" or got.dtype == truth.dtype
    except Exception:
        numeric = False
    if not numeric:
        return "ERROR", f"{name} must be an array of numbers, got {type(result).__name__}", None
    if got.shape != truth.shape:
        return "FAIL", f"{name} must have shape {truth.shape}, got {got.shape}", None
    verdict = judge_tensor(got, truth, expected.lo, expected.hi)
    if not verdict.passed:
        return "FAIL", _wrong(verdict, name), verdict
    if got.dtype != truth.dtype:
        return "FAIL", f"the values are right, but {name} must be {truth.dtype.name}, got {got.dtype.name}", verdict
    if changed:
        return "FAIL", f"the result is right, but the call changed its input {', '.join(changed)}", verdict
    return "PASS", "", verdict


def _wrong(verdict: Verdict, name: str) -> str:
    first = verdict.first
    assert first is not None
    where = f"{name}[{', '.join(map(str, first.index))}]"
    text = f"{verdict.wrong} of {verdict.elements} elements are wrong, first {where}: expected {first.expected:.9g}"
    if first.lo != first.hi:
        text += f" (anything from {first.lo:.9g} to {first.hi:.9g})"
    return f"{text}, got {first.got:.9g}"


def _changed(tensors: dict[str, Array], case: Case) -> list[str]:
    return [name for name, tensor in tensors.items() if tensor.tobytes() != case.inputs[name].tobytes()]


def _rule(expected: Expected) -> str:
    judge = expected.judge
    return judge.rule if judge.accumulator is None else f"{judge.rule}({judge.accumulator}), n <= {judge.terms}"
