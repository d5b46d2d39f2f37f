"""One call of an implementation and what came of it, wherever it runs: here, in a child process, elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from refconv.formats import FORMATS
from refconv.implementations.protocol import PLAIN, Demand
from refconv.problem import Problem

Array = npt.NDArray[Any]

BROKE_DOWN = "broke down with "
STATUSES = ("RETURNED", "UNSUPPORTED", "REJECTED", "FAIL", "ERROR", "CRASH", "TIMEOUT")


@dataclass(frozen=True, eq=False)
class Call:
    """What an implementation is asked for.

    Attributes
    ----------
    case_id : str
        For those who look results up, and for messages.
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    tensors : mapping of str to array
        The inputs by name; never written to: an implementation gets copies.
    problem : ConvProblem or TransposedProblem
    demand : Demand
    arrangement : str
        How the copies lie in memory, see :data:`refconv.implementations.arrangement.ARRANGEMENTS`; ways of
        plugging in that know packed tensors only ignore it.
    in_place : bool
        Write the inputs into the buffers of the call before, as an optimiser updates weights.
    """

    case_id: str
    operation: str
    tensors: Mapping[str, Array]
    problem: Problem
    demand: Demand = PLAIN
    arrangement: str = "packed"
    in_place: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a call.

    Attributes
    ----------
    status : str
        ``RETURNED``; ``UNSUPPORTED``: it does not offer this; ``REJECTED``: it refused; ``FAIL``: it was
        caught at something forbidden; ``ERROR``: it broke down; ``CRASH``: its process died; ``TIMEOUT``.
    result : numpy.ndarray, optional
        What was returned, if it is an array of numbers.
    message : str
        One sentence, unless it returned.
    seconds : float
        Of the call alone.
    changed : tuple of str
        The inputs that the call wrote to.
    overwrote : bool
        Whether the result of the call before is no longer what it was.
    """

    status: str
    result: Array | None = None
    message: str = ""
    seconds: float = 0.0
    changed: tuple[str, ...] = ()
    overwrote: bool = False

    @property
    def refused(self) -> bool:
        """Whether it ended in an error of the implementation's own, on purpose or not."""
        return self.status == "REJECTED" or (self.status == "ERROR" and self.message.startswith(BROKE_DOWN))


class Session(Protocol):
    """An implementation that has been started; a context manager, since it may own a process.

    Attributes
    ----------
    name : str
    repeats : bool
        Whether it can be asked for other tensors than those of the suite.
    arranges : bool
        Whether it can hand over tensors that are not packed, and the same buffers twice.
    checks_arguments : bool
        Whether it is asked about what must be refused; kernels often trust those who call them.
    """

    name: str
    repeats: bool
    arranges: bool
    checks_arguments: bool

    def call(self, call: Call) -> Answer:
        """Run one operation; whatever the implementation does becomes an answer, never an exception."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...

    def __enter__(self) -> Session:
        """Return itself."""
        ...

    def __exit__(self, *exception: object) -> None:
        """Close."""
        ...


def answers_of(session: Session, calls: Sequence[Call]) -> Iterator[Answer]:
    """Return the answers to several calls, up to the one after which nothing more is asked.

    Sessions with a method ``answers`` are told of all calls at once, and compute while the one who asked does
    something else; others are called one at a time, when their answers are taken.  Either way a result is what it
    was when it was returned, whatever the next call does to its memory.
    """
    several = getattr(session, "answers", None)
    found: Iterator[Answer] = several(calls) if several else _one_by_one(session, calls)
    return found


def _one_by_one(session: Session, calls: Sequence[Call]) -> Iterator[Answer]:
    for index, call in enumerate(calls):
        answer = session.call(call)
        yield replace(answer, result=None if answer.result is None else answer.result.copy())
        if is_last(answer, index):
            return


def is_last(answer: Answer, index: int) -> bool:
    """Tell whether nothing is asked for after the answer to call ``index``: if the first failed, or the process died.

    Examples
    --------
    >>> is_last(Answer("UNSUPPORTED"), 0), is_last(Answer("UNSUPPORTED"), 1), is_last(Answer("CRASH"), 1)
    (True, False, True)
    """
    return answer.status in ("CRASH", "TIMEOUT") or (index == 0 and answer.status != "RETURNED")


def same_bytes(one: Array, other: Array) -> bool:
    """Tell whether two arrays hold the same bytes in C order, NaNs included."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def as_array(result: Any) -> Array | None:
    """Return a result as an array of numbers, or None if it is no such thing.

    It shares the memory of the result, unless that is of the other byte order.
    """
    try:
        got = np.asarray(result)
    except Exception:
        return None
    if not got.dtype.isnative and got.dtype.kind in "fiu":
        got = got.astype(got.dtype.newbyteorder())
    return got if got.dtype.kind in "fiub" or got.dtype.name in FORMATS else None
