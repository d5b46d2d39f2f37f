"""What defect models make of the cases of a suite, beside what was seen of them."""

from __future__ import annotations

import functools
import math
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.check import Outcome
from refconv.diagnosis.defects import Defect, Triggered
from refconv.diagnosis.defects.resized import resized
from refconv.diagnosis.kills import judge, predicted, rounded, widened
from refconv.diagnosis.products import count_products
from refconv.diagnosis.suspects import defect_models, suspected, suspects
from refconv.implementations import RESULT_NAMES
from refconv.judge import Verdict, digest
from refconv.problem import ConvProblem
from refconv.suite import Case, Expected, Suite

Array = npt.NDArray[Any]

ASK, IDLE, READ = 1.2e-4, 8e-6, 8e-3  # seconds: a small prediction, a model with nothing to say, a group of cases
PRODUCT, SCALE = 3e-9, 3e-6  # seconds: a product more, and a result that is scaled as a fraction
SMALL = 2**25  # bytes of a suite of which many cases stay in memory, for they are asked for again and again
ROUNDING = 2.0**-6  # how much the number of wrong elements may differ where they are judged by an interval


class Models:
    """Lets defect models compute cases, until it becomes too much.

    Parameters
    ----------
    suite : Suite
    seconds : float
        Of computing, as an ordinary machine takes them: they are counted and not measured, so that the same models
        are asked on a slow machine and beside other programs.
    """

    def __init__(self, suite: Suite, seconds: float) -> None:
        self.suite, self._left = suite, seconds
        small = sum(record.files[1].nbytes for record in suite.manifest.groups) <= SMALL
        self._read = functools.lru_cache(maxsize=2048 if small else 64)(suite.case)
        self._group = ""

    @property
    def late(self) -> bool:
        """Whether it has become too much."""
        return self._left <= 0

    def predicts(self, slug: str, outcome: Outcome) -> bool:
        """Say whether a defect predicts a wrong result; no, if that is too much to tell."""
        if refused(outcome):
            return self._refuses(slug, outcome)
        found = self._predicted(slug, outcome)
        if found is None:
            return False
        got, expected = found
        if outcome.verdict is None:
            return outcome.digest in (digest(got), self._resized(slug, outcome, expected))
        if expected.lo is None or got.shape != expected.tensor.shape:
            return digest(got) == outcome.digest
        return _alike(judge(got, expected), outcome.verdict)

    def shows(self, slug: str, outcome: Outcome) -> bool:
        """Say whether a defect would make a result wrong; no, if that is too much to tell."""
        if self._refuses(slug, outcome):
            return True
        found = self._predicted(slug, outcome)
        return found is not None and (found[0].shape != found[1].tensor.shape or not judge(*found).passed)

    def numbers(self, slug: str, outcome: Outcome) -> int:
        """Return 0 if no number is wrong in a result that a defect predicts, 1 if it is one number throughout, else 2.

        Whatever multiplies an infinity by zero gives NaN, and whatever computes nothing gives zeros.
        """
        if refused(outcome) or outcome.verdict is None:
            return 2
        found = self._predicted(slug, outcome)
        if found is None:
            return 0
        got, right = found[0].astype(np.float64), found[1].tensor.astype(np.float64)
        wrong = np.isfinite(got) & (got != right)
        return 1 + bool((got != got.flat[0]).any()) if wrong.any() else 0

    def _refuses(self, slug: str, outcome: Outcome) -> bool:
        model = defect_models().get(slug)
        if model is None or not model.refuses or outcome.operation not in model.operations:
            return False
        if not self._affords(outcome):
            return False
        self._left -= self._cost(outcome)
        try:
            predicted(self._case(outcome.case_id), model, outcome.operation)
        except ValueError:
            return True
        return False

    def _resized(self, slug: str, outcome: Outcome, expected: Expected) -> str:
        """Return the digest of the y whose size follows from the defect; nothing where there is none."""
        layer, case = suspects()[slug](), self._case(outcome.case_id)
        if outcome.operation != "forward" or isinstance(layer, Triggered):
            return ""
        if not isinstance(layer, Defect) or not isinstance(case.problem, ConvProblem):
            return ""
        x, weight, bias = widened(case, "forward")
        with np.errstate(all="ignore"):
            y = resized(layer, x, weight, bias, case.problem)
            return "" if y is None else digest(_rounded(y, expected))

    def _predicted(self, slug: str, outcome: Outcome) -> tuple[Array, Expected] | None:
        if outcome.operation not in suspects()[slug].operations or not self._affords(outcome):
            return None
        case, name = self._case(outcome.case_id), RESULT_NAMES[outcome.operation]
        expected = case.expected.get(name) or case.alternatives.get(outcome.policy, {}).get(name)
        if expected is None:
            return None
        got = None
        with suppress(ValueError, IndexError):  # there is nothing to compute
            got = suspected(case, slug, outcome.operation, expected, outcome.digest)
        self._left -= IDLE if got is None else self._cost(outcome)
        with np.errstate(all="ignore"):
            return None if got is None else (_rounded(got, expected), expected)

    def _affords(self, outcome: Outcome) -> bool:
        """Say whether one more prediction is not too much; once one is, none is made, whatever it would take."""
        if not self.late and self._cost(outcome) > self._left:
            self._left = 0.0
        return not self.late

    def _cost(self, outcome: Outcome) -> float:
        case = self._case(outcome.case_id)
        scaled = SCALE * math.prod(case.problem.y_shape) if case.quantization else 0
        return ASK + PRODUCT * count_products(case.problem) + scaled

    def _case(self, case_id: str) -> Case:
        """Read a case, and pay for it, or for its group where that is not the last one that was read."""
        before, group = self._read.cache_info().misses, case_id.partition("/")[0]
        case = self._read(case_id)
        if self._read.cache_info().misses > before:
            self._left -= ASK if group == self._group else READ
            self._group = group
        return case


def refused(outcome: Outcome) -> bool:
    """Say whether a legal problem was refused; a case that must be refused has no digest either, but is no failure."""
    return outcome.status == "REJECTED"


def _rounded(got: Array, expected: Expected) -> Array:
    """Round what a model computed, once, as its case treats overflow; integers are narrowed as a cast does it."""
    return rounded(got, expected).astype(expected.tensor.dtype)


def _alike(predicted: Verdict, seen: Verdict) -> bool:
    """Say whether two wrong tensors may be the same but for rounding."""
    if not predicted.wrong or abs(predicted.wrong - seen.wrong) > 1 + ROUNDING * seen.wrong:
        return False
    one, other = predicted.first, seen.first
    if one is None or other is None or one.index != other.index:
        return False
    near = abs(other.got - one.got) <= ROUNDING * abs(one.got - one.expected) + (one.hi - one.lo)
    return bool(near and math.isclose(predicted.interval_use, seen.interval_use, rel_tol=2 * ROUNDING, abs_tol=2.0))
