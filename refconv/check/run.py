"""Run an implementation over a suite, one operation of one case at a time."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.check.case_judge import CaseJudge, Finding
from refconv.check.outcomes import Outcome, Report
from refconv.check.policies import Accepted, accepted_of, best_match, known_policies
from refconv.errors import CatalogueError
from refconv.formats import natural_output
from refconv.implementations import PLAIN, RESULT_NAMES, Demand, Runner, as_runner
from refconv.judge import parse_class
from refconv.problem import OPERATIONS
from refconv.suite import REFUSED, Case, Expected, Suite

Array = npt.NDArray[Any]
Progress = Callable[[int, int], None]

REFUSALS = (ValueError, TypeError, AssertionError, RuntimeError)


def check(
    implementation: Any, suite: Suite, select: Iterable[str] = ("*",),
    operations: Iterable[str] = OPERATIONS, progress: Progress | None = None,
    judged_by: str | None = None, strict_statistics: bool = False, policies: Iterable[str] = (),
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
    judged_by : str, optional
        The accuracy class that the implementation claims, such as ``"winograd:4"``, see
        :func:`refconv.judge.parse_class`; every interval is computed again for it.  By default each result
        is judged by what the vectors say.
    strict_statistics : bool
        Let results fail whose errors are larger than rounding explains, see :mod:`refconv.judge.statistics`.
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
    JudgeError
        If there is no such accuracy class.
    SuiteError
        If the suite is damaged.
    """
    runner, wanted = as_runner(implementation), tuple(operations)
    judge = CaseJudge(parse_class(judged_by) if judged_by else None, strict_statistics)
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
        outcomes += _check_case(runner, suite.case(case_id), wanted, judge, claims)
        if progress:
            progress(done, len(ids))
    return Report(runner.name, suite.name, suite.version, tuple(outcomes))


def _check_case(
    runner: Runner, case: Case, operations: tuple[str, ...], judge: CaseJudge, claims: tuple[str, ...]
) -> list[Outcome]:
    accepted = accepted_of(case, claims)
    covered = [name for name in OPERATIONS if name in operations and RESULT_NAMES[name] in accepted]
    return [
        _check_operation(runner, case, operation, judge, accepted[RESULT_NAMES[operation]]) for operation in covered
    ]


def _check_operation(runner: Runner, case: Case, operation: str, judge: CaseJudge, accepted: Accepted) -> Outcome:
    policy, first = next(iter(accepted.items()))
    tensors = {name: np.array(tensor) for name, tensor in case.inputs.items()}  # its own copies, writable
    begin = time.perf_counter()
    try:
        demand = _demand(case, first)
        with np.errstate(all="ignore"):  # infinities and overflows are what some cases are about
            result = runner.run(operation, tensors, case.problem, *([demand] if demand != PLAIN else []))
    except NotImplementedError as error:
        seconds, finding = time.perf_counter() - begin, Finding("UNSUPPORTED", str(error))
    except Exception as error:
        seconds = time.perf_counter() - begin
        policy, finding = _excused(Finding(*_blame(error)), accepted, policy)
    else:
        seconds = time.perf_counter() - begin  # of the call alone: judging may take longer
        changed = _changed(tensors, case)
        judged = {name: judge.find(result, case, operation, truth, changed) for name, truth in accepted.items()}
        policy, finding = best_match(judged)
    return Outcome(
        case.id, operation, finding.status, case.flags, case.comment, case.problem.descriptor,
        next(iter(case.inputs.values())).dtype.name, judge.rule(case, accepted[policy]), finding.message,
        finding.verdict, seconds, finding.statistics, policy,
    )  # fmt: skip


def _excused(finding: Finding, accepted: Accepted, policy: str) -> tuple[str, Finding]:
    """Let a refusal pass where a policy asks for one."""
    if finding.status == "REJECTED" and REFUSED in accepted:
        return REFUSED, Finding("PASS", f"follows the policy {REFUSED}")
    return policy, finding


def _demand(case: Case, expected: Expected | None) -> Demand:
    """Say what nobody would do of himself: another format than the natural one, a stated overflow mode."""
    if case.quantization is not None:
        return Demand(quantization=case.quantization)
    if expected is None:
        return PLAIN
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


def _changed(tensors: dict[str, Array], case: Case) -> list[str]:
    return [name for name, tensor in tensors.items() if tensor.tobytes() != case.inputs[name].tobytes()]
