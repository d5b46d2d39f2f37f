"""Run an implementation in a process of its own, so that whatever it does is the outcome of one case."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence

from refconv.errors import ImplementationError
from refconv.implementations.batch import Batch
from refconv.implementations.child_process import ChildProcess, StrangeAnswerError
from refconv.implementations.foreign_answer import read_answer
from refconv.implementations.library import is_library
from refconv.implementations.session import Answer, Call, is_last

TIMEOUT = 60.0  # seconds for one call
STARTUP = 300.0  # seconds for an import: large engines on a slow disk

BOOTSTRAP = "import sys; sys.path[:] = {path!r}; from refconv.implementations.child import main; main()"
TOGETHER = 2**23  # bytes of inputs that are handed over at once; larger ones go one call at a time
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait for work by spinning take the cores from who has some
PERTURB = {"MALLOC_PERTURB_": "165"}  # glibc fills what it hands to a library, so that unwritten memory shows


class Isolated:
    """A session in a child process, which is started anew when it has died or had to be killed.

    Parameters
    ----------
    implementation : str
        As :func:`refconv.implementations.load_implementation` takes it.
    timeout : float
        Seconds for one call.
    memory_limit : int, optional
        Bytes of address space that the child may use, where the system can limit it.
    threads : int, optional
        How many threads the numerical libraries of the child may use; by default what they like.
    wait : bool
        Whether to wait until it has started; if not, :meth:`ready` does, before anything else is asked.

    Raises
    ------
    ImplementationError
        If it cannot be found, imported or started.
    """

    repeats = True

    def __init__(
        self, implementation: str, timeout: float = TIMEOUT, memory_limit: int | None = None,
        threads: int | None = None, wait: bool = True,
    ) -> None:  # fmt: skip
        self.implementation, self.timeout, self.memory_limit = implementation, timeout, memory_limit
        self._library = is_library(implementation)
        pools = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
        limits = {f"{pool}_NUM_THREADS": str(threads) for pool in pools} if threads else {}
        usual = {name: value for name, value in PASSIVE.items() if name not in os.environ}
        self._environment = {**usual, **(PERTURB if self._library else {}), **limits}
        self._process: ChildProcess | None = None
        self._greeting: str | None = None  # the token of what the process says when it has started
        self._waiting: deque[Batch] = deque()  # in the order in which they are run
        self._protect, self._closed = True, False
        self.name, self.arranges, self.checks_arguments = implementation, True, True
        self._launch()
        if wait:
            self.ready()

    def call(self, call: Call) -> Answer:
        """Run one operation; a process that dies, or has to be killed, is replaced at the next call."""
        return next(self.answers([call]))

    def answers(self, calls: Sequence[Call]) -> Iterator[Answer]:
        """Ask for operations, to be run one after the other, and return the answers as they come.

        The process works on them while its parent does something else, such as judging the answers before.
        """
        if sum(tensor.nbytes for call in calls for tensor in call.tensors.values()) > TOGETHER and len(calls) > 1:
            return iter(self._singly(calls))
        while len(self._waiting) > 1:  # one may be under way while another one is sent
            self._advance()
        batch = Batch(calls)
        if not batch.done:
            self._waiting.append(batch)
            self._send(batch)
        return self._taken(batch)

    def _singly(self, calls: Sequence[Call]) -> list[Answer]:
        found: list[Answer] = []
        for index, call in enumerate(calls):
            found.append(self.call(call))
            if is_last(found[-1], index):
                break
        return found

    def _taken(self, batch: Batch) -> Iterator[Answer]:
        while not (batch.done and batch.empty):
            while batch.empty:
                self._advance()
            yield batch.take()

    def _send(self, batch: Batch) -> None:
        if self._process is not None and not batch.tokens:
            self._process.start(batch, alone=batch is self._waiting[0])

    def _advance(self) -> None:
        """Wait for one answer, which is to the first of the calls that wait."""
        batch = self._waiting[0]
        answer = self._started() or self._received(batch)
        batch.add(self._explained(answer, batch.next_call))
        if batch.done:
            self._waiting.popleft()

    def _started(self) -> Answer | None:
        """See that there is a process which has been sent what comes first, or say why there is none."""
        if self._process is not None:
            self._send(self._waiting[0])
            return None
        try:
            self._launch()
            self.ready()
        except ImplementationError as error:
            return Answer("CRASH", message=f"its process did not start again: {error}")
        for batch in self._waiting:
            batch.tokens = []
            self._send(batch)
        return None

    def _received(self, batch: Batch) -> Answer:
        assert self._process is not None
        assert batch.arena is not None
        try:
            return read_answer(self._process.receive(batch.next_token, self.timeout), batch.arena)
        except TimeoutError:
            self._drop()
            return Answer("TIMEOUT", message=f"gave no answer within {self.timeout:g} s", seconds=self.timeout)
        except (StrangeAnswerError, KeyError, TypeError, ValueError, OverflowError, ImplementationError):
            self._drop()
            return Answer("CRASH", message="its process answered what is no answer to the call, and was ended")
        except EOFError:
            return Answer("CRASH", message=self._obituary())

    def _explained(self, answer: Answer, call: Call) -> Answer:
        """Repeat a call that ended a library without the protection of memory, which tells what it was."""
        if answer.status != "CRASH" or not self._library or not self._protect:
            return answer
        self._protect, waiting, self._waiting = False, self._waiting, deque()
        try:
            told = self.call(call)
        finally:
            self._end()
            self._protect, self._waiting = True, waiting
        return told if told.status == "FAIL" else answer

    def renew(self) -> None:
        """Make the implementation anew, so that nothing is left of earlier calls."""
        while self._waiting:
            self._advance()
        try:
            if self._process is not None:
                self._process.ask({"renew": self.implementation}, STARTUP)
        except (EOFError, TimeoutError):
            self._drop()

    def abandon(self) -> None:
        """Kill the process whatever it does, and start none again: who waits for it in another thread, hears of it."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process, and forget what it was asked for."""
        self._closed = True
        self._waiting.clear()
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _launch(self) -> None:
        """Start a process, and tell it what to import; wait for nothing."""
        if self._closed:
            raise ImplementationError(f"{self.implementation} is not started any more.")
        arguments = [sys.executable, "-c", BOOTSTRAP.format(path=[folder or os.getcwd() for folder in sys.path])]
        self._process = process = ChildProcess(arguments, self._environment)
        wanted = {
            "implementation": self.implementation, "arenas": [arena.path for arena in process.arenas],
            "memory_limit": self.memory_limit, "protect": self._protect,
        }  # fmt: skip
        self._greeting = process.send(wanted)

    def ready(self) -> None:
        """Wait until the implementation has started, if it has not yet.

        Raises
        ------
        ImplementationError
            If it cannot be found, imported or started.
        """
        token, self._greeting = self._greeting, None
        process = self._process
        if token is None or process is None:
            return
        try:
            content = process.receive(token, STARTUP)
        except (TimeoutError, EOFError) as error:
            raise ImplementationError(f"{self.implementation} did not start: {self._obituary()}.") from error
        if "failed" in content:
            self._end()
            raise ImplementationError(content["failed"])
        for arena in process.arenas:
            arena.forget_name()
        self.arranges, self.checks_arguments = content["arranges"], content["checks_arguments"]
        self.name = str(content["name"])

    def _drop(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._end()

    def _obituary(self) -> str:
        """Say how the process ended; it has, or it is made to."""
        process, self._process = self._process, None
        if process is None:
            return "it was ended"
        code = process.end()
        last = [line.decode("utf-8", "replace").strip() for line in process.complaints]
        said = next((line for line in reversed(last) if line), "")
        return f"{_cause(code)}{f', its last words: {said}' if said else ''}"


def _cause(code: int | None) -> str:
    if code is None:
        return "its process broke the connection and had to be killed"
    if code >= 0:
        return f"its process ended by itself, with exit code {code}"
    names = {int(known): known.name for known in signal.Signals}
    return f"its process died of {names.get(-code, f'signal {-code}')}"
