"""Work that is spread over processes: small items go out, small results come back, and no crash ends the rest."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from refconv.errors import RefconvError

Item = TypeVar("Item")
Result = TypeVar("Result")

POOLS = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")  # each has a variable that limits its threads


@dataclass(frozen=True)
class Lost:
    """What stands for the result of an item that broke its worker, or raised what is no error of refconv's."""

    reason: str


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limits(threads: int) -> dict[str, str]:
    """Return the environment that holds numerical libraries to a number of threads.

    Examples
    --------
    >>> limits(2)["OMP_NUM_THREADS"]
    '2'
    """
    return {f"{pool}_NUM_THREADS": str(threads) for pool in POOLS}


def spread(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int, executor: Executor | None = None
) -> Iterator[tuple[Item, Result | Lost]]:
    """Call a function on every item in other processes, and yield items with their results as they come.

    Each process holds its numerical libraries to its share of the processors.  When one dies, all that it took along
    is tried again: once together, then each item alone; what dies alone is lost, and the rest is not.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it.
    items : sequence
    jobs : int
        Processes.
    executor : concurrent.futures.Executor, optional
        Where to run instead.

    Raises
    ------
    RefconvError
        As the function raises it, which ends the run.
    """
    if executor is not None:
        broken = yield from _round(executor, function, items)
        yield from ((item, Lost("its worker died")) for item in broken)
        return
    left: Sequence[Item] = items
    for _ in range(2):
        if left:
            with _pool(min(jobs, len(left)), jobs) as pool:
                left = yield from _round(pool, function, left)
    for item in left:
        with _pool(1, jobs) as pool:
            for _ in (yield from _round(pool, function, [item])):
                yield item, Lost("its worker died")


def _round(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[tuple[Item, Result | Lost], None, list[Item]]:
    """Yield what comes of the items, and return those whose worker died."""
    waiting: dict[Future[Result], Item] = {}
    broken: list[Item] = []
    for item in items:
        try:
            waiting[pool.submit(function, item)] = item
        except BrokenExecutor:
            broken.append(item)
    for future in as_completed(waiting):
        item = waiting[future]
        try:
            yield item, future.result()
        except RefconvError:
            raise
        except BrokenExecutor:
            broken.append(item)
        except Exception as error:
            yield item, Lost(f"{type(error).__name__}: {error}")
    return broken


@contextmanager
def _pool(workers: int, jobs: int) -> Iterator[Executor]:
    """Start processes that end with this one; whatever ends the block early does not wait for them."""
    before = dict(os.environ)
    others = set(multiprocessing.active_children())
    os.environ |= {name: value for name, value in limits(max(1, cores() // jobs)).items() if name not in before}
    # spawn: a forked child would inherit the threads of BLAS in an unknown state
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), die_with_parent)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        pool.shutdown(cancel_futures=True)
        raise
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]


def die_with_parent() -> None:
    """Ask Linux to end this process with its parent, also when foreign code never comes back."""
    if sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
