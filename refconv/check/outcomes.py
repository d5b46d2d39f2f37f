"""What became of every case: the records that reports are made of."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from refconv.check.causes import Cause
from refconv.check.rules import RuleSummary, RuleTally
from refconv.check.spool import taken
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


@dataclass
class Tally:
    """What a report counts, outcome by outcome."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)  # by operation and status
    rules: dict[str, RuleTally] = field(default_factory=dict)
    known: Counter[Xfail] = field(default_factory=Counter)
    policies: Counter[str] = field(default_factory=Counter)
    flags: Counter[tuple[str, str]] = field(default_factory=Counter)  # of executed outcomes, by operation and flag
    flags_failed: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: array[int] = field(default_factory=lambda: array("q"))  # their numbers
    total: int = 0
    cases: int = 0
    executed_cases: int = 0  # those that had at least one operation run

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        operation, status = outcome.operation, outcome.status
        self.counts.setdefault(operation, Counter())[status] += 1
        if outcome.verdict is not None:
            rule = outcome.accuracy_class
            self.rules.setdefault(rule, RuleTally(rule)).add(outcome.verdict, status)
        if outcome.xfail and status == "XFAIL":
            self.known[outcome.xfail] += 1
        if outcome.policy and status == "PASS":
            self.policies[outcome.policy] += 1
        if status != "UNSUPPORTED":
            self.flags.update((operation, flag) for flag in outcome.flags)
        if outcome.failed:
            self.flags_failed.update((operation, flag) for flag in outcome.flags)
            self.failures.append(self.total)
        self.total += 1


@dataclass(frozen=True)
class Report:
    """All outcomes of one implementation over one suite.

    Attributes
    ----------
    implementation : str
    suite, version : str
        The name and date of the vectors.
    outcomes : sequence of Outcome
        In the order of the suite; those of a long run lie in a temporary file.
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
    outcomes: Sequence[Outcome]
    warnings: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    not_looked_at: int = 0

    @cached_property
    def tally(self) -> Tally:
        """What there is to be counted, which takes one pass over the outcomes."""
        found, cases, executed = Tally(), set[str](), set[str]()
        for outcome in self.outcomes:
            found.add(outcome)
            cases.add(outcome.case_id)
            executed.update([outcome.case_id] if outcome.status != "UNSUPPORTED" else ())
        found.cases, found.executed_cases = len(cases), len(executed)
        return found

    @property
    def passed(self) -> bool:
        """Whether something was executed and nothing failed."""
        return self.executed > 0 and not self.failures

    @cached_property
    def failures(self) -> Sequence[Outcome]:
        """The outcomes that make the run fail."""
        return taken(self.outcomes, self.tally.failures)

    def cause_of(self, outcome: Outcome) -> Cause | None:
        """Return the cause that predicts an outcome, if one was found."""
        return next((cause for cause in self.causes if (outcome.case_id, outcome.operation) in cause.failures), None)

    @property
    def executed(self) -> int:
        """How many operations were run, whatever came of them; unsupported ones were not."""
        return len(self.outcomes) - self.count()["UNSUPPORTED"]

    @property
    def executed_cases(self) -> int:
        """How many cases had at least one operation run."""
        return self.tally.executed_cases

    def known(self) -> dict[Xfail, int]:
        """Count the expected failures by the entry that expects them, in the order in which they occur."""
        return dict(self.tally.known)

    def count(self, statuses: Iterable[str] = STATUSES) -> dict[str, int]:
        """Count the outcomes by status."""
        found = self.by_operation().values()
        return {status: sum(row[status] for row in found) for status in statuses}

    def occurring(self) -> list[str]:
        """List the statuses that the tables show: those that occur, and PASS and FAIL."""
        return [status for status, count in self.count().items() if count or status in ("PASS", "FAIL")]

    def by_rule(self) -> list[RuleSummary]:
        """Sum up what each accuracy class said, in the order in which they first occur."""
        return [rule.summary() for rule in self.tally.rules.values()]

    def policies(self) -> dict[str, int]:
        """Count, over the choices that passed, the operations that followed each policy."""
        return dict(sorted(self.tally.policies.items()))

    def by_operation(self) -> dict[str, dict[str, int]]:
        """Count the outcomes by operation and status."""
        return {operation: {status: row[status] for status in STATUSES} for operation, row in self.tally.counts.items()}

    def failing_share(self, operation: str, flag: str) -> float:
        """Return the share of the executed outcomes of an operation with a flag that failed, from 0 to 1."""
        key = operation, flag
        return self.tally.flags_failed[key] / self.tally.flags[key] if key in self.tally.flags else 0.0

    def summary(self) -> str:
        """Say in one line what was executed and what came of it."""
        counts = self.count()
        words = [f"{counts[status]} {status.lower()}" for status in STATUSES if counts[status] or status == "PASS"]
        cases = f"{self.tally.cases} case{'' if self.tally.cases == 1 else 's'}"
        return (
            f"{self.implementation} on {self.suite} {self.version}: {self.executed} of {len(self.outcomes)} operations "
            f"executed in {cases}, {', '.join(words)}."
        )
