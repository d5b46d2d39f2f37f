"""Run an implementation over a suite, one operation of one case at a time."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

import numpy as np

from refconv.check.beside import begun, check_beside
from refconv.check.cases import Progress, Rules, check_cases
from refconv.check.outcomes import Outcome, Report
from refconv.check.policies import known_policies
from refconv.check.spool import kept, taken
from refconv.check.together import MOST_JOBS, Opening, address, check_together, threads_each, usual_jobs
from refconv.implementations import TIMEOUT, Session, open_session
from refconv.implementations.command import is_command
from refconv.problem import OPERATIONS
from refconv.suite import Suite, chosen


def check(
    implementation: Any, suite: Suite, select: Iterable[str] = ("*",),
    operations: Iterable[str] = OPERATIONS, progress: Progress | None = None,
    judged_by: str | None = None, strict_statistics: bool = False, policies: Iterable[str] = (), thorough: bool = True,
    isolate: bool = False, timeout: float = TIMEOUT, memory_limit: int | None = None, jobs: int | None = 1,
    executor: Executor | None = None,
) -> Report:  # fmt: skip
    """Judge an implementation on the cases of a suite.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes: a function with PyTorch's signature, or
        an object with forward, grad_input, grad_weight and grad_bias, or some of them; or a
        :class:`refconv.implementations.Session`, which stays open; or the address of one, as on the command
        line: ``"torch"``, ``"package.module:name"``, ``"path.py:name"``.
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
    isolate : bool
        Call it in a process of its own, as the command line does, so that a crash or an endless loop is the
        outcome of one case; it must then be something that another process can import, or its address.
    timeout : float
        Seconds for one call in a process of its own.
    memory_limit : int, optional
        Bytes of address space of its process.
    jobs : int, optional
        How many processes check at the same time, each with an implementation of its own; with more than one, it
        must be something that another process can import.  None: what fits the machine and the suite.
    executor : concurrent.futures.Executor, optional
        Where to run instead; its workers must find the implementation and the suite where this process does.

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
    rules = Rules(tuple(operations), judged_by, strict_statistics, known_policies(policies), thorough)
    patterns = tuple(select)
    if jobs is None:
        jobs = usual_jobs(suite.count_at_most(patterns), implementation, isolate)
    names = [str(implementation)]
    if executor is None and jobs <= MOST_JOBS and _has_process(implementation, isolate):
        threads = threads_each(jobs) if jobs > 1 else None
        with begun(Opening(address(implementation), isolate, timeout, memory_limit, threads), jobs) as sessions:
            ids = chosen(suite, patterns)
            with closing(check_beside(sessions, rules, suite, ids, progress)) as blocks:
                outcomes = _in_order(_flat(blocks, names), ids)
    elif executor is not None or jobs > 1:
        ids = chosen(suite, patterns)
        opening = Opening(address(implementation), isolate, timeout, memory_limit, threads_each(jobs))
        with closing(check_together(opening, rules, suite, ids, jobs, executor, progress)) as blocks:
            outcomes = _in_order(_flat(blocks, names), ids)
    else:
        ids = chosen(suite, patterns)
        with session_for(implementation, isolate, timeout, memory_limit) as session:
            names = [session.name]
            outcomes = _in_order(check_cases(session, rules, suite, ids, progress), ids)
    return Report(names[-1], suite.name, suite.version, outcomes)


def _flat(blocks: Iterable[tuple[str, list[Outcome]]], names: list[str]) -> Iterator[Outcome]:
    for name, outcomes in blocks:
        names[:] = [name or names[-1]]
        yield from outcomes


def _in_order(outcomes: Iterable[Outcome], ids: Sequence[str]) -> Sequence[Outcome]:
    """Put outcomes into the order of the suite, as they come: many of them never are in memory together."""
    place, places = {case_id: number for number, case_id in enumerate(ids)}, array("q")

    def noted() -> Iterator[Outcome]:
        for outcome in outcomes:
            places.append(len(OPERATIONS) * place[outcome.case_id] + OPERATIONS.index(outcome.operation))
            yield outcome

    found = kept(noted())
    return taken(found, np.argsort(places, kind="stable"))


def _is_session(implementation: Any) -> bool:
    return callable(getattr(implementation, "call", None))


def _has_process(implementation: Any, isolate: bool) -> bool:
    """Tell whether it is to run in a process of its own that we start and know."""
    command = isinstance(implementation, str) and is_command(implementation)
    return isolate and not command and not _is_session(implementation)


def session_for(
    implementation: Any, isolate: bool, timeout: float, memory_limit: int | None = None
) -> AbstractContextManager[Session]:
    """Open a session, unless it is one already."""
    if _is_session(implementation):
        return nullcontext(implementation)
    return open_session(implementation, isolate, timeout, memory_limit)
