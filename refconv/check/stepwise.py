"""A run one outcome at a time, in any order, for those who drive it themselves: the pytest plugin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from refconv.check.case_judge import CaseJudge
from refconv.check.expect import expected
from refconv.check.operation import Checker, covered, demand
from refconv.check.outcomes import Outcome
from refconv.check.policies import accepted_of, known_policies
from refconv.check.xfails import Xfail
from refconv.errors import CatalogueError
from refconv.implementations import RESULT_NAMES, Call, Session
from refconv.judge import parse_class
from refconv.problem import OPERATIONS
from refconv.suite import Case, Expected, Suite, chosen


@dataclass
class Plan:
    """What is to be checked, and how; validated when it is made.

    Attributes
    ----------
    suite : Suite
    select : sequence of str
        Shell patterns over case ids.
    operations : sequence of str
    judged_by : str, optional
        The accuracy class that the implementation claims.
    policies : sequence of str
        Those that it claims to follow.
    xfails : sequence of Xfail

    Raises
    ------
    CatalogueError
        If no case matches, or an operation or policy is unknown.
    JudgeError
        If there is no such accuracy class.
    """

    suite: Suite
    select: Sequence[str] = ("*",)
    operations: Sequence[str] = OPERATIONS
    judged_by: str | None = None
    policies: Sequence[str] = ()
    xfails: Sequence[Xfail] = ()
    ids: list[str] = field(init=False)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.operations) - set(OPERATIONS))
        if unknown:
            raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)}.")
        self.judge = CaseJudge(parse_class(self.judged_by) if self.judged_by else None)
        self.claims = known_policies(self.policies)
        self.ids = chosen(self.suite, self.select)

    def pairs(self) -> list[tuple[str, str]]:
        """List every case with every operation that is asked for and has a golden value, in the order of the suite."""
        wanted = [name for name in OPERATIONS if name in self.operations]
        cases: Iterable[Case] = map(self.suite.case, self.ids)
        return [(case.id, name) for case in cases for name in covered(case, tuple(wanted), self._accepted(case))]

    def _accepted(self, case: Case) -> dict[str, dict[str, Expected | None]]:
        return accepted_of(case, self.claims)


class Stepwise:
    """Gives the outcome of one operation of one case at a time.

    Examples
    --------
    >>> from refconv.implementations import InProcess, load_implementation
    >>> from refconv.suite import load_suite
    >>> from refconv.suite.embedded import smoke_folder
    >>> plan = Plan(load_suite(smoke_folder()), select=["worked-example-*"])
    >>> step = Stepwise(plan, InProcess(load_implementation("im2col")))
    >>> [step.outcome(*pair).status for pair in plan.pairs()[:2]]
    ['PASS', 'PASS']
    """

    def __init__(self, plan: Plan, session: Session) -> None:
        self.plan, self.session = plan, session
        self._checker = Checker(session, plan.judge)

    def outcome(self, case_id: str, operation: str) -> Outcome:
        """Run and judge an operation; a gradient follows a forward pass over other numbers.

        So an implementation that takes its gradients from what the last forward pass left behind is found
        out here as it is by :func:`refconv.check.check`, in whatever order the outcomes are asked for.
        """
        case = self.plan.suite.case(case_id)
        golden = self.plan._accepted(case)[RESULT_NAMES[operation]]
        if operation != "forward" and self.session.repeats:
            others = {name: np.negative(tensor) for name, tensor in case.inputs.items()}
            asked = demand(case, next(iter(golden.values())))
            self.session.call(Call(case.id, "forward", others, case.problem, asked))
        return expected(self._checker.check(case, operation, golden), self.plan.xfails)
