"""Run an implementation in a process of its own, so that whatever it does is the outcome of one case."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import Any

from refconv.errors import ImplementationError
from refconv.implementations.arena import Arena, Place
from refconv.implementations.child_process import ChildProcess
from refconv.implementations.library import is_library
from refconv.implementations.session import Answer, Call

TIMEOUT = 60.0  # seconds for one call
STARTUP = 300.0  # seconds for an import: large engines on a slow disk

BOOTSTRAP = "import sys; sys.path[:] = {path!r}; from refconv.implementations.child import main; main()"
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

    Raises
    ------
    ImplementationError
        If it cannot be found, imported or started.
    """

    repeats = True

    def __init__(
        self, implementation: str, timeout: float = TIMEOUT, memory_limit: int | None = None,
        threads: int | None = None,
    ) -> None:  # fmt: skip
        self.implementation, self.timeout, self.memory_limit = implementation, timeout, memory_limit
        self._library = is_library(implementation)
        pools = ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
        limits = {f"{pool}_NUM_THREADS": str(threads) for pool in pools} if threads else {}
        self._environment = {**(PERTURB if self._library else {}), **limits}
        self._process: ChildProcess | None = None
        self._protect = True
        self.arranges = self.checks_arguments = True
        self.name = self._start()

    def call(self, call: Call) -> Answer:
        """Run one operation; a process that dies, or has to be killed, is replaced at the next call.

        The memory of a shared library is protected, so that what it may not touch ends its process; then the
        call is repeated without protection, which tells what it was.
        """
        answer = self._call(call)
        if answer.status != "CRASH" or not self._library:
            return answer
        self._protect = False
        try:
            told = self._call(call)
        finally:
            self.close()
            self._protect = True
        return told if told.status == "FAIL" else answer

    def _call(self, call: Call) -> Answer:
        if self._process is None:
            try:
                self._start()
            except ImplementationError as error:
                return Answer("CRASH", message=f"its process did not start again: {error}")
        assert self._process is not None
        try:
            content = self._process.ask(self._process.request(call), self.timeout)
            return _read_answer(content, self._process.arena)
        except TimeoutError:
            self._drop()
            return Answer("TIMEOUT", message=f"gave no answer within {self.timeout:g} s", seconds=self.timeout)
        except (EOFError, KeyError, TypeError, ValueError, ImplementationError):
            return Answer("CRASH", message=self._obituary())

    def renew(self) -> None:
        """Make the implementation anew, so that nothing is left of earlier calls."""
        try:
            if self._process is not None:
                self._process.ask({"renew": self.implementation}, STARTUP)
        except (EOFError, TimeoutError):
            self._drop()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _start(self) -> str:
        arguments = [sys.executable, "-c", BOOTSTRAP.format(path=[folder or os.getcwd() for folder in sys.path])]
        self._process = process = ChildProcess(arguments, self._environment)
        wanted = {
            "implementation": self.implementation, "arena": process.arena.path, "memory_limit": self.memory_limit,
            "protect": self._protect,
        }  # fmt: skip
        try:
            content = process.ask(wanted, STARTUP)
        except (TimeoutError, EOFError) as error:
            raise ImplementationError(f"{self.implementation} did not start: {self._obituary()}.") from error
        if "failed" in content:
            self.close()
            raise ImplementationError(content["failed"])
        process.arena.forget_name()
        self.arranges, self.checks_arguments = content["arranges"], content["checks_arguments"]
        return str(content["name"])

    def _drop(self) -> None:
        assert self._process is not None
        self._process.kill()
        self.close()

    def _obituary(self) -> str:
        """Say how the process ended; it has, or it is made to."""
        assert self._process is not None
        process, self._process = self._process, None
        code = process.end()
        last = [line.decode("utf-8", "replace").strip() for line in process.complaints]
        said = next((line for line in reversed(last) if line), "")
        return f"{_cause(code)}{f', its last words: {said}' if said else ''}"


def _cause(code: int | None) -> str:
    if code is None:
        return "its process broke the connection and had to be killed"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"its process died of {signal.Signals(-code).name}"
    return f"its process ended by itself, with exit code {code}"


def _read_answer(content: dict[str, Any], arena: Arena) -> Answer:
    place = content["result"]
    result = None if place is None else arena.get(Place(place[0], tuple(place[1]), place[2]))
    return Answer(
        content["status"], result, content["message"], content["seconds"], tuple(content["changed"]),
        content["overwrote"],
    )  # fmt: skip
