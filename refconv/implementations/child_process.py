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
from collections.abc import Mapping
from typing import IO, Any

from refconv.implementations.arena import Arena
from refconv.implementations.batch import Batch
from refconv.implementations.child import packed_request

PATIENCE = 2.0  # seconds until a process that was asked to end is killed
HERE = ("case_id", "tensors")  # of a call: what is not sent as it is
HELD = 2**15  # bytes that a pipe surely takes though nobody reads: a process that hangs must not stop its parent
TAIL = 20  # lines of standard error that are kept


class StrangeAnswerError(EOFError):
    """A whole line came that does not answer what was asked: nothing that follows it can be understood."""


class ChildProcess:
    """One child process with its pipes and two arenas: one is filled while the results in the other are read."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.popen = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment}, start_new_session=os.name == "posix",
        )  # fmt: skip
        self.arenas = (Arena(), Arena())
        self._turn = 0
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

    def start(self, batch: Batch, alone: bool) -> None:
        """Send the calls of a batch; unless it is alone, only if that cannot make us wait.

        Which case they are for stays here: what is judged has no business to know.  If the process has ended, no
        answer will have the tokens.
        """
        self._turn = 1 - self._turn
        batch.arena = self.arenas[self._turn]
        calls, end = _described(batch)
        secret = secrets.token_hex(8)
        tokens = [f"{secret}-{number}" for number in range(len(calls))]
        message = packed_request({"arena": self._turn, "calls": calls, "end": end, "tokens": tokens})
        if alone or len(message) <= HELD:
            batch.tokens = tokens
            with contextlib.suppress(EOFError):
                self._write(message)

    def ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Send a request and wait for its answer; see :meth:`receive`."""
        return self.receive(self.send(request), timeout)

    def send(self, request: dict[str, Any]) -> str:
        """Send a request and return the token of its answer; if the process has ended, no answer will have it."""
        token = secrets.token_hex(8)
        with contextlib.suppress(EOFError):
            self._write(packed_request({**request, "token": token}))
        return token

    def _write(self, message: bytes) -> None:
        assert self.popen.stdin
        try:
            self.popen.stdin.write(message)
            self.popen.stdin.flush()
        except OSError as error:
            raise EOFError from error

    def receive(self, token: str, timeout: float) -> dict[str, Any]:
        """Wait for the answer with a token.

        Raises
        ------
        TimeoutError
            If none came in time.
        StrangeAnswerError
            If what came is no answer.
        EOFError
            If the process ended, perhaps in the middle of an answer.
        """
        try:
            line = self.lines.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            content, echoed = json.loads(line)
            if echoed == token and isinstance(content, dict):
                return content
        raise StrangeAnswerError if line.endswith(b"\n") else EOFError

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
        for arena in self.arenas:
            arena.close()
        return code

    def kill(self) -> None:
        """Kill the process, and where there are process groups, its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self.popen.pid, signal.SIGKILL)
            else:
                self.popen.kill()
        self.popen.wait()


def _described(batch: Batch) -> tuple[list[dict[str, Any]], int]:
    """Put the tensors of calls where the child finds them, and tell where they end; equal ones in a row only once."""
    assert batch.arena
    found: list[dict[str, Any]] = []
    before: Mapping[str, Any] = {}
    end = 0
    for call in batch.calls:
        stated = {name: value for name, value in vars(call).items() if name not in HERE}
        if not found or not _same_tensors(before, call.tensors):
            places = batch.arena.put(call.tensors.values(), end)
            stated["tensors"] = dict(zip(call.tensors, places, strict=True))
            end = max((place.end for place in places), default=end)
        found.append(stated)
        before = call.tensors
    return found, end


def _same_tensors(before: Mapping[str, Any], tensors: Mapping[str, Any]) -> bool:
    return before.keys() == tensors.keys() and all(tensor is tensors[name] for name, tensor in before.items())


def _pump(stream: IO[bytes], put: Any, closing: bool) -> None:
    """Hand lines over as they come, and at the end an empty one."""
    with contextlib.suppress(ValueError, OSError):
        for line in iter(lambda: stream.readline(2**20), b""):
            put(line)
    if closing:
        put(b"")
