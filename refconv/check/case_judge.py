"""What to say about one result: by the vectors' own rule, or by the class that an implementation claims."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.formats import NumberFormat, get_format
from refconv.implementations import RESULT_NAMES
from refconv.judge import AccuracyClass, Evidence, Statistics, Verdict, companion, digest, judge_tensor
from refconv.judge.classes import Standard
from refconv.suite import Case, Expected

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Finding:
    """What came of one call."""

    status: str
    message: str = ""
    verdict: Verdict | None = None
    statistics: Statistics | None = None
    digest: str = ""


@dataclass(frozen=True)
class CaseJudge:
    """Judges the results of a run.

    Attributes
    ----------
    claimed : AccuracyClass or None
        By which every result is judged; None for the rules of the vectors.
    strict : bool
        Whether suspicious statistics are a failure.
    """

    claimed: AccuracyClass | None = None
    strict: bool = False

    def rule(self, case: Case, expected: Expected | None) -> str:
        """Say by what a result is judged."""
        if expected is None:
            return "refusal"
        own = expected.judge
        claimed = self._claimed_for(case)
        if claimed is not None:
            return claimed.name
        return own.rule if own.accumulator is None else f"{own.rule}:{own.accumulator}, n <= {own.terms}"

    def find(self, got: Array, case: Case, operation: str, expected: Expected | None, changed: list[str]) -> Finding:
        """Judge what a call returned; ``changed`` names the inputs that it wrote to."""
        if expected is None:
            return Finding("FAIL", "must be refused by an error, got a result")
        name, truth = RESULT_NAMES[operation], expected.tensor
        if got.shape != truth.shape:
            return Finding("FAIL", f"{name} must have shape {truth.shape}, got {got.shape}", digest=digest(got))
        evidence = _evidence(case, operation, expected)
        claimed = self._claimed_for(case)
        verdict = _verdict(claimed, got, expected, evidence)
        if not verdict.passed:
            return Finding("FAIL", _wrong(verdict, name), verdict, digest=digest(got))
        message = _side_effects(got, truth, name, changed)
        if message:
            return Finding("FAIL", message, verdict)
        return self._with_statistics(got, verdict, evidence, _accumulator(claimed, expected, evidence))

    def _claimed_for(self, case: Case) -> AccuracyClass | None:
        """Return the claimed class, but none where no bound applies: choices, quantised layers, special values."""
        if self.claimed is None or case.result != "valid" or case.quantization is not None:
            return None
        return self.claimed if _finite(case.inputs.values()) else None

    def _with_statistics(
        self, got: Array, verdict: Verdict, evidence: Evidence, accumulator: NumberFormat | None
    ) -> Finding:
        if accumulator is None or accumulator.is_integer:
            return Finding("PASS", "", verdict)
        inputs = (tensor for tensor in evidence.tensors.values() if tensor is not None)
        statistics = companion(got, evidence, accumulator) if _finite([got, *inputs]) else None
        if statistics is None or not statistics.suspicious:
            return Finding("PASS", "", verdict, statistics)
        message = (
            f"every element is allowed, but the errors are {statistics.rms:.3g} times (rms) and up to "
            f"{statistics.largest:.3g} times what rounding in {accumulator} usually makes (a model, not a proof)"
        )
        return Finding("FAIL" if self.strict else "SUSPICIOUS", message, verdict, statistics)


def _verdict(claimed: AccuracyClass | None, got: Array, expected: Expected, evidence: Evidence) -> Verdict:
    if claimed is None:
        return judge_tensor(got, expected.tensor, expected.lo, expected.hi)
    return claimed.judge(got, evidence)


def _finite(tensors: Iterable[Array]) -> bool:
    return all(np.isfinite(tensor.astype(np.float64)).all() for tensor in tensors)


def _accumulator(claimed: AccuracyClass | None, expected: Expected, evidence: Evidence) -> NumberFormat | None:
    """Return the accumulator whose usual errors the model knows: that of class ``standard`` alone."""
    if claimed is None:
        own = expected.judge.accumulator
        return None if own is None else get_format(own)
    return claimed.format(evidence) if type(claimed) is Standard else None


def _evidence(case: Case, operation: str, expected: Expected) -> Evidence:
    out = get_format(expected.tensor.dtype)
    overflow = expected.judge.overflow or (None if out.has_infinity or out.is_integer else "nan")  # NaN if unsaid
    exact_fill = expected.judge.rule == "exact"
    return Evidence(operation, case.inputs, case.problem, out, exact_fill, overflow, golden=expected.tensor)


def _side_effects(got: Array, truth: Array, name: str, changed: list[str]) -> str:
    if got.dtype != truth.dtype:
        return f"the values are right, but {name} must be {truth.dtype.name}, got {got.dtype.name}"
    if changed:
        return f"the result is right, but the call changed its input {', '.join(changed)}"
    return ""


def _wrong(verdict: Verdict, name: str) -> str:
    first = verdict.first
    if first is None:
        return f"every element is allowed, but {verdict.violation}"
    where = f"{name}[{', '.join(map(str, first.index))}]"
    text = f"{verdict.wrong} of {verdict.elements} elements are wrong, first {where}: expected {first.expected:.9g}"
    if first.lo != first.hi:
        text += f" (anything from {first.lo:.9g} to {first.hi:.9g})"
    return f"{text}, got {first.got:.9g}"
