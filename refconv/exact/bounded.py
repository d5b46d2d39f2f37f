"""Exact sums that one ordinary convolution decides, all but a few elements.

A convolution in float64 whose products do not fit errs, in whatever order it adds, by at most γ times the sum of the
magnitudes of the products, with γ = n u / (1 - n u) for n products and u = 2**-53 (Higham, "Accuracy and Stability of
Numerical Algorithms", section 3.1).  Where both ends of that interval round to one number of a narrower format, so does
the exact sum (Ziv, "Fast evaluation of elementary mathematical functions with correctly rounded last bit", 1991).  Of
the few elements where they do not, the products are looked up and added exactly.
"""

from __future__ import annotations

import math
import string
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.exact.elements import factors_of
from refconv.exact.expansion import is_cast, round_plain_sum
from refconv.exact.places import is_elsewhere
from refconv.exact.products import Extent, carried, products, takes_several, with_problem
from refconv.exact.slicing import SIGNIFICAND, Reals, extent, is_ordinary
from refconv.exact.sums import ExactSum, FloatSum, overflow_mode
from refconv.formats import NumberFormat, get_format
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
Float64s = npt.NDArray[np.float64]

LONG = 2**20  # products from which one convolution and a few elements take less time than several convolutions
FEW = 64  # an element by itself takes longer than so many together
FARTHEST = 400  # exponent of factors whose squares can be added in float64
CHUNK = 2**14  # elements that are rounded at a time
AT_ONCE = 2**20  # products that are looked up at a time
GENEROUS = 1 + 2.0**-20  # for the radius is rounded itself, as often as it has terms: 2**26 at most


