"""The fills by name: how the inputs of a whole case are made, and by which rule they are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refconv import fills
from refconv.catalogue.elements import Elements
from refconv.formats import NumberFormat
from refconv.problem import Problem

Tensors = dict[str, npt.NDArray[np.float64]]
Maker = Callable[[str, Problem, Elements, bool], Tensors]
RealFill = Callable[[str, tuple[int, ...], NumberFormat], npt.NDArray[np.float64]]

# The largest magnitude that a sum of an exact fill may reach, by the format of the results.  For bfloat16 and
# float32 it is what a float32 accumulator holds exactly; narrower formats must also hold the results: float16
# up to 65,504, float8_e5m2 up to 57,344, float8_e4m3fn up to 448.
BUDGETS = {
    "float64": 2**53, "float32": 2**24, "float16": 2**15, "bfloat16": 2**24, "float8_e5m2": 2**15,
    "float8_e4m3fn": 448, "int32": 2**31 - 1,
}  # fmt: skip


@dataclass(frozen=True)
class Fill:
    """A way to make the inputs of a case.

    Attributes
    ----------
    make : callable
        ``make(case id, problem, formats, has_bias)`` -> tensors of float64 that the formats hold exactly.
    rule : {"exact", "standard"}
        How the results are judged.
    flags : tuple of str
    header : str
        One sentence for the readers of the group's file.
    """

    make: Maker
    rule: str
    flags: tuple[str, ...]
    header: str


def _shapes(problem: Problem, has_bias: bool) -> dict[str, tuple[int, ...]]:
    names = ("x", "weight", "bias", "grad_output") if has_bias else ("x", "weight", "grad_output")
    return {name: problem.shape_of(name) for name in names}


def _exact(case_id: str, problem: Problem, elements: Elements, has_bias: bool) -> Tensors:
    return _integers(case_id, problem, elements, has_bias, BUDGETS[elements.out.name])


def _narrow(case_id: str, problem: Problem, elements: Elements, has_bias: bool) -> Tensors:
    return _integers(case_id, problem, elements, has_bias, elements.x.largest_integer)


def _integers(case_id: str, problem: Problem, elements: Elements, has_bias: bool, budget: int) -> Tensors:
    ranges = fills.exact_ranges(problem, elements.x, budget, has_bias)
    largest = {"x": ranges.x, "weight": ranges.weight, "grad_output": ranges.grad_output, "bias": ranges.bias}
    largest["weight"] = min(ranges.weight, elements.weight.largest_integer)
    largest["bias"] = min(ranges.bias, elements.out.largest_integer)
    shapes = _shapes(problem, has_bias)
    made = {name: fills.exact_integers(f"{case_id}/{name}", shape, largest[name]) for name, shape in shapes.items()}
    return {name: np.abs(made[name]) if unsigned else made[name] for name, unsigned in _unsigned(made, elements)}


def _extremes(case_id: str, problem: Problem, elements: Elements, has_bias: bool) -> Tensors:
    """Draw from the ends of the formats, three in four from the end farther from zero; the bias is exact."""
    made = _integers(case_id, problem, elements, has_bias, BUDGETS[elements.out.name])
    for name, element in (("x", elements.x), ("weight", elements.weight)):
        made[name] = fills.extremes(f"{case_id}/{name}", problem.shape_of(name), element)
    return made


def _bytes(case_id: str, problem: Problem, elements: Elements, has_bias: bool) -> Tensors:
    """Draw 8-bit integers, and a bias of the size of one product."""
    made = _integers(case_id, problem, elements, has_bias, BUDGETS[elements.out.name])
    if has_bias:
        made["bias"] = fills.exact_integers(f"{case_id}/bias", problem.shape_of("bias"), 2**14)
    return made


def _ones(case_id: str, problem: Problem, elements: Elements, has_bias: bool) -> Tensors:
    """Draw x and bias, and let all weights and gradients be one."""
    made = _exact(case_id, problem, elements, has_bias)
    return {name: tensor if name in ("x", "bias") else np.ones_like(tensor) for name, tensor in made.items()}


def _unsigned(made: Tensors, elements: Elements) -> list[tuple[str, bool]]:
    """Tell for each tensor whether its format has no negative numbers."""
    formats = {"x": elements.x, "grad_output": elements.x, "weight": elements.weight, "bias": elements.out}
    return [(name, formats[name].smallest >= 0) for name in made]


def _iota(_: str, problem: Problem, __: Elements, has_bias: bool) -> Tensors:
    return {name: fills.iota(shape) for name, shape in _shapes(problem, has_bias).items()}


def _real(first: RealFill, second: RealFill | None = None) -> Maker:
    """Fill x and grad_output by ``first``, weight and bias by ``second`` (by default the same)."""
    by_name = {"x": first, "grad_output": first, "weight": second or first, "bias": second or first}

    def make(case_id: str, problem: Problem, elements: Elements, has_bias: bool) -> Tensors:
        shapes = _shapes(problem, has_bias)
        return {name: by_name[name](f"{case_id}/{name}", shape, elements.x) for name, shape in shapes.items()}

    return make


_HEADER_EXACT = "Every partial sum is an integer that the accumulator holds: any order of summation gives these bits."
_HEADER_NARROW = "Every partial sum is an integer that the inputs' own format holds: any accumulator gives these bits."
_HEADER_REAL = (
    "Accumulating in the stated format, in any order, and rounding once ends within [lo, hi], element by element."
)

FILLS: dict[str, Fill] = {
    "exact": Fill(_exact, "exact", ("ExactInteger",), _HEADER_EXACT),
    "narrow": Fill(_narrow, "exact", ("ExactInteger", "NarrowAccumulator"), _HEADER_NARROW),
    "extremes": Fill(_extremes, "exact", ("ExactInteger", "Int8Extremes"), _HEADER_EXACT),
    "bytes": Fill(_bytes, "exact", ("ExactInteger",), _HEADER_EXACT),
    "ones": Fill(_ones, "exact", ("ExactInteger",), _HEADER_EXACT),
    "iota": Fill(_iota, "exact", ("Iota", "ExactInteger"), _HEADER_EXACT),
    "zero-mean": Fill(_real(fills.zero_mean), "standard", ("RealValued",), _HEADER_REAL),
    "positive": Fill(_real(fills.positive), "standard", ("RealValued",), _HEADER_REAL),
    "full-mantissa": Fill(_real(fills.full_mantissa), "standard", ("RealValued",), _HEADER_REAL),
    "wide-exponents": Fill(
        _real(fills.wide_exponents), "standard", ("RealValued", "WideExponents"), _HEADER_REAL
    ),
    "cancelling": Fill(
        _real(fills.cancelling, fills.smooth), "standard", ("RealValued", "Cancellation"), _HEADER_REAL
    ),
}  # fmt: skip
