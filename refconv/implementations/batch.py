"""Calls that a process is asked for together, and the answers that have come so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from refconv.implementations.arena import Arena
from refconv.implementations.session import Answer, Call, is_last


class Batch:
    """Some calls on their way; each has a token, which its answer must echo.

    Attributes
    ----------
    calls : list of Call
    tokens : list of str
        One for each call; empty as long as nothing has been sent.
    arena : Arena or None
        Where the tensors lie.
    done : bool
        Whether no more answers will come.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = list(calls)
        self.tokens: list[str] = []
        self.arena: Arena | None = None
        self._answers: deque[Answer] = deque()
        self._count = 0
        self.done = not calls

    @property
    def next_call(self) -> Call:
        """The call whose answer comes next."""
        return self.calls[self._count]

    @property
    def next_token(self) -> str:
        """Its token."""
        return self.tokens[self._count]

    @property
    def empty(self) -> bool:
        """Whether all answers that came have been taken."""
        return not self._answers

    def add(self, answer: Answer) -> None:
        """Keep an answer until it is taken."""
        self.done = is_last(answer, self._count) or self._count + 1 == len(self.calls)
        self._count += 1
        self._answers.append(answer)

    def take(self) -> Answer:
        """Return the oldest answer that has not been taken yet."""
        return self._answers.popleft()
