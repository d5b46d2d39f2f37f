"""A program of any language, asked over JSON lines: one long-lived process, started again whenever it fails."""

from __future__ import annotations

import os
import shlex
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from refconv.errors import ImplementationError
from refconv.implementations.messages import (
    TRANSPORTS,
    VERSION,
    Folder,
    GarbledError,
    line_of,
    packed,
    parse_answer,
    received,
    run_message,
    shown,
)
from refconv.implementations.process import Program, how_it_ended
from refconv.implementations.protocol import RESULT_NAMES
from refconv.implementations.session import Answer, Call
from refconv.implementations.wanted import arguments_of
from refconv.problem import TransposedProblem
from refconv.version import __version__

MARK = "-- "  # what a command begins with, where an implementation is named by a text
TIMEOUT = 60.0  # seconds for one call
START = 30.0  # seconds for the greeting
ATTEMPTS = 3  # starts that fail one after the other before it is given up


class BrokenError(Exception):
    """What ended the program: the status of the outcome, and a sentence."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class Command:
    """A session with a program that speaks the protocol of ``docs/protocol.md``.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments.
    timeout : float
        For each call, in seconds.
    start : float
        For the greeting, in seconds.

    Raises
    ------
    ImplementationError
        If it cannot be started, or does not greet as it must.
    """

    repeats, arranges = True, False
    checks_arguments = transposed = False

    def __init__(self, words: Sequence[str], timeout: float = TIMEOUT, start: float = START) -> None:
        self.words, self.timeout, self.start = tuple(words), timeout, start
        self.name = Path(self.words[0]).name if self.words else ""
        self._seq, self._failed_starts = 0, 0
        self._program: Program | None = None
        self._files: Folder | None = None
        if not self.words:
            raise ImplementationError("a command must follow '--', as in: refconv check -- ./harness --flag.")
        try:
            self._begin()
        except BrokenError as broken:
            self.close()
            raise ImplementationError(f"{shlex.join(self.words)} must greet, but it {broken}.") from None
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_text(cls, text: str, timeout: float = TIMEOUT) -> Command:
        """Start the command of a text such as ``"-- ./harness --flag"``."""
        return cls(shlex.split(text.removeprefix(MARK)), timeout)

    def call(self, call: Call) -> Answer:
        """Run one operation; whatever ends the program is the outcome of this call alone."""
        begin = time.perf_counter()
        try:
            if self._program is None:
                self._begin()
            begin = time.perf_counter()
            return self._answer(call, begin)
        except BrokenError as broken:
            self._kill()
            return Answer(broken.status, message=str(broken), seconds=time.perf_counter() - begin)
        except ImplementationError as error:
            return Answer("ERROR", message=str(error))
        except OSError as error:  # the program has spoilt its folder, or the disk is full
            self._kill()
            return Answer("ERROR", message=f"could not be given its tensors as files, got {error.strerror}")

    def _answer(self, call: Call, begin: float) -> Answer:
        if isinstance(call.problem, TransposedProblem) and not self.transposed:  # it would compute another operator
            return Answer("UNSUPPORTED", message="does not say in its greeting that it knows transposed convolutions")
        message = run_message(call, self._next(), self._files)
        size = sum(tensor.nbytes for tensor in call.tensors.values())
        answer = self._exchange(message, self.timeout)
        seconds = time.perf_counter() - begin
        text = f"{answer.get('message', '')}"[:500]
        status = answer["status"]
        if status == "ok":
            result = self._checked(lambda: received(answer, self._files, RESULT_NAMES[call.operation]))
            return Answer("RETURNED", result, "", seconds, self._changed(call) if size else ())
        if status == "rejected":
            return Answer("REJECTED", message=f"refused a legal problem: {text}".rstrip(": "), seconds=seconds)
        if status == "error":
            return Answer("ERROR", message=f"broke down: {text}".rstrip(": "), seconds=seconds)
        return Answer("UNSUPPORTED", message=text, seconds=seconds)

    def _changed(self, call: Call) -> tuple[str, ...]:
        """List the input files that no longer hold what was written there."""
        if self._files is None:
            return ()
        tensors = arguments_of(call.operation, call.tensors)
        return tuple(name for name, tensor in tensors.items() if not _same(self._files.file(name), packed(tensor)))

    def _begin(self) -> None:
        """Start the program and greet it."""
        if self._failed_starts >= ATTEMPTS:
            raise ImplementationError(f"was given up after {ATTEMPTS} starts that failed")
        self._failed_starts += 1
        try:
            self._program = Program(self.words)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ImplementationError(f"{self.words[0]} must be a program that can be started: {reason}.") from None
        greeting = {"type": "start", "seq": self._next(), "protocol": VERSION, "refconv": __version__}
        self._greeted(self._exchange(greeting, self.start))
        self._failed_starts = 0

    def _greeted(self, answer: dict[str, Any]) -> None:
        """Take the name and the transport out of the answer to the greeting."""
        if answer["status"] != "ok" or answer.get("protocol") != VERSION:
            raise BrokenError("ERROR", f"answered start with {answer!r:.200}, not with ok and protocol {VERSION}")
        transport = answer.get("transport", TRANSPORTS[0])
        if transport not in TRANSPORTS:
            raise BrokenError(
                "ERROR", f"asked for the transport {transport!r:.80}, which is none of {', '.join(TRANSPORTS)}"
            )
        self.checks_arguments = answer.get("checks_arguments") is True
        self.transposed = answer.get("transposed") is True
        name = answer.get("name")
        self.name = name[:100] if isinstance(name, str) and name.isprintable() and name else self.name
        self._files = Folder.made() if transport == "file" else None

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _exchange(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Send a message and read its answer."""
        program = self._program
        assert program is not None
        early = program.pending()
        if early:
            raise BrokenError("ERROR", f"wrote to stdout before it was asked: {shown(early)}")
        request = line_of(message)
        program.longest = 2**20 + 16 * len(request) + 16 * _elements(message)
        try:
            line = program.ask(request, seconds)
        except TimeoutError:
            raise BrokenError("TIMEOUT", f"gave no answer within {seconds:g} s{self._last_words()}") from None
        if not line.endswith(b"\n"):
            raise self._cut_off(line)
        parsed: dict[str, Any] = self._checked(lambda: parse_answer(line, message["seq"]))
        return parsed

    def _cut_off(self, line: bytes) -> BrokenError:
        assert self._program is not None
        if len(line) >= self._program.longest:
            return BrokenError("ERROR", f"wrote {len(line)} bytes to stdout without a newline: {shown(line)}")
        ending = how_it_ended(self._program.ended(0.5))
        half = f" after half an answer: {shown(line)}" if line else " in the middle of the call"
        return BrokenError("CRASH", f"{ending}{half}{self._last_words()}")

    def _checked(self, read: Any) -> Any:
        try:
            return read()
        except GarbledError as garbled:
            raise BrokenError("ERROR", f"{garbled}{self._last_words()}") from None

    def _last_words(self) -> str:
        said = self._program.said() if self._program else ""
        return f"; its stderr says {said!r}" if said else ""

    def _kill(self) -> None:
        """End the program, and remove its folder: the next one gets another, whatever this one did to it."""
        program, self._program = self._program, None
        files, self._files = self._files, None
        if program is not None:
            program.kill()
        if files is not None:
            files.remove()

    def close(self) -> None:
        """Ask the program to stop, end it if it does not, and leave nothing behind."""
        try:
            if self._program is not None:
                self._program.ask(line_of({"type": "stop", "seq": self._next()}), 1.0)
                self._program.finish_input()
                self._program.ended()
        except TimeoutError:
            pass
        finally:
            self._kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def is_command(text: str) -> bool:
    """Tell whether a text names a command.

    Examples
    --------
    >>> is_command("-- ./harness --flag"), is_command("torch")
    (True, False)
    """
    return text.startswith(MARK)


def named(impl: str) -> str:
    """Return what a user named, as a shell wants it.

    Examples
    --------
    >>> named("my layers/mine.py:conv2d"), named("-- node x.mjs")
    ("'my layers/mine.py:conv2d'", '-- node x.mjs')
    """
    return impl if is_command(impl) else shlex.quote(impl)


def _same(path: Path, data: bytes) -> bool:
    try:
        status = os.lstat(path)
        return stat.S_ISREG(status.st_mode) and status.st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _elements(message: dict[str, Any]) -> int:
    count = 1
    for length in message.get("output", {}).get("shape", ()):
        count *= length
    return count
