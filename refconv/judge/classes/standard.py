"""Class ``standard``: products added in one accumulator, in any order, then rounded once."""

from __future__ import annotations

from dataclasses import dataclass

from refconv.formats import NumberFormat
from refconv.judge.bounds import error_bound
from refconv.judge.classes.base import AccuracyClass, Float64s
from refconv.judge.evidence import Evidence


@dataclass(frozen=True)
class Standard(AccuracyClass):
    """``E = ((1 + u)**n - 1) * S + n * h / 2``, see :mod:`refconv.judge.bounds`.

    Attributes
    ----------
    accumulator : NumberFormat, optional
        By default the ordinary one of the inputs: float32 for float32, float16, bfloat16 and float8,
        float64 for float64.

    Examples
    --------
    >>> from refconv.formats import get_format
    >>> Standard(get_format("float32")).name, Standard().name
    ('standard:float32', 'standard')
    """

    accumulator: NumberFormat | None = None

    @property
    def name(self) -> str:
        """The text form."""
        return f"standard:{self.accumulator}" if self.accumulator else "standard"

    def format(self, evidence: Evidence) -> NumberFormat:
        """Return the accumulator for such inputs."""
        return self.accumulator or evidence.accumulator

    def bound(self, evidence: Evidence) -> Float64s:
        """Return E."""
        return error_bound(evidence.magnitude, evidence.terms, self.format(evidence))

    def forgives_nothing(self, evidence: Evidence) -> bool:
        """Whether every partial sum of an exact fill fits into the accumulator."""
        return evidence.out.is_integer or (evidence.exact_fill and evidence.fits(self.format(evidence)))
