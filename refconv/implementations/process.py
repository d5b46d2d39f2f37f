"""A long-lived program that is asked line by line, and that may do anything: die, hang, babble, never read."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import IO

TAIL = 4096  # bytes of stderr that are kept
WAITING = 256  # lines of stdout that are read ahead; whoever writes more waits
ERROR = re.compile(r"(Uncaught )?([A-Za-z_.]*(Error|Exception)\b|panic: |thread '.*' panicked)")
GRACE = 2.0  # seconds to end by itself


class Program:
    """A started program; one line in, one line out, each within a time limit.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments; no shell reads them.
    longest : int
        The most bytes of a line that are kept; what is longer arrives cut off, without its newline.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, words: Sequence[str], longest: int = 2**20) -> None:
        self.longest = longest
        self._tail = b""
        self._lines: queue.Queue[bytes] = queue.Queue(WAITING)
        self._requests: queue.Queue[bytes | None] = queue.Queue()
        self._process = subprocess.Popen(
            list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=os.name == "posix",  # a group of its own, which can be killed as one
        )  # fmt: skip
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._read, self._listen)]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Its process, and on POSIX its process group."""
        return self._process.pid

    def ask(self, request: bytes, seconds: float) -> bytes:
        """Send a line and return the next one that comes back.

        Returns
        -------
        bytes
            With its newline, if it is whole; empty at the end of the stream.

        Raises
        ------
        TimeoutError
            If nothing came in time.
        """
        self._requests.put(request)
        return self.next_line(seconds)

    def next_line(self, seconds: float) -> bytes:
        """Return the next line, as :meth:`ask` does."""
        try:
            line = self._lines.get(timeout=seconds) if seconds > 0 else self._lines.get_nowait()
        except queue.Empty:
            raise TimeoutError from None
        self._keep_the_end(line)
        return line

    def pending(self) -> bytes | None:
        """Return a line that has arrived without being asked for, if there is one."""
        try:
            line = self._lines.get_nowait()
        except queue.Empty:
            return None
        self._keep_the_end(line)
        return line or None

    def _keep_the_end(self, line: bytes) -> None:
        """Leave the end of the stream where the next one who looks finds it, too."""
        if not line:
            self._lines.put(line)

    def ended(self, seconds: float = GRACE) -> int | None:
        """Wait for its end; return its exit code, negative for a signal, or None if it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def finish_input(self) -> None:
        """Close its standard input, behind what has been sent."""
        self._requests.put(None)

    def said(self) -> str:
        """Return the line of the end of its stderr that says most, if any."""
        if self._process.poll() is not None:
            self._threads[2].join(0.2)  # what was written at the end is still on its way
        return telling_line(self._tail.decode("utf-8", "replace"))[:200]

    def kill(self) -> None:
        """End it, with all that it started in its process group, and everything that served it."""
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # its leader is not reaped yet, so the group is ours
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        self._requests.put(None)
        self._drain()

    def _drain(self) -> None:
        """Let the threads come to their end; one whose pipe somebody else still holds is left to the system."""
        until = time.monotonic() + GRACE
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < until:
            while self.pending() is not None:
                pass
            self._threads[1].join(0.001)
            for thread in self._threads[::2]:
                thread.join(0.001)
        if not any(thread.is_alive() for thread in self._threads):
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                _close(stream)

    def _write(self) -> None:
        stream = self._process.stdin
        while (request := self._requests.get()) is not None:
            try:
                stream.write(request)  # type: ignore[union-attr]  # a pipe was asked for
                stream.flush()  # type: ignore[union-attr]
            except (OSError, ValueError):  # it has gone, and will be found gone
                break
        _close(stream)

    def _read(self) -> None:
        stream = self._process.stdout
        while True:
            line = stream.readline(self.longest)  # type: ignore[union-attr]
            self._lines.put(line)
            if not line:
                return

    def _listen(self) -> None:
        stream = self._process.stderr
        while chunk := stream.read1(TAIL):  # type: ignore[union-attr]
            self._tail = (self._tail + chunk)[-TAIL:]


def telling_line(text: str) -> str:
    r"""Return the last line that names an error, behind which some languages write where it was; else the last one.

    Examples
    --------
    >>> telling_line("x.mjs:3\n\nReferenceError: vist is not defined\n    at compute (x.mjs:3:1)\n\nNode.js v20")
    'ReferenceError: vist is not defined'
    >>> telling_line("one\ntwo\n")
    'two'
    """
    lines = [line.strip() for line in text.strip().splitlines()] or [""]
    return next((line for line in reversed(lines) if ERROR.match(line)), lines[-1])


def how_it_ended(code: int | None) -> str:
    """Say an exit code in words.

    Examples
    --------
    >>> how_it_ended(-11), how_it_ended(3), how_it_ended(None)
    ('was killed by SIGSEGV', 'exited with code 3', 'closed its stdout and went on')
    """
    if code is None:
        return "closed its stdout and went on"
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _close(stream: IO[bytes] | None) -> None:
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            stream.close()
