"""A session that looks like a plain implementation, for those who want results and exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refconv.implementations.protocol import PLAIN, Demand
from refconv.implementations.session import Array, Call, Session
from refconv.problem import ConvProblem


class CallError(RuntimeError):
    """What an implementation did instead of returning a result."""


class SessionRunner:
    """Calls a session; what it does instead of returning becomes an exception.

    Examples
    --------
    >>> from refconv.implementations import open_session
    >>> with open_session("direct", isolate=False) as session:
    ...     SessionRunner(session).name
    'direct'
    """

    def __init__(self, session: Session) -> None:
        self.session, self.name = session, session.name

    def run(self, operation: str, tensors: Mapping[str, Any], problem: ConvProblem, demand: Demand = PLAIN) -> Array:
        """Compute an operation.

        Raises
        ------
        NotImplementedError
            If it is not offered.
        CallError
            If it was refused, or the implementation broke down, crashed or hung.
        """
        answer = self.session.call(Call("", operation, tensors, problem, demand))
        if answer.status == "UNSUPPORTED":
            raise NotImplementedError(answer.message)
        if answer.result is None:
            raise CallError(answer.message)
        return answer.result
