"""Run one operation of one attempt, and hold everything that is promised against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.diagnosis.hunt.attempt import Attempt
from refconv.formats import get_format
from refconv.implementations import RESULT_NAMES, CallError, Runner
from refconv.implementations.places import told
from refconv.judge import AccuracyClass, Evidence, Verdict
from refconv.judge.classes import Standard

Array = npt.NDArray[Any]
STANDARD = Standard()


@dataclass(frozen=True)
class Catch:
    """A legal problem on which an implementation fails.

    Attributes
    ----------
    attempt : Attempt
    operation : str
    message : str
        What is wrong, in one sentence.
    kind : {"wrong", "raised", "changed", "kept"}
        A wrong result; an exception; inputs that were written to; a result that did not outlive the next call.
    verdict : Verdict or None
        None where the result could not be compared at all.
    result : array or None
        What the implementation returned, where it has the right shape.
    """

    attempt: Attempt
    operation: str
    message: str
    kind: str = "wrong"
    verdict: Verdict | None = None
    result: Array | None = field(default=None, repr=False, compare=False)


def trial(runner: Runner, attempt: Attempt, operation: str, claimed: AccuracyClass | None = None) -> Catch | None:
    """Try one operation.

    The result must be right, of the right shape and dtype; the inputs must be left alone; where the attempt
    asks for it, a second call with other numbers must be right, too, and leave the first result alone.

    Parameters
    ----------
    runner : Runner
    attempt : Attempt
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    claimed : AccuracyClass, optional
        By which results are judged instead of class ``standard``, which asks for equality where nothing rounds.

    Returns
    -------
    Catch or None
        None where nothing is wrong.

    Raises
    ------
    NotImplementedError
        If the implementation does not support it.
    FormatError
        If there is no such fill for the problem.
    """
    first = _Call(runner, attempt, operation, claimed, "first")
    caught = first.judged()
    if caught or not attempt.again:
        return caught
    kept = np.array(first.result)
    second = _Call(runner, attempt, operation, claimed, "again")
    caught = second.judged("in a second call with other numbers of the same shapes, ")
    if caught is None and kept.tobytes() != np.array(first.result).tobytes():
        return Catch(attempt, operation, "the second call changed the result of the first one", "kept")
    return caught


class _Call:
    """One call of an implementation, and what is to be said about it."""

    def __init__(
        self, runner: Runner, attempt: Attempt, operation: str, claimed: AccuracyClass | None, call: str
    ) -> None:
        self.attempt, self.operation, self.claimed = attempt, operation, claimed
        self.pristine, given = attempt.tensors(call), attempt.tensors(call)
        self.result: Any = None
        self.trouble = ""
        try:
            with np.errstate(all="ignore"):
                self.result = runner.run(operation, given, attempt.problem)
        except NotImplementedError:
            raise
        except CallError as error:
            self.trouble = str(error)
        except Exception as error:
            self.trouble = told(error, "raised ", " on a legal problem")
        self.changed = [name for name, tensor in given.items() if tensor.tobytes() != self.pristine[name].tobytes()]

    def judged(self, when: str = "") -> Catch | None:
        """Return what is wrong, if anything."""
        message, verdict, result = self._wrong()
        kind = "raised" if self.trouble else "wrong"
        if not message and self.changed:
            message, kind = f"the result is right, but the call changed its input {', '.join(self.changed)}", "changed"
        return Catch(self.attempt, self.operation, when + message, kind, verdict, result) if message else None

    def _wrong(self) -> tuple[str, Verdict | None, Array | None]:
        if self.trouble:
            return self.trouble, None, None
        name, out = RESULT_NAMES[self.operation], self.attempt.elements.out
        got = _numbers(self.result)
        if got is None:
            return f"{name} must be an array of numbers, got {type(self.result).__name__}", None, None
        shape = self.attempt.problem.shape_of(self.operation)
        if got.shape != shape:
            return f"{name} must have shape {shape}, got {got.shape}", None, None
        evidence = evidence_of(self.attempt, self.operation, self.pristine)
        verdict = None if _is_plainly_right(got, evidence) else (self.claimed or STANDARD).judge(got, evidence)
        if verdict and not verdict.passed:
            return _described(verdict, name), verdict, got
        if got.dtype != out.dtype:
            return f"the values are right, but {name} must be {out}, got {got.dtype.name}", verdict, got
        return "", verdict, got


def _is_plainly_right(got: Array, evidence: Evidence) -> bool:
    """Say whether a result is what float64 gives on inputs on which nothing rounds: then there is nothing to judge."""
    if not evidence.exact_fill:
        return False
    truth = evidence.apply(*evidence.factors)
    return np.array_equal(got.astype(np.float64), truth if evidence.bias is None else truth + evidence.bias)


def evidence_of(attempt: Attempt, operation: str, tensors: Mapping[str, Array]) -> Evidence:
    """Return what is known exactly about one operation of an attempt."""
    out = attempt.elements.out
    overflow = None if out.has_infinity or out.is_integer else "nan"
    return Evidence(operation, tensors, attempt.problem, out, exact_fill=attempt.exact, overflow=overflow)


def _numbers(result: Any) -> Array | None:
    try:
        got = np.asarray(result)
        get_format(got.dtype)
    except Exception:
        return got if isinstance(result, np.ndarray) and result.dtype.kind in "fiub" else None
    return got


def _described(verdict: Verdict, name: str) -> str:
    first = verdict.first
    if first is None:
        return f"every element is allowed, but {verdict.violation}"
    where = f"{name}[{', '.join(map(str, first.index))}]"
    text = f"{verdict.wrong} of {verdict.elements} elements are wrong, first {where}: expected {first.expected:.9g}"
    if first.lo != first.hi:
        text += f" (anything from {first.lo:.9g} to {first.hi:.9g})"
    return f"{text}, got {first.got:.9g}"
