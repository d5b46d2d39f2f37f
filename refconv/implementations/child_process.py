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
from refconv.implementations.child import write_request
from refconv.implementations.session import Call
from refconv.problem import ConvProblem

PATIENCE = 2.0  # seconds until a process that was asked to end is killed
TAIL = 20  # lines of standard error that are kept


class ChildProcess:
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


def _pump(stream: IO[bytes], put: Any, closing: bool) -> None:
    """Hand lines over as they come, and at the end an empty one."""
    with contextlib.suppress(ValueError, OSError):
        for line in iter(lambda: stream.readline(2**20), b""):
            put(line)
    if closing:
        put(b"")
