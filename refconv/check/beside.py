"""Check with implementations that have processes of their own: they compute, while threads of this one judge."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Lock

from refconv.check.cases import Progress, Rules, check_cases
from refconv.check.outcomes import Outcome
from refconv.check.together import Opening, blocks
from refconv.implementations import Isolated
from refconv.suite import Suite


@contextmanager
def begun(opening: Opening, jobs: int) -> Iterator[list[Isolated]]:
    """Begin to start an implementation in several processes, which import it while others read the vectors."""
    sessions: list[Isolated] = []
    try:
        for _ in range(jobs):
            name, threads = opening.implementation, opening.threads
            sessions.append(Isolated(name, opening.timeout, opening.memory_limit, threads, wait=False))
        yield sessions
    except BaseException:
        for session in sessions:
            session.abandon()
        raise
    finally:
        with ThreadPoolExecutor() as pool:  # engines take a while to end
            list(pool.map(Isolated.close, sessions))


def check_beside(
    sessions: Sequence[Isolated], rules: Rules, suite: Suite, ids: Sequence[str], progress: Progress | None = None
) -> Generator[tuple[str, list[Outcome]], None, None]:
    """Deal cases to sessions, and yield outcomes as they come, with the name of the implementation."""
    counted = _counter(len(ids), progress)
    free: SimpleQueue[tuple[Isolated, Suite]] = SimpleQueue()
    for session in sessions:
        free.put((session, copy.copy(suite)))  # a suite keeps one group in memory

    def work(some: tuple[str, ...]) -> tuple[str, list[Outcome]]:
        session, own = free.get()
        try:
            session.ready()
            return session.name, list(check_cases(session, rules, own, some, counted()))
        finally:
            free.put((session, own))

    with ThreadPoolExecutor(len(sessions)) as pool:
        try:
            for future in as_completed([pool.submit(work, some) for some in blocks(ids)]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for session in sessions:
                session.abandon()
            raise


def _counter(total: int, progress: Progress | None) -> Callable[[], Progress]:
    """Return what makes, for each block, a progress that counts the cases of all threads together."""
    lock, done = Lock(), 0

    def of_block() -> Progress:
        before = 0

        def tick(now: int, _: int) -> None:
            nonlocal before, done
            with lock:
                before, done = now, done + now - before
                if progress:
                    progress(done, total)

        return tick

    return of_block
