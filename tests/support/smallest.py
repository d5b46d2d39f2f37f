"""The smallest problem on which an implementation fails, by trying all that differ little from the trivial one."""

from itertools import combinations, product

from refconv.diagnosis.hunt import Attempt, trial
from refconv.diagnosis.hunt.polish import LEAST, _problem
from refconv.implementations import as_runner
from refconv.problem import OPERATIONS

CHANGES = {1: (1, 2, 3, 4), 2: (1, 2, 3, 4), 3: (1, 2), 4: (1,)}  # how far so many numbers may be raised


def tiny_problems():
    """List problems with at most four unusual numbers, the smallest first."""
    found = {}
    for count, raised in ({0: (0,)} | CHANGES).items():
        for places in combinations(range(len(LEAST)), count):
            for steps in product(raised, repeat=count):
                numbers = list(LEAST)
                for place, step in zip(places, steps, strict=True):
                    numbers[place] += step
                problem = _problem(tuple(numbers))
                if problem:
                    found[problem] = Attempt(problem).size
    return sorted(found, key=found.__getitem__)


def smallest_known(
    create, problems, operations=OPERATIONS, circumstances=((False, False), (True, False), (True, True))
):
    """Return the size of the first problem on which an implementation fails, made anew for each; None if none.

    ``circumstances`` are pairs of whether there is a bias, and a second call.
    """
    for problem in problems:
        for bias, again in circumstances:
            attempt = Attempt(problem, bias=bias, again=again)
            if any(trial(as_runner(create()), attempt, operation) for operation in operations):
                return attempt.size
    return None
