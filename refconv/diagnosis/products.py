"""What an operation adds up: a table of products, each of which meets one element of y, of x and of the weights.

The three operations of a layer share one such table: forward reads x and the weights and adds to y,
grad_input reads grad_output (which lies like y) and adds to grad_input (which lies like x), and so on.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.problem import ConvProblem, Problem

Array = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Letters = Mapping[str, Integers]  # the value of each variable of the loops, slot by slot

ABSENT = -1
TENSORS = ("y", "x", "weight")


@dataclass(frozen=True)
class Roles:
    """Which tensor of the table is the result, which one is probed element by element, which one is coded.

    Attributes
    ----------
    result, hot, coded : {"y", "x", "weight"}
    arguments : mapping
        The names of the arguments that lie like `hot` and `coded`.
    """

    result: str
    hot: str
    coded: str
    arguments: Mapping[str, str]


ROLES = {
    "forward": Roles("y", "weight", "x", {"x": "x", "weight": "weight"}),
    "grad_input": Roles("x", "weight", "y", {"y": "grad_output", "weight": "weight"}),
    "grad_weight": Roles("weight", "y", "x", {"x": "x", "y": "grad_output"}),
}


@dataclass(frozen=True, eq=False)
class Products:
    """A list of products: flat indices into y, x and weight, and the factor of each.

    Where the coded tensor does not take part, but a one does in its place, its index is its size.
    """

    problem: ConvProblem
    y: Integers
    x: Integers
    weight: Integers
    factor: Floats

    def __len__(self) -> int:
        return len(self.factor)

    def keys(self) -> Integers:
        """Return one number for each product, which tells it from all others."""
        sizes = [math.prod(self.problem.shape_of(name)) + 1 for name in TENSORS]
        return np.ravel_multi_index((self.y, self.x, self.weight), sizes).astype(np.int64)

    def same(self, other: Products) -> bool:
        """Say whether two lists hold the same products with the same factors, in any order."""
        mine, others = self.keys(), other.keys()
        if len(mine) != len(others):
            return False
        ours, theirs = np.argsort(mine, kind="stable"), np.argsort(others, kind="stable")
        close = np.isclose(self.factor[ours], other.factor[theirs], rtol=2.0**-18, atol=0)
        return bool(np.array_equal(mine[ours], others[theirs]) and close.all())

    def compute(self, operation: str, tensors: Mapping[str, Array]) -> Floats:
        """Add the products up in float64: the result that they give for these inputs."""
        roles, indices = ROLES[operation], {"y": self.y, "x": self.x, "weight": self.weight}
        terms = self.factor.copy()
        for name, argument in roles.arguments.items():
            flat = np.append(tensors[argument].astype(np.float64).ravel(), 1.0)
            terms *= flat[indices[name]]
        shape = self.problem.shape_of(operation)
        total = np.bincount(indices[roles.result], weights=terms, minlength=math.prod(shape))
        return total.astype(np.float64).reshape(shape)


@dataclass(frozen=True, eq=False)
class Slots:
    """Every place of the seven loops, padding included: one row for each (n, k, oh, ow, c, kh, kw).

    Attributes
    ----------
    letters : mapping
        The value of each letter in each slot.  Besides the loop variables: g, the group; m, the number
        of the output channel in its group; k%G; ic, the input channel; ih and iw, the place that is read,
        which may lie outside of the image; inside, 1 where it does not; last_tap and last_window, 1
        where no later tap, or window, meets the same place.
    y, x, weight : arrays of int
        The element of each tensor that a slot meets; x is absent outside of the image.
    """

    problem: ConvProblem
    letters: Letters
    y: Integers
    x: Integers
    weight: Integers

    def products(self) -> Products:
        """Return the true table."""
        inside = self.x != ABSENT
        return Products(self.problem, self.y[inside], self.x[inside], self.weight[inside], np.ones(int(inside.sum())))


def count_products(problem: Problem) -> int:
    """Return how many products a layer adds up, those with padding included.

    Examples
    --------
    >>> count_products(ConvProblem(batch=2, in_channels=3, out_channels=4, input_size=(5, 5), kernel_size=(2, 1)))
    960
    """
    return math.prod(problem.y_shape) * math.prod(problem.weight_shape[1:])


def axis_names(problem: ConvProblem) -> str:
    """Return the letters of the spatial axes: "w", "hw" or "dhw"."""
    return (
        "dhw"[-len(problem.input_size) :] if len(problem.input_size) <= 3 else "abcdefghij"[: len(problem.input_size)]
    )


@functools.lru_cache(maxsize=32)
def slots_of(problem: ConvProblem) -> Slots:
    """Return the slots of a problem.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> slots = slots_of(problem)
    >>> slots.y.tolist(), slots.x.tolist(), slots.weight.tolist()
    ([0, 0, 1, 1], [0, 1, 1, 2], [0, 1, 0, 1])
    """
    axes, per_group = axis_names(problem), problem.in_channels // problem.groups
    outs, taps = [f"o{axis}" for axis in axes], [f"k{axis}" for axis in axes]
    shape = (*problem.y_shape, per_group, *problem.kernel_size)
    grid = [part.ravel() for part in np.indices(shape, dtype=np.int64)]
    values = dict(zip(("n", "k", *outs, "c", *taps), grid, strict=True))
    outputs = max(1, problem.out_channels // problem.groups)
    values["g"], values["m"] = values["k"] // outputs, values["k"] % outputs
    values["k%G"] = values["k"] % problem.groups
    values["o"] = np.ravel_multi_index([values[name] for name in outs], problem.output_size)
    values["ic"] = values["g"] * per_group + values["c"]
    inside = np.ones(len(grid[0]), bool)
    for axis, name in enumerate(axes):
        begin = values[f"o{name}"] * problem.stride[axis] - problem.padding[axis][0]
        values[f"i{name}"] = begin + values[f"k{name}"] * problem.dilation[axis]
        inside &= (values[f"i{name}"] >= 0) & (values[f"i{name}"] < problem.input_size[axis])
    values["inside"] = inside.astype(np.int64)
    place = [np.where(inside, values[f"i{name}"], 0) for name in axes]
    x = np.ravel_multi_index((values["n"], values["ic"], *place), problem.x_shape)
    y = np.ravel_multi_index((values["n"], values["k"], *(values[name] for name in outs)), problem.y_shape)
    weight = np.ravel_multi_index((values["k"], values["c"], *(values[name] for name in taps)), problem.weight_shape)
    for name, kind, extents in (("tap", taps, problem.kernel_size), ("window", outs, problem.output_size)):
        order = np.ravel_multi_index([values[part] for part in kind], extents)
        values[f"last_{name}"] = _is_last(order, np.where(inside, x, ABSENT), x.max(initial=0) + 1)
    return Slots(problem, values, y, np.where(inside, x, ABSENT), weight)


def _is_last(order: Integers, x: Integers, size: int) -> Integers:
    latest = np.full(size + 1, -1, np.int64)
    np.maximum.at(latest, x, order)
    last: Integers = ((order == latest[x]) & (x != ABSENT)).astype(np.int64)
    return last
