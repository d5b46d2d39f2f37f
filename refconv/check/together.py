"""Check the cases of a suite in several processes, each with an implementation of its own."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from refconv.check.cases import Progress, Rules, broken, check_cases
from refconv.check.fresh import FreshSuite
from refconv.check.outcomes import Outcome
from refconv.errors import ImplementationError, WorkerError
from refconv.implementations import Session, address_of, open_session
from refconv.implementations.command import is_command
from refconv.suite import Suite, load_suite
from refconv.workers import cores, spread

BLOCK = 16  # cases of a work item; an even number, so that pairs of cases stay together however many jobs there are
MOST_JOBS = 4  # that nobody asked for: each has an implementation in memory
WORTH = 100  # cases for which it pays to start a process


@dataclass(frozen=True)
class Opening:
    """How a worker starts the implementation; see :func:`refconv.implementations.open_session`."""

    implementation: str
    isolate: bool
    timeout: float
    memory_limit: int | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Block:
    """A work item: some cases, and all that a worker must know in order to check them."""

    opening: Opening
    rules: Rules
    folder: Path
    ids: tuple[str, ...]
    seed: int | None = None  # of a fresh suite

    def __str__(self) -> str:
        return self.ids[0] if len(self.ids) == 1 else f"{self.ids[0]} to {self.ids[-1]}"


def usual_jobs(cases: int, implementation: Any, isolate: bool) -> int:
    """Return how many implementations suit a run: one that is isolated for each core, but no more than pay to start.

    A program may stand for a board of which there is one, so nobody starts two unasked.
    """
    if not isolate or not isinstance(implementation, str) or is_command(implementation):
        return 1
    return max(1, min(cores(), MOST_JOBS, cases // WORTH))


def threads_each(jobs: int) -> int:
    """Return how many threads an implementation may use: what the user has said, or its share of the processors.

    But two at least, where there are two: the seams between threads are where kernels break.
    """
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return int(stated) if stated.isdecimal() and int(stated) else min(cores(), max(2, cores() // jobs))


def address(implementation: Any) -> str:
    """Return the text by which another process finds an implementation."""
    if callable(getattr(implementation, "call", None)):
        raise ImplementationError(
            "a session that is open already can check with one job only: give its address instead."
        )
    return implementation if isinstance(implementation, str) else address_of(implementation)


def blocks(ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Cut the cases of a run into what is dealt out at once."""
    return [tuple(ids[cut : cut + BLOCK]) for cut in range(0, len(ids), BLOCK)]


def check_together(
    opening: Opening, rules: Rules, suite: Suite, ids: Sequence[str], jobs: int, executor: Executor | None,
    progress: Progress | None = None,
) -> Generator[tuple[str, list[Outcome]], None, None]:  # fmt: skip
    """Check cases in several processes, and yield outcomes as they come, with the name of the implementation.

    A case that takes its worker along is tried again, alone, before it counts as broken; the others go on.
    """
    folder, seed = suite.folder.absolute(), getattr(suite, "seed", None)
    work = [Block(opening, rules, folder, some, seed) for some in blocks(ids)]
    done = 0
    while work:
        again: list[Block] = []
        for block, result, error in spread(check_block, work, jobs, executor):
            if result is not None:
                yield result
            elif not isinstance(error, WorkerError):
                raise error or WorkerError(f"{block}: nothing came of it.")
            elif len(block.ids) > 1:
                again += [replace(block, ids=(case_id,)) for case_id in block.ids]
                continue
            else:
                yield "", _lost(suite, rules, block.ids[0], error)
            done += len(block.ids)
            if progress:
                progress(done, len(ids))
        work = again


def _lost(suite: Suite, rules: Rules, case_id: str, error: WorkerError) -> list[Outcome]:
    case = suite.case(case_id)
    return [broken(case, operation, str(error)) for operation in rules.asked(case)]


_open: dict[Opening, Session] = {}  # of this worker: starting an engine takes seconds, checking a block less
_suites: dict[tuple[Path, int | None], Suite] = {}


def check_block(block: Block) -> tuple[str, list[Outcome]]:
    """Check one block; runs in a worker, which keeps the implementation for the next one."""
    session = _open.get(block.opening)
    if session is None:
        o = block.opening
        session = _open[o] = open_session(o.implementation, o.isolate, o.timeout, o.memory_limit, o.threads)
        Finalize(session, session.close, exitpriority=1)  # when the worker ends
    return session.name, list(check_cases(session, block.rules, _suite_of(block), block.ids))


def _suite_of(block: Block) -> Suite:
    key = block.folder, block.seed
    if key not in _suites:
        suite = load_suite(block.folder)
        _suites[key] = suite if block.seed is None else FreshSuite(suite, block.seed)
    return _suites[key]
