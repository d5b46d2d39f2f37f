"""What a vector suite holds: groups of cases, each with its inputs, its expected results and their judges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from refconv.problem import Problem
from refconv.quantization import Quantization

Array = np.ndarray[Any, Any]
Rule = Literal["exact", "standard"]
Result = Literal["valid", "choice", "invalid"]

INPUTS = ("x", "weight", "bias", "grad_output")
EXPECTED = ("y", "grad_input", "grad_weight", "grad_bias")
RESULTS = ("valid", "choice", "invalid")


@dataclass(frozen=True)
class Judge:
    """The rule by which a computed tensor is accepted.

    Attributes
    ----------
    rule : {"exact", "standard"}
        Equality (-0 equals +0), or the interval ``lo <= value <= hi``.  Spelled ``"class"`` in the files.
    accumulator : str, optional
        The format whose rounding error the interval allows; for ``"standard"`` only.
    terms : int, optional
        The number of terms that were added, bias included; for ``"standard"`` only.
    overflow : {"infinity", "saturate", "nan"}, optional
        What becomes of results beyond the largest finite number; stated where there are any and it matters.
    """

    rule: Rule
    accumulator: str | None = None
    terms: int | None = None
    overflow: str | None = None


@dataclass(frozen=True, eq=False)
class Expected:
    """One golden tensor and how to judge a computed one against it.

    Attributes
    ----------
    tensor : numpy.ndarray
        The exact result, rounded once.
    judge : Judge
    lo, hi : numpy.ndarray, optional
        The accepted interval of each element, in the dtype of `tensor`; present iff the rule is not exact.
    magnitude : numpy.ndarray of float64, optional
        The sum of the absolute products of each element; present iff the rule is not exact.
    """

    tensor: Array
    judge: Judge
    lo: Array | None = None
    hi: Array | None = None
    magnitude: Array | None = None

    @property
    def parts(self) -> dict[str, Array]:
        """The tensors that are present, by the name of their key in the index."""
        named = {"tensor": self.tensor, "lo": self.lo, "hi": self.hi, "magnitude": self.magnitude}
        return {key: array for key, array in named.items() if array is not None}


@dataclass(frozen=True, eq=False)
class Case:
    """One problem with its inputs and the expected result of every operation that it covers.

    Attributes
    ----------
    id : str
        ``"group-name/case-slug"``, unique in the suite.
    comment : str
    flags : tuple of str
        The bugs that the case hunts; each is explained in the notes of the group.
    result : {"valid", "choice", "invalid"}
        Must match, may match (one policy among several), or must be refused.
    problem : ConvProblem or TransposedProblem
    inputs : dict
        Some of ``x``, ``weight``, ``bias`` and ``grad_output``.
    expected : dict
        Some of ``y``, ``grad_input``, ``grad_weight`` and ``grad_bias``; empty for a choice and what is invalid.
    alternatives : dict of dict
        For a choice: what is expected under each policy, by its name; refconv's own policy comes first.
    quantization : Quantization, optional
        The scales and zero points of a quantised layer, whose y has 8 bits.
    refused : tuple of str
        For what is invalid: the operations that must be refused.
    """

    id: str
    comment: str
    flags: tuple[str, ...]
    result: Result
    problem: Problem
    inputs: dict[str, Array]
    expected: dict[str, Expected]
    alternatives: dict[str, dict[str, Expected]] = field(default_factory=dict)
    quantization: Quantization | None = None
    refused: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The part of the id that follows the name of the group."""
        return self.id.partition("/")[2]

    def payload_tensors(self) -> dict[str, Array]:
        """Return every tensor of the case by its name in the payload, such as ``case-slug/y.lo``."""
        tensors = {payload_name(self.slug, name): array for name, array in self.inputs.items()}
        for scope, name, expected in self.all_expected():
            tensors |= {payload_name(scope, name, part): array for part, array in expected.parts.items()}
        return tensors

    def all_expected(self) -> Iterator[tuple[str, str, Expected]]:
        """Yield (scope in the payload, name, golden) of every result, those of all policies included."""
        yield from ((self.slug, name, expected) for name, expected in self.expected.items())
        for policy, results in self.alternatives.items():
            yield from ((f"{self.slug}/{policy}", name, expected) for name, expected in results.items())


@dataclass(frozen=True)
class Note:
    """What a flag means to whoever fails a case that carries it.

    Attributes
    ----------
    bug_type : str
        ``"INDEXING"``, ``"NUMERIC"`` ...
    description : str
        What the case has.
    effect : str
        What a failure usually means.
    defects : tuple of str
        The defect models that a case with this flag must catch.
    links : tuple of str
    """

    bug_type: str
    description: str
    effect: str
    defects: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Group:
    """The cases that share two files: an index and a payload.

    Attributes
    ----------
    name : str
        A slug, and the stem of both files.
    suite : str
    header : tuple of str
        What a reader should know before the first case.
    notes : dict
        One note for each flag that is used.
    cases : tuple of Case
    """

    name: str
    suite: str
    header: tuple[str, ...]
    notes: dict[str, Note]
    cases: tuple[Case, ...]


def payload_name(slug: str, name: str, part: str = "tensor") -> str:
    """Return the name of a tensor in the payload.

    Examples
    --------
    >>> payload_name("s2-p1", "x"), payload_name("s2-p1", "y", "lo"), payload_name("s2-p1/padding-is-zero", "y")
    ('s2-p1/x', 's2-p1/y.lo', 's2-p1/padding-is-zero/y')
    """
    return f"{slug}/{name}" if part == "tensor" else f"{slug}/{name}.{part}"
