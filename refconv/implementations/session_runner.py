"""A session that looks like a plain implementation, for those who want results and exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refconv.implementations.arrangement import arrangement_of, poisoned
from refconv.implementations.protocol import PLAIN, Demand
from refconv.implementations.session import Array, Call, Session
from refconv.problem import ConvProblem


class CallError(RuntimeError):
    """What an implementation did instead of returning a result, and the status of that."""

    def __init__(self, message: str, status: str = "ERROR") -> None:
        super().__init__(message)
        self.status = status


class SessionRunner:
    """Calls a session; what it does instead of returning becomes an exception.

    Tensors are handed over in the arrangement of the first one that is not packed.  What the implementation
    does to the memory of its own process is repeated here with poison: on inputs that it wrote to, and on a
    result that it overwrote by its next call.

    Examples
    --------
    >>> from refconv.implementations import open_session
    >>> with open_session("direct", isolate=False) as session:
    ...     SessionRunner(session).name
    'direct'
    """

    def __init__(self, session: Session) -> None:
        self.session, self.name = session, session.name
        self._last: Array | None = None

    def renewed(self) -> SessionRunner:
        """Return itself, with nothing left of earlier calls where the session can be renewed."""
        renew = getattr(self.session, "renew", None)
        if renew is not None:
            renew()
        return self

    def run(self, operation: str, tensors: Mapping[str, Any], problem: ConvProblem, demand: Demand = PLAIN) -> Array:
        """Compute an operation.

        Raises
        ------
        NotImplementedError
            If it is not offered.
        CallError
            If it was refused, or the implementation broke down, crashed or hung.
        """
        # Views, since a session may take the same objects for the same numbers.
        tensors = {name: tensor.view() for name, tensor in tensors.items() if tensor is not None}
        found = (arrangement_of(tensor) for tensor in tensors.values())
        arrangement = next((name for name in found if name != "packed"), "packed")
        answer = self.session.call(Call("", operation, tensors, problem, demand, arrangement))
        for name in (name for name in answer.changed if tensors[name].flags.writeable):
            tensors[name][...] = poisoned(tensors[name].shape, tensors[name].dtype)
        if answer.overwrote and self._last is not None:
            self._last[...] = poisoned(self._last.shape, self._last.dtype)
        self._last = answer.result
        if answer.status == "UNSUPPORTED":
            raise NotImplementedError(answer.message)
        if answer.result is None:
            raise CallError(answer.message, answer.status)
        return answer.result
