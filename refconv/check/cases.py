"""Check some cases of a suite with one session, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from refconv.check.case_judge import CaseJudge
from refconv.check.operation import Asked, Checker, covered
from refconv.check.outcomes import Outcome
from refconv.check.policies import Accepted, accepted_of
from refconv.errors import CatalogueError, RefconvError
from refconv.implementations import RESULT_NAMES, Session
from refconv.judge import parse_class
from refconv.problem import OPERATIONS
from refconv.suite import Case, Suite

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Rules:
    """What is asked, and how it is judged; see :func:`refconv.check.check`.

    Raises
    ------
    CatalogueError
        If an operation is unknown.
    JudgeError
        If there is no such accuracy class.
    """

    operations: tuple[str, ...] = OPERATIONS
    judged_by: str | None = None
    strict_statistics: bool = False
    policies: tuple[str, ...] = ()
    thorough: bool = True

    def __post_init__(self) -> None:
        unknown = sorted(set(self.operations) - set(OPERATIONS))
        if unknown:
            raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)}.")
        self.judge()

    def judge(self) -> CaseJudge:
        """Make the judge of the results."""
        return CaseJudge(parse_class(self.judged_by) if self.judged_by else None, self.strict_statistics)

    def asked(self, case: Case) -> dict[str, Accepted]:
        """Return what is accepted, for every operation that is asked for and has a golden value."""
        accepted = accepted_of(case, self.policies)
        return {name: accepted[RESULT_NAMES[name]] for name in covered(case, self.operations, accepted)}


def check_cases(
    session: Session, rules: Rules, suite: Suite, ids: Sequence[str], progress: Progress | None = None
) -> Iterator[Outcome]:
    """Check cases, two at a time, in their order; ``progress(done, all)`` is called after every one."""
    checker = Checker(session, rules.judge(), rules.thorough)
    asked = _asked(checker, rules, suite, ids, progress)
    for case, operation, question in one_ahead(asked, lambda task: isinstance(task[2], Asked) and not task[2].many):
        found = _guarded(partial(checker.judged, question)) if isinstance(question, Asked) else question
        yield broken(case, operation, found) if isinstance(found, str) else found


def _asked(
    checker: Checker, rules: Rules, suite: Suite, ids: Sequence[str], progress: Progress | None
) -> Iterator[tuple[Case, str, Asked | str]]:
    """Ask for every operation of every case; a string says why refconv itself failed at it."""
    done = 0
    for case, forward in _schedule(ids, suite):
        for operation, golden in rules.asked(case).items():
            if (operation == "forward") == forward:
                yield case, operation, _guarded(partial(checker.ask, case, operation, golden))
        done += not forward
        if progress:
            progress(done, len(ids))


def _guarded(work: Callable[[], Result]) -> Result | str:
    """Do something; should refconv itself fail at it, say so in words, so that the other cases go on."""
    try:
        return work()
    except RefconvError:
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def one_ahead(items: Iterable[Item], may_wait: Callable[[Item], bool]) -> Iterator[Item]:
    """Yield each item after the next one has been drawn, so that what it stands for has time to come.

    Parameters
    ----------
    items : iterable
    may_wait : callable
        Whether an item may; another one is yielded at once.

    Examples
    --------
    >>> def drawn():
    ...     for number in range(3):
    ...         print("draw", number)
    ...         yield number
    >>> for number in one_ahead(drawn(), lambda number: number == 0):
    ...     print("use", number)
    draw 0
    draw 1
    use 0
    use 1
    draw 2
    use 2
    """
    kept: list[Item] = []
    for item in items:
        yield from kept
        kept = [item] if may_wait(item) else []
        if not kept:
            yield item
    yield from kept


def broken(case: Case, operation: str, reason: str) -> Outcome:
    """Return the outcome of an operation at which refconv itself failed."""
    return Outcome(
        case.id, operation, "ERROR", case.flags, case.comment, case.problem.descriptor,
        next(iter(case.inputs.values())).dtype.name, "none", f"refconv itself broke down on it: {reason}",
    )  # fmt: skip


def _schedule(ids: Sequence[str], suite: Suite) -> Iterator[tuple[Case, bool]]:
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
