"""A child process as its parent holds it: pipes, shared memory, and an end that leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO, Any

from refconv.implementations.arena import Arena
from refconv.implementations.child import write_request
from refconv.implementations.session import Call
from refconv.problem import Problem

PATIENCE = 2.0  # seconds until a process that was asked to end is killed
HERE = ("case_id", "tensors", "problem")  # of a call: what is not sent as it is
TAIL = 20  # lines of standard error that are kept


class ChildProcess:
    """One child process with its pipes and its arena."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.popen = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment}, start_new_session=os.name == "posix",
        )  # fmt: skip
        self.arena = Arena()
        self._sent: dict[str, Any] | None = None  # the tensors that the child has, and where they end
        self._end = 0
        self._problem: Problem | None = None
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

    def requests(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """Put the tensors of calls where the child finds them; those of the call before lie there already.

        Results lie one behind the other, behind all inputs, so that none is lost before it is read.  Which case it
        is for stays here: what is judged has no business to know.
        """
        found: list[dict[str, Any]] = []
        sent, begin = self._sent, self._end
        for call in calls:
            stated = {name: value for name, value in vars(call).items() if name not in HERE}
            if call.problem is not self._problem:
                self._problem = stated["problem"] = call.problem
            found.append({"call": stated})
            if not _same_tensors(sent, call.tensors):
                places = self.arena.put(call.tensors.values(), begin if found[1:] else 0)
                found[-1]["tensors"] = dict(zip(call.tensors, places, strict=True))
                sent, begin = dict(call.tensors), max((place.end for place in places), default=0)
        self._sent, self._end = sent, begin
        found[0]["end"] = begin
        return found

    def ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Send a request and wait for its answer; see :meth:`send` and :meth:`receive`."""
        return self.receive(self.send([request])[0], timeout)

    def send(self, requests: Sequence[dict[str, Any]]) -> list[str]:
        """Send requests and return their tokens.

        Raises
        ------
        EOFError
            If the process has ended.
        """
        tokens = [secrets.token_hex(8) for _ in requests]
        assert self.popen.stdin
        try:
            for request, token in zip(requests, tokens, strict=True):
                write_request(self.popen.stdin, {**request, "token": token})
            self.popen.stdin.flush()
        except OSError as error:
            raise EOFError from error
        return tokens

    def receive(self, token: str, timeout: float) -> dict[str, Any]:
        """Wait for the answer with a token.

        Raises
        ------
        TimeoutError
            If none came in time.
        EOFError
            If the process ended, or what came is no answer.
        """
        try:
            line = self.lines.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error
        with contextlib.suppress(ValueError, TypeError, RecursionError):
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
            code = self.popen.wait(PATIENCE)
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


def _same_tensors(sent: Mapping[str, Any] | None, tensors: Mapping[str, Any]) -> bool:
    same = sent is not None and sent.keys() == tensors.keys()
    return same and all(tensor is tensors[name] for name, tensor in (sent or {}).items())


def _pump(stream: IO[bytes], put: Any, closing: bool) -> None:
    """Hand lines over as they come, and at the end an empty one."""
    with contextlib.suppress(ValueError, OSError):
        for line in iter(lambda: stream.readline(2**20), b""):
            put(line)
    if closing:
        put(b"")