@dataclass(frozen=True)
class BoundedSum:
    """The sum of all products of an operation: within a radius at first, and exactly where that does not do.

    Attributes
    ----------
    operation : {"forward", "grad_input", "grad_weight"}
    factors : list of array of float64 or float32
        Its two tensors.
    extents : list of (int, int)
        Theirs.
    problem : ConvProblem
    using : reference
        Which rounds every addition and multiplication of float64 by at most half a unit in the last place.
    bias : array of float64, optional
        What is to be added; it broadcasts to the shape.
    """

    operation: str
    factors: list[Reals]
    extents: list[Extent]
    problem: ConvProblem
    using: Any
    bias: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        return self.problem.shape_of(self.operation)

    def plus(self, values: Array) -> ExactSum:
        """Add an array of float64 that broadcasts to the shape, exactly."""
        one = self.bias is None and is_ordinary(*extent(values))
        return replace(self, bias=values) if one else self.exactly.plus(values)

    def round(self, out: NumberFormat, overflow: str | None = None, *, upward: bool = False) -> Array:
        """Round to a format, once."""
        narrow = out.precision < SIGNIFICAND and is_cast(out, overflow_mode(out, overflow), upward)
        rounded = self._rounded(out) if narrow else None
        return self.exactly.round(out, overflow, upward=upward) if rounded is None else rounded

    @cached_property
    def exactly(self) -> ExactSum:
        """The whole of it, by as many convolutions as that takes."""
        parts = products(self.operation, self.factors, self.extents, self.problem, self._apply)
        total = FloatSum(self.shape, tuple(parts or ()))
        return total if self.bias is None else total.plus(self.bias)

    @cached_property
    def radius(self) -> Float64s:
        """How far one convolution in float64 may be from the truth: shape (N, K), (N, C), or (K,) of a grad_weight.

        By the inequality of Cauchy and Schwarz: the magnitudes of the products add up to no more than the root of the
        squares of what is read times that of the squares of what it is multiplied with.
        """
        most, each = _squares_that_meet(self.operation, self.factors, self.problem, self._apply)
        unit = self.problem.reduction_length(self.operation) * 2.0**-SIGNIFICAND
        growth = unit / (1 - unit) * GENEROUS
        lead = self.shape[: 1 if self.operation == "grad_weight" else 2]
        return np.broadcast_to(growth * np.sqrt(most) * np.sqrt(each), lead)

    @property
    def _apply(self) -> Any:
        return with_problem(self.operation, self.using)

    def _rounded(self, out: NumberFormat) -> Array | None:
        """Round to nearest; None where too much hangs on the radius, or a lone element contradicts the others."""
        rough = self._apply(*carried(self.factors, np.float64), self.problem)
        radius, rounded = self.radius.reshape(-1, 1), np.empty(self.shape, out.dtype)
        terms = [rough] if self.bias is None else [rough, np.broadcast_to(self.bias, self.shape)]
        rows = [term.reshape(len(radius), -1) for term in terms]
        target = rounded.reshape(rows[0].shape)
        step, doubtful = max(1, CHUNK // target.shape[1]), []
        for start in range(0, len(target), step):
            piece = slice(start, start + step)
            found = round_plain_sum([row[piece] for row in rows], radius[piece], target[piece])
            doubtful.append(found + start * target.shape[1])
        where = np.concatenate(doubtful)
        return rounded if len(where) * FEW <= rounded.size and self._settle(where, rough, rounded, out) else None

    def _settle(self, where: Array, rough: Float64s, rounded: Array, out: NumberFormat) -> bool:
        """Round some elements by their products; tell whether all of these are where the convolution has them."""
        step = max(1, AT_ONCE // self.problem.reduction_length(self.operation))
        for start in range(0, len(where), step):
            places = np.unravel_index(where[start : start + step], self.shape)
            total = self._alone(places)
            distance = np.abs(total.round(get_format("float64")) - rough[places])
            if (distance > self.radius[places[: self.radius.ndim]]).any():
                return False
            whole = total if self.bias is None else total.plus(np.broadcast_to(self.bias, self.shape)[places])
            rounded[places] = whole.round(out)
        return True

    def _alone(self, places: tuple[Array, ...]) -> ExactSum:
        """Add up the products of some elements, by the reference: as the outputs of a layer with a group for each."""
        read, met = factors_of(self.operation, self.factors, self.problem, places)
        ones = (1,) * len(self.problem.kernel_size)
        layer = ConvProblem(batch=1, in_channels=read.size, out_channels=len(read), groups=len(read), input_size=ones,
                            kernel_size=ones)  # fmt: skip
        factors = [read.reshape(layer.x_shape), met.reshape(layer.weight_shape)]
        parts = products("forward", factors, list(map(extent, factors)), layer, with_problem("forward", self.using))
        flat = (part._replace(values=part.values.reshape(len(read))) for part in parts or ())
        return FloatSum((len(read),), tuple(flat))


def serves(operation: str, factors: list[Reals], extents: list[Extent], problem: ConvProblem) -> bool:
    """Tell whether an operation takes more than one convolution, and so long ones that one of them may save time."""
    long = math.prod(problem.shape_of(operation)) * problem.reduction_length(operation) >= LONG
    near = all(low >= -FARTHEST and high <= FARTHEST for low, high in extents)
    here = not any(map(is_elsewhere, factors))
    return long and near and here and takes_several(operation, factors, extents, problem)


def _squares_that_meet(
    operation: str, factors: list[Reals], problem: ConvProblem, apply: Any
) -> tuple[float, Float64s]:
    """Add up the squares in one result: of the first factor at most, and of the second for each channel."""
    (first, second), groups = factors, problem.groups
    if operation == "grad_weight":
        return float(_squares(first, (1,)).max()), _squares(second, (1,))
    grouped = first.reshape(len(first), groups, -1, *first.shape[2:])
    window = replace(problem, in_channels=groups, out_channels=groups)
    read = apply(_squares(grouped, (0, 1, *range(3, grouped.ndim))), np.ones(window.weight_shape), window)
    if operation == "forward":
        return float(read.max()), _squares(second, (0,))
    return float(read.max()), _squares(second.reshape(groups, -1, *second.shape[1:]), (0, 2)).reshape(-1)


def _squares(tensor: Reals, axes: tuple[int, ...]) -> Float64s:
    """Add up the squares in float64, along all but some axes."""
    every = string.ascii_letters[: tensor.ndim]
    kept = "".join(every[axis] for axis in axes)
    sums: Float64s = np.einsum(f"{every},{every}->{kept}", tensor, tensor, dtype=np.float64)
    return sums
