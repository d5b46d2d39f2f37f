"""What there is to compute: one prompt for each operation of each case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import CatalogueError
from refconv.implementations import RESULT_NAMES
from refconv.implementations.wanted import arguments_of
from refconv.problem import OPERATIONS
from refconv.suite import Case, Expected, Suite

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Prompt:
    """One operation of one case, its inputs, and what is expected.

    Attributes
    ----------
    case : Case
    operation : str
    inputs : dict of str to array
        Those that the operation reads, in the order of its arguments.
    expected : dict of str to Expected
        By policy; the only key is the empty string where there is no choice.
    """

    case: Case
    operation: str
    inputs: dict[str, Array]
    expected: dict[str, Expected]

    @property
    def first(self) -> Expected:
        """The golden value; for a choice, that of refconv's own policy."""
        return next(iter(self.expected.values()))

    @property
    def result_dtype(self) -> np.dtype[Any]:
        """The dtype of the result."""
        return np.dtype(self.first.tensor.dtype)

    @property
    def overflow(self) -> str | None:
        """What becomes of results that are too large, where it matters."""
        return self.first.judge.overflow


def prompts_of(case: Case, operations: Iterable[str] = OPERATIONS) -> Iterator[Prompt]:
    """Yield the operations that a case covers."""
    for operation in operations:
        name = RESULT_NAMES[operation]
        found = {"": case.expected[name]} if name in case.expected else {
            policy: results[name] for policy, results in case.alternatives.items() if name in results
        }  # fmt: skip
        if found:
            yield Prompt(case, operation, arguments_of(operation, case.inputs), found)


def selected(suite: Suite, select: Iterable[str], operations: Iterable[str]) -> Iterator[Prompt]:
    """Yield the prompts of the cases whose id matches.

    Raises
    ------
    CatalogueError
        If an operation is unknown, or no case matches.
    """
    wanted, patterns = tuple(operations), tuple(select)
    unknown = sorted(set(wanted) - set(OPERATIONS))
    if unknown:
        raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)}.")
    ids = suite.select(patterns)
    if not ids:
        raise CatalogueError(f"no case of suite {suite.name!r} matches {', '.join(patterns)}.")
    for case_id in ids:
        yield from prompts_of(suite.case(case_id), wanted)
