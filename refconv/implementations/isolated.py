"""Run an implementation in a process of its own, so that whatever it does is the outcome of one case."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import IO, Any

from refconv.errors import ImplementationError
from refconv.implementations.arena import Arena, Place
from refconv.implementations.child import write_request
from refconv.implementations.library import is_library
from refconv.implementations.session import Answer, Call
from refconv.problem import ConvProblem

TIMEOUT = 60.0  # seconds for one call
STARTUP = 300.0  # seconds for an import: large engines on a slow disk
PATIENCE = 2.0  # seconds until a process that was asked to end is killed
TAIL = 20  # lines of standard error that are kept

BOOTSTRAP = "import sys; sys.path[:] = {path!r}; from refconv.implementations.child import main; main()"
PERTURB = {"MALLOC_PERTURB_": "165"}  # glibc fills what it hands to a library, so that unwritten memory shows


class Process:
    """One child process with its pipes and its arena."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.popen = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment}, start_new_session=os.name == "posix",
        )  # fmt: skip
        self.arena = Arena()
        self._sent: dict[str, Any] | None = None
        self._problem: ConvProblem | None = None
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.complaints: deque[bytes] = deque(maxlen=TAIL)
        assert self.popen.stdout
        assert self.popen.stderr
        self._threads = [
            threading.Thread(target=_pump, args=(self.popen.stdout, self.lines.put, True), daemon=True),
            threading.Thread(target=_pump, args=(self.popen.stderr, self.complaints.append, False), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def request(self, call: Call) -> dict[str, Any]:
        """Put the tensors of a call where the child finds them; those of the call before lie there already."""
        stated = {name: value for name, value in vars(call).items() if name not in ("tensors", "problem")}
        if call.problem is not self._problem:
            self._problem = stated["problem"] = call.problem
        same = self._sent is not None and self._sent.keys() == call.tensors.keys()
        if same and all(tensor is call.tensors[name] for name, tensor in (self._sent or {}).items()):
            return {"call": stated}
        self._sent = dict(call.tensors)
        return {"call": stated, "tensors": dict(zip(call.tensors, self.arena.put(call.tensors.values()), strict=True))}

    def ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Send a request and wait for the answer with its token.

        Raises
        ------
        TimeoutError
            If none came in time.
        EOFError
            If the process ended, or what came is no answer.
        """
        token = secrets.token_hex(8)
        assert self.popen.stdin
        try:
            write_request(self.popen.stdin, {**request, "token": token})
        except OSError as error:
            raise EOFError from error
        try:
            line = self.lines.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error
        with contextlib.suppress(ValueError, TypeError):
            content, echoed = json.loads(line)
            if echoed == token and isinstance(content, dict):
                return content
        raise EOFError

    def end(self) -> int | None:
        """End the process and all that it has started, and return its exit code, None if it had to be killed."""
        assert self.popen.stdin
        with contextlib.suppress(OSError):
            self.popen.stdin.close()
        code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = _exit_code(self.popen, PATIENCE)
        self.kill()
        for thread in self._threads:
            thread.join(PATIENCE)
        for stream in (self.popen.stdout, self.popen.stderr):
            with contextlib.suppress(OSError):
                stream and stream.close()
        self.arena.close()
        return code

    def kill(self) -> None:
        """Kill the process, and where there are process groups, its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self.popen.pid, signal.SIGKILL)
            else:
                self.popen.kill()
        self.popen.wait()


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
        self._process: Process | None = None
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
        self._process = process = Process(arguments, self._environment)
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
    return f"its process ended in the middle of a call, with exit code {code}"


def _read_answer(content: dict[str, Any], arena: Arena) -> Answer:
    place = content["result"]
    result = None if place is None else arena.get(Place(place[0], tuple(place[1]), place[2]))
    return Answer(
        content["status"], result, content["message"], content["seconds"], tuple(content["changed"]),
        content["overwrote"],
    )  # fmt: skip


def _exit_code(popen: subprocess.Popen[bytes], timeout: float) -> int:
    return popen.wait(timeout)


def _pump(stream: IO[bytes], put: Any, closing: bool) -> None:
    """Hand lines over as they come, and at the end an empty one."""
    with contextlib.suppress(ValueError, OSError):
        for line in iter(lambda: stream.readline(2**20), b""):
            put(line)
    if closing:
        put(b"")
