"""A session that looks like a plain implementation, for those who want results and exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from refconv.implementations.arrangement import arrangement_of, poisoned
from refconv.implementations.protocol import PLAIN, Demand
from refconv.implementations.session import Answer, Array, Call, Session, answers_of
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
        call = _call(operation, tensors, problem, demand)
        answer = self.session.call(call)
        for name in (name for name in answer.changed if tensors[name].flags.writeable):
            tensors[name][...] = poisoned(tensors[name].shape, tensors[name].dtype)
        if answer.overwrote and self._last is not None:
            self._last[...] = poisoned(self._last.shape, self._last.dtype)
        self._last = answer.result
        return _returned(answer)

    def repeated(
        self, operation: str, tensors: Mapping[str, Any], problem: ConvProblem, times: int
    ) -> Iterator[Array]:  # fmt: skip
        """Ask for the same several times in a row; another process computes it while its parent does something else.

        Results are returned as they come, and what was done instead of returning one is raised there; no memory
        is poisoned.
        """
        self._last = None
        return map(_returned, answers_of(self.session, [_call(operation, tensors, problem)] * times))


def _call(operation: str, tensors: Mapping[str, Any], problem: ConvProblem, demand: Demand = PLAIN) -> Call:
    # Views, since a session may take the same objects for the same numbers.
    views = {name: tensor.view() for name, tensor in tensors.items() if tensor is not None}
    found = (arrangement_of(tensor) for tensor in views.values())
    arrangement = next((name for name in found if name != "packed"), "packed")
    return Call("", operation, views, problem, demand, arrangement)


def _returned(answer: Answer) -> Array:
    if answer.status == "UNSUPPORTED":
        raise NotImplementedError(answer.message)
    if answer.result is None:
        raise CallError(answer.message, answer.status)
    return answer.result
