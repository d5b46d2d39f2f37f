"""Rounds of Hypothesis until something is caught or the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from random import Random

from hypothesis import Phase, settings
from hypothesis import find as hypothesis_find
from hypothesis.errors import HypothesisException, NoSuchExample

from refconv.diagnosis.hunt.attempt import Attempt
from refconv.diagnosis.hunt.draws import attempts, kinds
from refconv.diagnosis.hunt.polish import descended, polish
from refconv.diagnosis.hunt.seams import seam_attempts
from refconv.diagnosis.hunt.trial import Catch, trial
from refconv.errors import FormatError
from refconv.formats import get_format
from refconv.implementations import Runner
from refconv.judge import AccuracyClass

SWEEP = 3000  # attempts
EXAMPLES = 250  # a round
SMALLEST, LARGEST = 11, 21  # of a round's limit of products, as exponents of two
Renew = Callable[[], Runner]


class _TimeIsUp(BaseException):
    """Leaves Hypothesis at once; not an Exception, which it would take for a finding."""


@dataclass
class Search:
    """What is tried, and what came of it.

    Attributes
    ----------
    renew : callable
        Returns the runner for the next attempt.
    operations, dtypes : sequence of str
    claimed : AccuracyClass or None
    deadline : float
        By :func:`time.monotonic`.
    executed, unsupported : int
        Calls so far.
    caught : Catch or None
        The simplest so far.
    """

    renew: Renew
    operations: Sequence[str]
    dtypes: Sequence[str]
    claimed: AccuracyClass | None
    deadline: float
    executed: int = 0
    unsupported: int = 0
    caught: Catch | None = field(default=None)

    def run(self, seed: int) -> None:
        """Search, and shrink what is caught; the same for the same seed, as far as the time allows."""
        known = kinds(self.dtypes, plain=False)
        try:
            if not self._sweep(Random(f"{seed}/seams"), known):
                for index, plain, limit in _rounds():
                    self._round(Random(f"{seed}/{index}"), plain, limit)
                    if self.caught:
                        break
            if self.caught:
                polish(descended(self.caught.attempt, self.fails, known), self.fails, known)
        except _TimeIsUp:
            return

    def _sweep(self, random: Random, known: Sequence[tuple[str, str]]) -> bool:
        """Try the seams of kernels, before all that Hypothesis may think of."""
        return any(map(self.fails, islice(seam_attempts(random, self.dtypes, known), SWEEP)))

    def _round(self, random: Random, plain: bool, limit: int) -> None:
        chosen = settings(
            max_examples=EXAMPLES, database=None, deadline=None, phases=(Phase.generate, Phase.shrink),
            print_blob=False,
        )  # fmt: skip
        try:
            hypothesis_find(attempts(self.dtypes, plain, limit), self.fails, settings=chosen, random=random)
        except NoSuchExample:
            return
        except HypothesisException:  # an implementation that keeps state may fail now and not the next time
            if self.caught is None:
                raise

    def fails(self, attempt: Attempt) -> bool:
        """Say whether an attempt fails; once something is caught, in the same operation."""
        operations = [self.caught.operation] if self.caught else self._operations(attempt)
        return any(self._fails(attempt, operation) for operation in operations)

    def _operations(self, attempt: Attempt) -> list[str]:
        integers = get_format(attempt.dtype).is_integer  # whose gradients nobody defines
        return [name for name in self.operations if not integers or name == "forward"]

    def _fails(self, attempt: Attempt, operation: str) -> bool:
        if time.monotonic() > self.deadline:
            raise _TimeIsUp
        try:
            found = trial(self.renew(), attempt, operation, self.claimed)
        except NotImplementedError:
            self.unsupported += 1
            return False
        except FormatError:  # too large for an exact fill
            return False
        self.executed += 1
        if found and (self.caught is None or found.attempt.rank < self.caught.attempt.rank):
            self.caught = found
        return found is not None


def _rounds() -> Iterator[tuple[int, bool, int]]:
    """Yield (number, whether only the plainest numbers are used, limit of products): small ones, then large ones."""
    sizes = range(SMALLEST, LARGEST + 1, 2)
    for index in count():
        yield index, index % 2 == 0, 2 ** sizes[index // 2 % len(sizes)]
