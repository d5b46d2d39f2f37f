"""The same problems with other numbers: golden values are computed on the spot, so that nobody can have seen them.

The numbers are those of the vectors, dealt again: every tensor is shuffled by a seed, which keeps what its fill
promises about single numbers.  What it promised about sums is computed again: a case is judged for equality where
no partial sum can round, else by the interval of its accumulator.  Choices, quantised layers and what must be refused
stay as they are.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from refconv import exact
from refconv.formats import NumberFormat, get_format
from refconv.implementations import RESULT_NAMES
from refconv.judge import Evidence, standard_interval
from refconv.reference import im2col
from refconv.reference.choice import suited
from refconv.suite import Case, Expected, Judge, Suite

OPERATIONS = {name: operation for operation, name in RESULT_NAMES.items()}


class FreshSuite(Suite):
    """A suite whose cases have other inputs than its files.

    Parameters
    ----------
    suite : Suite
    seed : int
        Zero or more; equal seeds give equal cases.
    """

    def __init__(self, suite: Suite, seed: int) -> None:
        super().__init__(suite.folder, suite.manifest)
        self.seed = seed

    def case(self, case_id: str) -> Case:
        """Load one case, and deal its numbers again."""
        return fresh_case(super().case(case_id), self.seed)


def fresh_case(case: Case, seed: int) -> Case:
    """Return a case with shuffled inputs and what they give, computed exactly.

    Examples
    --------
    >>> from refconv.suite import load_suite
    >>> from refconv.suite.embedded import smoke_folder
    >>> case = load_suite(smoke_folder()).case("worked-example-float32-iota/x3x3-w2x2")
    >>> fresh = fresh_case(case, seed=1)
    >>> sorted(fresh.inputs["x"].flat) == sorted(case.inputs["x"].flat)
    True
    >>> fresh.expected["y"].tensor.tolist() == case.expected["y"].tensor.tolist()
    False
    """
    if case.result != "valid" or case.quantization is not None:
        return case
    inputs = {name: _shuffled(tensor, f"{seed}/{case.id}/{name}") for name, tensor in case.inputs.items()}
    dealt = replace(case, inputs=inputs)
    found = {name: _golden(dealt, name, old) for name, old in case.expected.items()}
    if any(expected is None for expected in found.values()):
        return case
    return replace(dealt, expected={name: expected for name, expected in found.items() if expected})


def _shuffled(tensor: np.ndarray, text: str) -> np.ndarray:
    generator = np.random.default_rng([zlib.crc32(text.encode()), zlib.adler32(text.encode())])
    dealt: np.ndarray = tensor.reshape(-1)[generator.permutation(tensor.size)].reshape(tensor.shape)
    return dealt


def _golden(case: Case, name: str, old: Expected) -> Expected | None:
    """Compute what is expected, or None where nothing can be demanded of everybody: an overflow that nobody foresaw.

    Where magnitudes add up to more than float64 holds, partial sums may overflow, or err by no known bound.
    """
    out, operation = get_format(old.tensor.dtype), OPERATIONS[name]
    evidence = Evidence(operation, case.inputs, case.problem, out, overflow=old.judge.overflow or _unforeseen(out))
    accumulator = get_format(old.judge.accumulator) if old.judge.accumulator else evidence.accumulator
    finite = all(np.isfinite(factor).all() for factor in evidence.factors)
    if finite and old.judge.overflow is None and not np.isfinite(evidence.truth.astype(np.float64)).all():
        return None
    if old.judge.rule == "exact" and (not finite or evidence.fits(accumulator)):
        return Expected(evidence.truth, Judge("exact", overflow=old.judge.overflow))
    if accumulator.is_integer:
        return None
    magnitude = exact.exact_magnitude(operation, case.inputs, case.problem, suited(im2col, case.problem))
    interval = standard_interval(evidence.total, magnitude, evidence.terms, accumulator, out, evidence.overflow)
    if finite and np.isinf(interval.magnitude).any():
        return None
    judge = Judge("standard", accumulator.name, int(evidence.terms.max(initial=0)), old.judge.overflow)
    return Expected(evidence.truth, judge, **interval._asdict())


def _unforeseen(out: NumberFormat) -> str | None:
    """Let an overflow in a format without infinity show as NaN."""
    return None if out.has_infinity or out.is_integer else "nan"
