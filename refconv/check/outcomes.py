"""What became of every case: the records that reports are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from refconv.check.causes import Cause
from refconv.check.rules import RuleSummary, summarise
from refconv.check.xfails import Xfail
from refconv.judge import Element, Statistics, Verdict

STATUSES = (
    "PASS", "SUSPICIOUS", "XFAIL", "FAIL", "XPASS", "UNSUPPORTED", "REJECTED", "ERROR", "CRASH", "TIMEOUT",
)  # fmt: skip
FAILURES = ("FAIL", "XPASS", "REJECTED", "ERROR", "CRASH", "TIMEOUT")


@dataclass(frozen=True)
class Outcome:
    """The outcome of one operation of one case.

    Attributes
    ----------
    case_id : str
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    status : str
        ``PASS``; ``SUSPICIOUS``: within the interval, but with larger errors than rounding usually makes,
        a finding and no failure; ``FAIL``: a wrong result; ``UNSUPPORTED``: the implementation does not offer it;
        ``REJECTED``: it refused a legal problem; ``ERROR``: it broke down, or returned no tensor;
        ``CRASH``: its process died; ``TIMEOUT``: it did not answer in time; ``XFAIL``: it failed as its
        authors say it does; ``XPASS``: it passed though they say that it fails, which is a failure.
    flags : tuple of str
        The bugs that the case hunts.
    comment : str
        What the case is.
    descriptor : str
        The problem in one word, see :attr:`refconv.ConvProblem.descriptor`.
    element : str
        The number format of the inputs.
    rule : str
        How the result was judged: ``"exact"``, or ``"standard:float32, n <= 27"``; the accuracy class
        stands before the comma.
    message : str
        One sentence; empty for ``PASS``, except that a choice names the policy it follows.
    verdict : Verdict or None
        The numbers, where a tensor could be judged.
    seconds : float
        How long the call took.
    statistics : Statistics or None
        The errors in units of those that rounding usually makes, where the model has something to say.
    policy : str
        For a choice: the policy that the result follows, or against which it was judged.
    xfail : Xfail or None
        The entry by which this outcome was expected, or was expected to be a failure.
    digest : str
        Of the wrong tensor that a plain call gave, see :func:`refconv.judge.digest`; so a prediction can be compared
        with it to the last bit, and nothing large is kept.  Empty for all other outcomes.
    """

    case_id: str
    operation: str
    status: str
    flags: tuple[str, ...]
    comment: str
    descriptor: str
    element: str
    rule: str
    message: str = ""
    verdict: Verdict | None = None
    seconds: float = 0.0
    statistics: Statistics | None = None
    policy: str = ""
    xfail: Xfail | None = None
    digest: str = ""

    @property
    def failed(self) -> bool:
        """Whether this outcome makes the run fail."""
        return self.status in FAILURES

    @property
    def family(self) -> str:
        """The group of the case, which names its family, number format and fill."""
        return self.case_id.partition("/")[0]

    @property
    def accuracy_class(self) -> str:
        """The class that judged it: the rule without its numbers."""
        return self.rule.partition(",")[0]

    @property
    def first(self) -> Element | None:
        """The first wrong element, in C order."""
        return self.verdict.first if self.verdict else None

    @property
    def worst(self) -> Element | None:
        """The element with the largest error in units of the bound."""
        return self.verdict.worst if self.verdict else None


@dataclass(frozen=True)
class Report:
    """All outcomes of one implementation over one suite.

    Attributes
    ----------
    implementation : str
    suite, version : str
        The name and date of the vectors.
    outcomes : tuple of Outcome
        In the order of the suite.
    warnings : tuple of str
        Sentences about the run that are no failures, such as entries of expected failures that match nothing.
    causes : tuple of Cause
        The known defects that predict failures, those of most failures first; none, unless
        :func:`refconv.diagnosis.with_causes` has looked for them.
    not_looked_at : int
        How many wrong results there was no time to look for a cause of.
    """

    implementation: str
    suite: str
    version: str
    outcomes: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    not_looked_at: int = 0

    @property
    def passed(self) -> bool:
        """Whether something was executed and nothing failed."""
        return self.executed > 0 and not self.failures

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that make the run fail."""
        return tuple(outcome for outcome in self.outcomes if outcome.failed)

    def cause_of(self, outcome: Outcome) -> Cause | None:
        """Return the cause that predicts an outcome, if one was found."""
        return next((cause for cause in self.causes if (outcome.case_id, outcome.operation) in cause.failures), None)

    @property
    def executed(self) -> int:
        """How many operations were run, whatever came of them; unsupported ones were not."""
        return sum(outcome.status != "UNSUPPORTED" for outcome in self.outcomes)

    @property
    def executed_cases(self) -> int:
        """How many cases had at least one operation run."""
        return len({outcome.case_id for outcome in self.outcomes if outcome.status != "UNSUPPORTED"})

    def known(self) -> dict[Xfail, int]:
        """Count the expected failures by the entry that expects them, in the order in which they occur."""
        return dict(Counter(o.xfail for o in self.outcomes if o.xfail and o.status == "XFAIL"))

    def count(self, statuses: Iterable[str] = STATUSES) -> dict[str, int]:
        """Count the outcomes by status."""
        found = Counter(outcome.status for outcome in self.outcomes)
        return {status: found[status] for status in statuses}

    def occurring(self) -> list[str]:
        """List the statuses that the tables show: those that occur, and PASS and FAIL."""
        return [status for status, count in self.count().items() if count or status in ("PASS", "FAIL")]

    def by_rule(self) -> list[RuleSummary]:
        """Sum up what each accuracy class said, in the order in which they first occur."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            if outcome.verdict is not None:
                groups.setdefault(outcome.accuracy_class, []).append(outcome)
        return [summarise(rule, [(o.verdict, o.status) for o in found if o.verdict]) for rule, found in groups.items()]

    def policies(self) -> dict[str, int]:
        """Count, over the choices that passed, the operations that followed each policy."""
        return dict(sorted(Counter(o.policy for o in self.outcomes if o.policy and o.status == "PASS").items()))

    def by_operation(self) -> dict[str, dict[str, int]]:
        """Count the outcomes by operation and status."""
        table: dict[str, Any] = {}
        for outcome in self.outcomes:
            row = table.setdefault(outcome.operation, dict.fromkeys(STATUSES, 0))
            row[outcome.status] += 1
        return table

    @cached_property
    def _failing_shares(self) -> dict[tuple[str, str], float]:
        seen: Counter[tuple[str, str]] = Counter()
        bad: Counter[tuple[str, str]] = Counter()
        for outcome in self.outcomes:
            if outcome.status != "UNSUPPORTED":
                keys = [(outcome.operation, flag) for flag in outcome.flags]
                seen.update(keys)
                bad.update(keys if outcome.failed else ())
        return {key: bad[key] / count for key, count in seen.items()}

    def failing_share(self, operation: str, flag: str) -> float:
        """Return the share of the executed outcomes of an operation with a flag that failed, from 0 to 1."""
        return self._failing_shares.get((operation, flag), 0.0)

    def summary(self) -> str:
        """Say in one line what was executed and what came of it."""
        counts = self.count()
        words = [f"{counts[status]} {status.lower()}" for status in STATUSES if counts[status] or status == "PASS"]
        cases = len({outcome.case_id for outcome in self.outcomes})
        return (
            f"{self.implementation} on {self.suite} {self.version}: {self.executed} of {len(self.outcomes)} operations "
            f"executed in {cases} cases, {', '.join(words)}."
        )
