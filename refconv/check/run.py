"""Run an implementation over a suite, one operation of one case at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any

from refconv.check.case_judge import CaseJudge
from refconv.check.operation import Checker, covered
from refconv.check.outcomes import Outcome, Report
from refconv.check.policies import accepted_of, known_policies
from refconv.errors import CatalogueError
from refconv.implementations import RESULT_NAMES, InProcess, Session, as_runner
from refconv.judge import parse_class
from refconv.problem import OPERATIONS
from refconv.suite import Case, Suite

Progress = Callable[[int, int], None]


def check(
    implementation: Any, suite: Suite, select: Iterable[str] = ("*",),
    operations: Iterable[str] = OPERATIONS, progress: Progress | None = None,
    judged_by: str | None = None, strict_statistics: bool = False, policies: Iterable[str] = (), thorough: bool = True,
) -> Report:  # fmt: skip
    """Judge an implementation on the cases of a suite.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes: a function with PyTorch's signature, or
        an object with forward, grad_input, grad_weight and grad_bias, or some of them; or a
        :class:`refconv.implementations.Session`, which stays open.
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
    thorough : bool
        Ask again wherever a result was right, with other numbers in the same buffers and with inputs that are
        not contiguous, to find state that is kept and layouts that are taken for granted.

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
    wanted = tuple(operations)
    judge = CaseJudge(parse_class(judged_by) if judged_by else None, strict_statistics)
    unknown = sorted(set(wanted) - set(OPERATIONS))
    if unknown:
        raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)}.")
    claims = known_policies(policies)
    patterns = tuple(select)
    ids = suite.select(patterns)
    if not ids:
        raise CatalogueError(f"no case of suite {suite.name!r} matches {', '.join(patterns)}.")
    outcomes: dict[tuple[str, str], Outcome] = {}
    done = 0
    with session_for(implementation) as session:
        checker = Checker(session, judge, thorough)
        for case, forward in _schedule(ids, suite):
            accepted = accepted_of(case, claims)
            for operation in covered(case, wanted, accepted):
                if (operation == "forward") == forward:
                    golden = accepted[RESULT_NAMES[operation]]
                    outcomes[case.id, operation] = checker.check(case, operation, golden)
            done += not forward
            if progress:
                progress(done, len(ids))
        name = session.name
    ordered = [outcomes[key] for key in product(ids, OPERATIONS) if key in outcomes]
    return Report(name, suite.name, suite.version, tuple(ordered))


def _schedule(ids: list[str], suite: Suite) -> Iterator[tuple[Case, bool]]:
    """Yield every case twice, for its forward pass and for its gradients, with another forward pass between.

    So an implementation that takes its gradients from what the last forward pass left behind is found out.
    """
    waiting: Case | None = None
    for case_id in ids:
        case = suite.case(case_id)
        yield case, True
        if waiting is None:
            waiting = case
            continue
        yield waiting, False
        yield case, False
        waiting = None
    if waiting is not None:
        yield waiting, False


def session_for(implementation: Any) -> AbstractContextManager[Session]:
    """Open a session in this process, unless it is one already."""
    if callable(getattr(implementation, "call", None)):
        return nullcontext(implementation)
    return InProcess(as_runner(implementation))
