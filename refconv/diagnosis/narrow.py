"""Run more problems, until one known defect is left that predicts all results, and two problems have shown it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

from refconv.diagnosis.attributes import attributes
from refconv.diagnosis.defects import Triggered, known_defects
from refconv.diagnosis.find import candidates, explains, softened
from refconv.diagnosis.observe import Observation, observe_one
from refconv.diagnosis.predict import Calls, predict, same
from refconv.diagnosis.probes import PROBLEMS, Probe, probe_named, probe_of
from refconv.diagnosis.products import count_products
from refconv.diagnosis.wider import WIDER
from refconv.errors import RefconvError
from refconv.implementations import Runner
from refconv.problem import ConvProblem

ENOUGH = 2  # problems that show a defect, before it is believed
LARGEST = 300_000  # products of a problem that is tried


def narrowed(runner: Runner, operation: str, items: Sequence[Observation], seconds: float) -> list[Observation]:
    """Observe an operation on problems on which the defects that explain it so far would differ.

    Parameters
    ----------
    runner : Runner
    operation : str
    items : sequence of Observation
        What it gave so far; something is wrong.
    seconds : float
        Stops there.

    Returns
    -------
    list of Observation
        The further ones.
    """
    left, end, more = candidates(items), time.monotonic() + seconds, list[Observation]()
    shown = {item.problem for item in items if item.wrong}
    tried = {item.problem for item in items}
    for probe in _pool(operation, items, left) if left else ():
        if (len(left) == 1 and len(shown) >= ENOUGH) or time.monotonic() > end:
            break
        if probe.problem.descriptor in tried or not _telling(left, operation, probe, len(shown) >= ENOUGH):
            continue
        tried.add(probe.problem.descriptor)
        seen = observe_one(runner, operation, probe)
        if isinstance(seen, Observation):
            seen = softened([seen])[0] if items[0].near else seen
            more.append(seen)
            shown |= {seen.problem} if seen.wrong else set()
            left = {slug for slug in left if explains(slug, seen)}
            if not left:
                break
    return more


def _pool(operation: str, items: Sequence[Observation], left: Collection[str]) -> Iterator[Probe]:
    """Yield the examples of the defects that are left, what differs little from those or from what was wrong, more."""
    models = [defect for slug in sorted(left) if issubclass(defect := known_defects()[slug], Triggered)]
    examples = [ConvProblem.from_descriptor(model.example) for model in models]
    wrong = [probe_named(item.probe) for item in items if item.wrong]
    element = min(wrong, key=lambda probe: count_products(probe.problem)).element.name
    usual = [ConvProblem.from_descriptor(text) for text in (*PROBLEMS.values(), *WIDER)]
    seeds = [*examples, *sorted((probe.problem for probe in wrong), key=count_products)[:2]]
    for problem in (*examples, *(near for seed in seeds for near in _neighbours(seed)), *usual):
        if count_products(problem) <= LARGEST:
            try:
                yield probe_of(problem, element)
            except RefconvError:  # its sums are not exact in this format
                continue


def _neighbours(problem: ConvProblem) -> Iterator[ConvProblem]:
    """Yield the problems that differ in one attribute."""
    for _, read, write in attributes(problem):
        for value in (read(problem) + 1, read(problem) - 1, read(problem) + 2, 2 * read(problem)):
            try:
                changed = write(problem, value)
            except RefconvError:
                continue
            if min(changed.y_shape) > 0 and changed != problem:
                yield changed


def _telling(left: Collection[str], operation: str, probe: Probe, is_known: bool) -> bool:
    """Say whether a problem would show a defect that one problem alone has shown, or tell two defects apart."""
    kinds: list[Calls] = [] if is_known else [(probe.truth[operation],) * 2]
    for slug in left:
        predicted = predict(slug, operation, probe)
        if not any(all(map(same, predicted, kind)) for kind in kinds):
            kinds.append(predicted)
            if len(kinds) > 1:
                return True
    return False
