"""What there is to compute: one prompt for each operation of each case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import CatalogueError
from refconv.implementations import RESULT_NAMES
from refconv.implementations.layouts import Layouts
from refconv.implementations.wanted import arguments_of
from refconv.problem import OPERATIONS
from refconv.suite import Case, Expected, Suite, chosen

Array = npt.NDArray[Any]
OWN = Layouts()


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
    layouts : Layouts
        How the tensors lie.
    """

    case: Case
    operation: str
    inputs: dict[str, Array]
    expected: dict[str, Expected]
    layouts: Layouts = OWN

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

    @property
    def may_refuse(self) -> bool:
        """Whether it is a choice under one of whose policies the operation is refused."""
        return any(RESULT_NAMES[self.operation] not in results for results in self.case.alternatives.values())

    @property
    def nbytes(self) -> int:
        """The bytes of the inputs and of the result."""
        return sum(tensor.nbytes for tensor in self.inputs.values()) + self.first.tensor.nbytes

    def laid_out(self, layouts: Layouts) -> Prompt:
        """Return the prompt with its tensors in other layouts."""
        name = RESULT_NAMES[self.operation]
        inputs = {argument: layouts.arranged(tensor, argument) for argument, tensor in self.inputs.items()}

        def golden(found: Expected) -> Expected:
            lo, hi = (None if bound is None else layouts.arranged(bound, name) for bound in (found.lo, found.hi))
            return replace(found, tensor=layouts.arranged(found.tensor, name), lo=lo, hi=hi, magnitude=None)

        expected = {policy: golden(found) for policy, found in self.expected.items()}
        return replace(self, inputs=inputs, expected=expected, layouts=layouts)


def prompts_of(case: Case, operations: Iterable[str] = OPERATIONS) -> Iterator[Prompt]:
    """Yield the operations that a case covers; what must be refused has no result, and is none."""
    for operation in operations:
        name = RESULT_NAMES[operation]
        found = {"": case.expected[name]} if name in case.expected else {
            policy: results[name] for policy, results in case.alternatives.items() if name in results
        }  # fmt: skip
        if found:
            yield Prompt(case, operation, arguments_of(operation, case.inputs), found)


def selected_cases(suite: Suite, select: Iterable[str], operations: Iterable[str]) -> Iterator[Case]:
    """Yield the cases whose id matches.

    Raises
    ------
    CatalogueError
        If an operation is unknown, or no case matches.
    """
    patterns = tuple(select)
    unknown = sorted(set(operations) - set(OPERATIONS))
    if unknown:
        raise CatalogueError(f"an operation must be one of {', '.join(OPERATIONS)}, got {', '.join(unknown)}.")
    return map(suite.case, chosen(suite, patterns))
