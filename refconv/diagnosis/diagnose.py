"""Name the bug: the defect that predicts everything that was seen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from refconv.diagnosis.drawing import Drawing, draw
from refconv.diagnosis.explain import Explanation, explain
from refconv.diagnosis.find import candidates, find, is_inexact, matched, softened
from refconv.diagnosis.machine import as_json
from refconv.diagnosis.narrow import narrowed
from refconv.diagnosis.numerics import flushes
from refconv.diagnosis.observe import Observation, Refusal, observe
from refconv.diagnosis.probes import probe_named, probe_of, probes
from refconv.diagnosis.wider import observe_wider
from refconv.diagnosis.words import Finding, describe
from refconv.errors import GeometryError
from refconv.implementations import Runner, as_runner
from refconv.problem import OPERATIONS, ConvProblem, Problem

NARROWING = 2.0  # seconds for problems that tell known defects apart
SECONDS = 8.0  # for all that needs a closer look


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about an implementation.

    Attributes
    ----------
    name : str
        The implementation's.
    findings : tuple of Finding
        One for each defect, with the operations that it explains and its equals.
    evidence : tuple of Observation
        What every operation gave on every probe.
    refused : tuple of Refusal
        What gave nothing to judge, because it is not offered or an exception was raised.
    description : str
        A few sentences for people.
    explanations : tuple of Explanation
        One for each operation that goes wrong and that no single defect explains.
    """

    name: str
    findings: tuple[Finding, ...]
    evidence: tuple[Observation, ...]
    refused: tuple[Refusal, ...]
    description: str
    explanations: tuple[Explanation, ...] = ()

    @property
    def defect(self) -> str | None:
        """The slug of the defect that explains most, if any explains something."""
        return self.defects[0] if self.defects else None

    @property
    def defects(self) -> tuple[str, ...]:
        """All slugs that fit: the equals of the first finding, then those of the next."""
        return tuple(slug for finding in self.findings for slug in finding.defects)

    @property
    def correct(self) -> bool:
        """Whether something was judged and nothing was wrong."""
        return bool(self.evidence) and not any(item.wrong for item in self.evidence)

    def __str__(self) -> str:
        return self.description

    @property
    def drawing(self) -> Drawing | None:
        """A picture of the first described difference, if there is one: see its ``text()`` and ``svg()``."""
        for item in self.explanations:
            for difference in item.differences:
                drawn = draw(difference, ConvProblem.from_descriptor(item.problem))
                if drawn is not None:
                    return drawn
        return None

    def as_json(self) -> dict[str, Any]:
        """Return it for machines: what json.dumps takes."""
        return as_json(self)


def diagnose(
    implementation: Any,
    problems: Iterable[Problem] = (),
    problem: Problem | None = None,
    without: Collection[str] = (),
) -> Diagnosis:
    """Run an implementation on a few telling problems, and name its defect or describe what it computes instead.

    Every operation runs twice in a row on exact-integer inputs.  A defect is named where its model
    predicts all results of an operation, the right ones among them, to the last bit.  What no model predicts
    is recovered product by product, and described.  Bugs that wait for many channels, other kernels, formats
    or layouts show on wider problems, and on those where known bugs were seen.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes: an object with forward, grad_input,
        grad_weight and grad_bias, or some of them, or a function with PyTorch's signature.
    problems : iterable of ConvProblem, optional
        Known to go wrong; they are run in addition to the usual ones, small ones in all formats.
    problem : ConvProblem, optional
        The same, for a single one.
    without : collection of str
        Slugs of defects that are not to be thought of: then the description tells what is wrong in its own words.

    Returns
    -------
    Diagnosis

    Raises
    ------
    GeometryError
        If a problem does not have two spatial axes.

    Examples
    --------
    >>> from refconv.diagnosis.defects.orientation import KernelFlipped
    >>> diagnose(KernelFlipped()).defect
    'kernel-flipped'
    """
    runner = as_runner(implementation)
    given = [_image(item) for item in (*problems, *([problem] if problem else []))]
    usual, refused = observe(runner, [*probes(), *map(probe_of, given)])
    observations, wider = _observed(runner, usual, without, given)
    findings = find(observations)
    explanations = _explained(runner, observations, findings, without)
    note = flushes(runner) if not any(item.wrong for item in observations) else ""
    texts = {item.operation: str(item) for item in explanations}
    tried = len({item.probe for item in wider})
    description = "\n".join(filter(None, [describe(observations, refused, findings, texts, tried), note]))
    return Diagnosis(
        runner.name, tuple(findings), tuple([*observations, *wider]), tuple(refused), description, tuple(explanations)
    )


def _image(problem: Problem) -> ConvProblem:
    if len(problem.input_size) != 2 or not isinstance(problem, ConvProblem):
        raise GeometryError(
            f"a diagnosis needs a problem with two spatial axes that is not transposed, got {problem}; "
            "refconv check NAME --vectors vectors/axes names the bugs of other layers."
        )
    return problem


def _observed(
    runner: Runner, usual: Sequence[Observation], without: Collection[str], given: Sequence[ConvProblem]
) -> tuple[list[Observation], list[Observation]]:  # fmt: skip
    """Run wider problems, too; return what operations gave of which one result is wrong, and the rest apart.

    What is wrong already needs no other formats and layouts, and what differs from call to call no other problems.
    """
    offered = [name for name in OPERATIONS if any(item.operation == name for item in usual)]
    bad = {item.operation for item in usual if item.wrong}
    restless = {item.operation for item in usual if not item.repeatable}
    wider = observe_wider(runner, [name for name in offered if name not in restless], without, given)
    wider = [item for item in wider if item.operation not in bad or probe_named(item.probe).is_usual]
    wrong = bad | {item.operation for item in wider if item.wrong}
    seen = matched([*usual, *(item for item in wider if item.operation in wrong)], without)
    for name in wrong:
        items = [item for item in seen if item.operation == name]
        if not candidates(items) and is_inexact(items):
            others = [item for item in seen if item.operation != name]
            soft = matched(softened(items), without)
            items = soft if candidates(soft) else items
            seen = others + items
        seen += narrowed(runner, name, items, NARROWING / len(wrong))
    return seen, [item for item in wider if item.operation not in wrong]


def _explained(
    runner: Runner, observations: Sequence[Observation], findings: Sequence[Finding], without: Collection[str]
) -> list[Explanation]:  # fmt: skip
    named = {operation for finding in findings for operation in finding.operations}
    suspects = [slug for finding in findings for slug in finding.defects]
    items = {name: [item for item in observations if item.operation == name] for name in OPERATIONS}
    riddles = [name for name in OPERATIONS if name not in named and any(item.wrong for item in items[name])]
    found: list[Explanation] = []
    for operation in riddles:
        found.append(explain(runner, operation, items[operation], suspects, SECONDS / len(riddles), without))
        suspects += found[-1].pair
    return found
