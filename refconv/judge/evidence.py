"""What the judge knows about one operation of one case: everything exact, computed when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv import exact
from refconv.exact.slicing import as_float64, extent
from refconv.formats import NumberFormat, get_format
from refconv.problem import Problem
from refconv.reference import im2col
from refconv.reference.choice import suited

Array = npt.NDArray[Any]
FLOAT64 = get_format("float64")


@dataclass(frozen=True, eq=False)
class Evidence:
    """An operation, its inputs, and what follows from them exactly.

    Attributes
    ----------
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    tensors : mapping
        The operation's inputs among ``x``, ``weight``, ``bias`` and ``grad_output``; others are not read.
    problem : ConvProblem or TransposedProblem
    out : NumberFormat
        Of the result.
    exact_fill : bool
        Whether the inputs were chosen so that ordinary arithmetic does not round at all.
    overflow : str, optional
        What becomes of too large values in formats without infinity.
    golden : array, optional
        The exact result rounded once, where it is known; it is computed where it is not.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    >>> tensors = {"x": np.float32([[[[3, -2]]]]), "weight": np.float32([[[[5, 7]]]]), "bias": None}
    >>> evidence = Evidence("forward", tensors, problem, get_format("float32"))
    >>> float(evidence.truth[0, 0, 0, 0]), float(evidence.magnitude[0, 0, 0, 0]), int(evidence.terms[0, 0, 0, 0])
    (1.0, 29.0, 2)
    """

    operation: str
    tensors: Mapping[str, Array | None]
    problem: Problem
    out: NumberFormat
    exact_fill: bool = False
    overflow: str | None = None
    golden: Array | None = None

    @property
    def _reference(self) -> Any:
        return suited(im2col, self.problem)

    @property
    def factors(self) -> list[Array]:
        """The tensors that are multiplied, in float64: two, or one for grad_bias."""
        return [as_float64(self.tensors[name]) for name in exact.FACTORS[self.operation]]

    @property
    def bias(self) -> Array | None:
        """The bias in float64, shaped to be added to the result; None where there is none."""
        bias = self.tensors.get("bias") if self.operation == "forward" else None
        return None if bias is None else as_float64(bias).reshape(-1, *[1] * len(self.problem.output_size))

    @property
    def element(self) -> NumberFormat:
        """The format of the inputs."""
        first = self.tensors[exact.FACTORS[self.operation][0]]
        return get_format(np.asarray(first).dtype)

    @property
    def accumulator(self) -> NumberFormat:
        """The format in which an ordinary implementation adds the products of such inputs.

        Gradients of 16-bit formats may be added up in steps of the format itself, as the vectors allow.
        """
        element, usual = self.element, get_format(self.element.accumulator)
        return usual if self.operation == "forward" or element.is_integer else element

    @cached_property
    def total(self) -> exact.ExactSum:
        """The exact result y, not rounded yet."""
        return exact.exact_sum(self.operation, self.tensors, self.problem, self._reference)

    @cached_property
    def truth(self) -> Array:
        """The exact result, rounded once to the output format."""
        return self.total.round(self.out, self.overflow) if self.golden is None else self.golden

    @cached_property
    def magnitude(self) -> Array:
        """S, the sum of the magnitudes of all products and of the bias, in float64, rounded up."""
        total = exact.exact_magnitude(self.operation, self.tensors, self.problem, self._reference)
        return total.round(FLOAT64, upward=True)

    @cached_property
    def terms(self) -> Array:
        """The number n of products that exist for each result, and one for a bias."""
        ones = (np.ones(self.problem.shape_of(name)) for name in exact.FACTORS[self.operation])
        counted: Array = self.apply(*ones).astype(np.int64)
        return counted if self.bias is None else counted + 1

    @cached_property
    def squares(self) -> Array:
        """Q squared, the sum of the squared products (and of the squared bias), in float64."""
        squared = [factor * factor for factor in self.factors]
        total = self.apply(*squared)
        return total if self.bias is None else total + self.bias * self.bias

    def apply(self, *factors: Array) -> Array:
        """Run the operation on other factors, without bias, in float64 and not exactly."""
        if self.operation == "forward":
            result: Array = self._reference.forward(factors[0], factors[1], None, self.problem)
        else:
            result = getattr(self._reference, self.operation)(*factors, self.problem)
        return result

    def error_of(self, result: Array) -> Array:
        """Return ``result - y`` rounded once to float64; the result must be finite."""
        error: Array = -self.total.plus(-as_float64(result)).round(FLOAT64)
        return error

    def fits(self, accumulator: NumberFormat) -> bool:
        """Whether every partial sum, in any order, is a number of the accumulator: nothing rounds.

        All products are multiples of one power of two; sums up to ``2**p`` of these units are exact.
        """
        unit = sum(extent(factor)[0] for factor in self.factors)
        if self.bias is not None:
            unit = min(unit, extent(self.bias)[0])
        within = float(self.magnitude.max(initial=0.0)) <= np.ldexp(float(accumulator.largest_integer), unit)
        return bool(within and unit >= accumulator.quantum_exponent)
