"""Search for a legal problem on which an implementation fails, and shrink it to the smallest."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refconv.diagnosis.hunt.reproducer import program_for
from refconv.diagnosis.hunt.trial import Catch, trial
from refconv.errors import CatalogueError, ImplementationError
from refconv.formats import get_format
from refconv.implementations import Runner, as_runner
from refconv.judge import AccuracyClass, parse_class
from refconv.problem import OPERATIONS

if TYPE_CHECKING:
    from refconv.diagnosis.hunt.search import Search

DTYPES = ("float32", "float64", "float16", "bfloat16", "int8")
Renew = Callable[[], Any]


@dataclass(frozen=True)
class Hunt:
    """What came of a search.

    Attributes
    ----------
    name : str
        The implementation's.
    executed, unsupported : int
        Operations that gave something to judge, and those that are not offered.
    seconds : float
    caught : Catch or None
    reproducer : str
        A Python program that fails; empty where nothing was caught.
    """

    name: str
    executed: int
    unsupported: int
    seconds: float
    caught: Catch | None = None
    reproducer: str = ""

    def __str__(self) -> str:
        if self.caught is None:
            found = f"nothing found in {self.executed} calls, {self.seconds:.0f} s"
            return f"{self.name}: {found if self.executed else 'nothing was executed'}"
        where = f"{self.caught.operation} on {self.caught.attempt.problem}"
        return f"{self.name}: {where}: {self.caught.message}"


def hunt(
    implementation: Any, seconds: float = 60.0, operations: Iterable[str] = OPERATIONS,
    dtypes: Iterable[str] = DTYPES, seed: int = 0, judged_by: str | None = None,
    renew: Renew | None = None, source: Any = None,
) -> Hunt:  # fmt: skip
    """Search for a legal problem on which an implementation fails; shrink it to the smallest.

    Problems at the seams of real kernels come first, then whatever Hypothesis draws: problems, inputs, memory
    layouts and second calls.  The exact engine knows the truth.
    Everything is determined by the seed and the loaded program; the seconds only say when to stop.  Nothing
    can interrupt a call that does not return.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes.
    seconds : float
    operations, dtypes : iterable of str
        Those to try; gradients of integers are never asked for.
    seed : int
        Another seed is another search.
    judged_by : str, optional
        The accuracy class that the implementation claims, see :func:`refconv.judge.parse_class`.
    renew : callable, optional
        Makes the implementation anew; by default a class does.  It tells a failure that needs earlier calls
        from one that does not.
    source : str, optional
        The implementation as the command line names it, for the reproducer.

    Returns
    -------
    Hunt

    Raises
    ------
    ImplementationError
        If Hypothesis is not installed.
    CatalogueError
        If an operation is unknown.

    Examples
    --------
    >>> from refconv.diagnosis.defects.tails import ChannelTailDropped
    >>> found = hunt(ChannelTailDropped, seconds=20)  # doctest: +SKIP
    >>> found.caught.attempt.problem.in_channels  # doctest: +SKIP
    5
    """
    begin, runner = time.monotonic(), as_runner(implementation)
    renewed = renew or (implementation if inspect.isclass(implementation) else None)
    claimed = parse_class(judged_by) if judged_by else None
    search = _search(runner, tuple(operations), tuple(dtypes), claimed, begin + seconds)
    search.run(seed)
    if search.caught and renewed and not _fails(as_runner(renewed()), search.caught, claimed):
        search = _stateless(search, renewed, begin + 2 * seconds, seed)
    caught = search.caught
    text = program_for(caught, runner, source or implementation, claimed)
    return Hunt(runner.name, search.executed, search.unsupported, time.monotonic() - begin, caught, text)


def _search(
    runner: Runner, operations: tuple[str, ...], dtypes: tuple[str, ...], claimed: AccuracyClass | None,
    deadline: float,
) -> Search:  # fmt: skip
    unknown = sorted(set(operations) - set(OPERATIONS))
    if unknown or not operations:
        raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)!r}.")
    for name in dtypes:
        get_format(name)
    try:
        from refconv.diagnosis.hunt.search import Search
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImplementationError(
            "hunt needs Hypothesis, which is not installed: pip install 'refconv[hunt]'."
        ) from error
    return Search(lambda: runner, operations, dtypes, claimed, deadline)


def _fails(runner: Runner, caught: Catch, claimed: AccuracyClass | None) -> bool:
    try:
        return trial(runner, caught.attempt, caught.operation, claimed) is not None
    except NotImplementedError:
        return False


def _stateless(search: Search, renew: Renew, deadline: float, seed: int) -> Search:
    """Search again, with a new implementation for every attempt, since what was caught needs earlier calls."""
    again = type(search)(lambda: as_runner(renew()), search.operations, search.dtypes, search.claimed, deadline)
    again.run(seed)
    return again if again.caught else search
