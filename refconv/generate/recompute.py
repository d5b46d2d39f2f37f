"""Compute every golden value of a suite again, by all references, from the inputs in its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from refconv.catalogue import TIERS, cases
from refconv.errors import RefconvError
from refconv.formats import get_format
from refconv.generate.consensus import agreed, consult
from refconv.generate.run import oracle_name
from refconv.generate.tasks import Task, under
from refconv.implementations import RESULT_NAMES, load_implementation
from refconv.suite import Case, load_suite
from refconv.workers import spread

Progress = Callable[[int, int], None]
OPERATION_OF = {result: operation for operation, result in RESULT_NAMES.items()}


def recompute(
    folder: Path, jobs: int = 1, oracle: str | None = None, progress: Progress | None = None,
    executor: Executor | None = None,
) -> list[str]:  # fmt: skip
    """Compute all golden values of a suite again and compare every byte.

    Parameters
    ----------
    folder : path
    jobs : int
        Number of processes.
    oracle : {"torch"}, optional
        Also ask it about every case that the catalogue knows.
    progress : callable, optional
        Called as ``progress(done cases, all cases)``.
    executor : concurrent.futures.Executor, optional
        Where to run instead; ``folder`` must be one that its workers share.

    Returns
    -------
    list of str
        One sentence for each tensor that differs; empty if none does.
    """
    suite, witness = load_suite(folder), oracle_name(oracle)
    groups = list(suite.group_names)
    found: dict[str, list[str]] = {}
    done = 0
    for name, result, error in spread(partial(recompute_group, folder, witness), groups, jobs, executor):
        found[name] = [str(error)] if result is None else result
        done += len(suite.select([f"{name}/*"]))
        if progress:
            progress(done, len(suite))
    return [finding for name in groups for finding in found[name]]


def recompute_group(folder: Path, oracle: str | None, group: str) -> list[str]:
    """Compute the cases of one group again; runs in a worker."""
    found = [finding for case in load_suite(folder).group(group).cases for finding in _recompute_case(case)]
    return found + (list(_consulted(load_suite(folder).name, group, oracle)) if oracle else [])


def _recompute_case(case: Case) -> Iterator[str]:
    for scope, name, expected in case.all_expected():
        accumulator, policy = expected.judge.accumulator, scope.partition("/")[2]
        out_format, steps = get_format(expected.tensor.dtype), get_format(accumulator) if accumulator else None
        try:
            overflow = expected.judge.overflow
            task = Task(case.id, OPERATION_OF[name], case.problem, case.inputs, out_format, steps, overflow,
                        case.quantization)  # fmt: skip
            golden = agreed(under(policy, task))
        except RefconvError as error:
            yield str(error)
            continue
        for part, stored in expected.parts.items():
            if golden[part].tobytes() != stored.tobytes():
                yield f"{case.id}: {name} ({part}) must hold what the references compute, but it differs."
        terms = int(golden["terms"].max(initial=0)) if "terms" in golden else None
        if expected.judge.terms != terms:
            yield f"{case.id}: {name} must state {terms} terms, got {expected.judge.terms}."


def _consulted(tier: str, group: str, oracle: str) -> Iterator[str]:
    runner = load_implementation(oracle)
    for spec in cases(tier, [f"{group}/*"]) if tier in TIERS else ():
        try:
            consult(runner, spec)
        except RefconvError as error:
            yield str(error)
