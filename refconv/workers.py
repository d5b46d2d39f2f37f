"""Work items spread over processes, here or on other machines, whatever becomes of single items or workers.

An item is small and so is its result; tensors never travel.  An item that fails is reported and stops nobody else.
A worker that dies takes a process pool with it; the items that were under way are tried again, each alone, and one
that kills its worker twice is reported like any other failure.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context
from typing import Any, Generic, NamedTuple, TypeVar

from refconv.atomic import FULL
from refconv.errors import RefconvError, WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # whom BLAS libraries ask
TRIES = 2  # of an item whose worker died


class Outcome(NamedTuple, Generic[Item, Result]):
    """What came of an item: a result, or the error instead of it."""

    item: Item
    result: Result | None
    error: RefconvError | None


def spread(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int = 1, executor: Executor | None = None
) -> Iterator[Outcome[Item, Result]]:
    """Apply a function to items, and yield what comes of each as it comes.

    Parameters
    ----------
    function : callable
        Importable by a worker.
    items : iterable
    jobs : int
        Number of processes; with one, everything is done here.
    executor : concurrent.futures.Executor, optional
        Where to work instead, such as :func:`dask_executor`.

    Examples
    --------
    >>> [(outcome.item, outcome.result, str(outcome.error)) for outcome in spread(len, ["ab", 7])]
    [('ab', 2, 'None'), (7, None, "7: the work failed with TypeError: object of type 'int' has no len().")]
    """
    if executor is not None:
        yield from _by_executor(function, items, executor)
    elif jobs == 1:
        yield from (_attempt(item, partial(function, item)) for item in items)
    else:
        yield from _by_processes(function, deque(items), jobs)


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """Work on a cluster of dask.distributed, which tries items of lost workers again by itself.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises
    ------
    WorkerError
        If distributed is not installed, or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise WorkerError("dask needs the package distributed: pip install 'refconv[dask]'.") from None
    try:
        client = Client(address, timeout=5)
    except (OSError, ValueError, TypeError) as error:
        raise WorkerError(f"dask must have a scheduler at {address}, got {type(error).__name__}: {error}.") from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise WorkerError(f"the scheduler at {address} must have workers, got none; start some: dask worker.")
        yield client.get_executor(pure=False, retries=TRIES)


@contextmanager
def few_threads(jobs: int) -> Iterator[None]:
    """Let processes that are started meanwhile share the cores: jobs times threads of BLAS is their number."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(max(1, cores() // jobs))))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_executor(
    function: Callable[[Item], Result], items: Iterable[Item], executor: Executor
) -> Iterator[Outcome[Item, Result]]:
    waiting: dict[Future[Result], Item] = {executor.submit(function, item): item for item in items}
    try:
        for future in as_completed(waiting):
            yield _attempt(waiting[future], future.result)
    finally:
        for future in waiting:
            future.cancel()


def _by_processes(
    function: Callable[[Item], Result], waiting: deque[Item], jobs: int
) -> Iterator[Outcome[Item, Result]]:
    """Keep a pool busy; where it breaks, try what was under way again, and go on with a new one."""
    while waiting:
        running: dict[Future[Result], Item] = {}
        with few_threads(jobs), _pool(min(jobs, len(waiting))) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < jobs:
                        with deaf():
                            running[pool.submit(function, waiting[0])] = waiting[0]
                        waiting.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        outcome = _attempt(running[future], future.result)
                        del running[future]
                        yield outcome
            except BrokenProcessPool:
                pass
        for item in running.values():
            yield _alone(function, item)


def _alone(function: Callable[[Item], Result], item: Item) -> Outcome[Item, Result]:
    """Try an item whose worker died again, with nobody beside it."""
    for _ in range(TRIES):  # what broke the pool may have been another item
        with few_threads(1), _pool(1) as pool:
            try:
                with deaf():
                    future = pool.submit(function, item)
                return _attempt(item, future.result)
            except BrokenProcessPool:
                continue
    return Outcome(item, None, WorkerError(f"{item}: the worker died {TRIES} times; is there enough memory?"))


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes that end with this one; whatever ends the block early does not wait for what they do."""
    others = set(active_children())
    # a forked child would inherit the threads of BLAS
    with ProcessPoolExecutor(jobs, get_context("spawn"), die_with_parent) as pool:
        try:
            yield pool
        except BaseException:
            for process in set(active_children()) - others:
                process.terminate()
            raise


@contextmanager
def deaf() -> Iterator[None]:
    """Let processes that are started meanwhile never hear of Ctrl-C, which is for their parent; it ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which a new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def die_with_parent() -> None:
    """Ask Linux to end this process with its parent, also when foreign code never comes back."""
    if sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _attempt(item: Item, work: Callable[[], Result]) -> Outcome[Item, Result]:
    """Return what came of an item; an error that nobody foresaw becomes a sentence."""
    try:
        return Outcome(item, work(), None)
    except BrokenProcessPool:
        raise
    except RefconvError as error:
        return Outcome(item, None, error)
    except Exception as error:
        why = f"the work failed with {type(error).__name__}: {str(error).rstrip('.')}"
        if isinstance(error, OSError) and error.errno in FULL:
            why = f"there must be room for the work, got {error.strerror!r}; make room, or choose another place"
        sentence: Any = WorkerError(f"{item}: {why}.")
        sentence.__cause__ = error
        return Outcome(item, None, sentence)
