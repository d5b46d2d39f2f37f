"""Name the bug: the defect that predicts everything that was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from refconv.diagnosis.find import find
from refconv.diagnosis.observe import Observation, Refusal, observe
from refconv.diagnosis.words import Finding, describe
from refconv.implementations import as_runner


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
    """

    name: str
    findings: tuple[Finding, ...]
    evidence: tuple[Observation, ...]
    refused: tuple[Refusal, ...]
    description: str

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


def diagnose(implementation: Any) -> Diagnosis:
    """Run an implementation on a few telling problems, and name its defect.

    Every operation runs twice in a row on exact-integer inputs.  A defect is named where its model
    predicts all results of an operation, the right ones among them, to the last bit.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes: an object with forward, grad_input,
        grad_weight and grad_bias, or some of them, or a function with PyTorch's signature.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> from refconv.diagnosis.defects.orientation import KernelFlipped
    >>> diagnose(KernelFlipped()).defect
    'kernel-flipped'
    """
    runner = as_runner(implementation)
    observations, refused = observe(runner)
    findings = find(observations)
    description = describe(observations, refused, findings)
    return Diagnosis(runner.name, tuple(findings), tuple(observations), tuple(refused), description)
