"""Three ways to look at a wrong operator: the input, the weight or the output is another one than it should be.

Two tensors of a product say which slot of the loops it belongs to; the third may then be compared with the
one that the slot should have met.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from refconv.diagnosis.linear import Linear
from refconv.diagnosis.products import ABSENT, TENSORS, Array, Floats, Integers, Letters, Products, axis_names, slots_of
from refconv.problem import ConvProblem


@dataclass(frozen=True)
class Index:
    """One index of the tensor that is looked at: its name, its true value, and of what it may be made."""

    name: str
    truth: Integers
    extent: int
    preferred: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Met:
    """Which element each slot met, and its factor; absent, or a one in place of an element (its size)."""

    target: Integers
    factor: Floats


@dataclass(frozen=True, eq=False)
class View:
    """What each slot should meet of one tensor, and what it met.

    Attributes
    ----------
    tensor : {"x", "weight", "y", "bias"}
    letters : mapping
    truth : array of int
        The flat element that each slot should meet; absent on the padding.
    indices : tuple of Index
    layers : tuple of Met
        The first holds what is nearest to the truth; more of them, if slots met several elements.
    known : mapping
        The elements of the other tensors that each slot meets.
    """

    tensor: str
    problem: ConvProblem
    letters: Letters
    truth: Integers
    indices: tuple[Index, ...]
    layers: tuple[Met, ...]
    known: Mapping[str, Integers] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the tensor."""
        return tuple(index.extent for index in self.indices)

    @property
    def size(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)


def view_of(tensor: str, products: Products) -> View | None:
    """Look at one tensor of a table; None if some products belong to no slot."""
    problem, slots = products.problem, slots_of(products.problem)
    keep = np.ones(len(slots.y), bool) if tensor == "x" else slots.x != ABSENT
    of_slots = {name: getattr(slots, name)[keep] for name in TENSORS}
    of_products = {name: getattr(products, name) for name in TENSORS}
    others = [name for name in TENSORS if name != tensor]
    sizes = [math.prod(problem.shape_of(name)) + 1 for name in others]
    keys = np.ravel_multi_index([of_slots[name] for name in others], sizes)
    order = np.argsort(keys)
    wanted = np.ravel_multi_index([of_products[name] for name in others], sizes)
    place = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    if not np.array_equal(keys[order][place], wanted):
        return None
    letters = {name: values[keep] for name, values in slots.letters.items()}
    truth = of_slots[tensor]
    layers = _layers(order[place], of_products[tensor], products.factor, truth)
    known = {name: of_slots[name] for name in others}
    return View(tensor, problem, letters, truth, _indices(tensor, letters, problem), layers, known)


def view_of_linear(linear: Linear) -> View:
    """Look at the channel of the bias that belongs to each element of y."""
    problem = linear.problem
    names = ("n", "k", *(f"o{axis}" for axis in axis_names(problem)))
    letters = {
        name: part.ravel().astype(np.int64) for name, part in zip(names, np.indices(problem.y_shape), strict=True)
    }
    per_group = max(1, problem.out_channels // problem.groups)
    letters |= {"g": letters["k"] // per_group, "m": letters["k"] % per_group}
    outs = [letters[f"o{axis}"] for axis in axis_names(problem)]
    letters["o"] = np.ravel_multi_index(outs, problem.output_size)
    slots = slots_of(problem)
    sees = np.zeros(len(letters["n"]), np.int64)
    np.maximum.at(sees, slots.y, slots.letters["inside"])
    letters["inside"] = sees
    element, channel = np.nonzero(linear.matrix)
    layers = _layers(element, channel, linear.matrix[element, channel], letters["k"])
    index = Index("k", letters["k"], problem.out_channels, (("k",), ("m",), ("g",), ("g", "m")))
    return View("bias", problem, letters, letters["k"], (index,), layers)


def view_of_pairs(linear: Linear) -> View:
    """Look at all pairs of an element of y and a channel of the bias, kb."""
    single, channels = view_of_linear(linear), linear.problem.out_channels
    letters = {name: np.repeat(values, channels) for name, values in single.letters.items()}
    letters["kb"] = np.tile(np.arange(channels), len(single.truth))
    letters["own"] = (letters["k"] == letters["kb"]).astype(np.int64)
    factor = linear.matrix.ravel()
    met = Met(np.where(factor != 0, letters["kb"], ABSENT), np.where(factor != 0, factor, 1.0))
    index = Index("kb", letters["kb"], channels, (("kb",),))
    truth = np.where(letters["own"] == 1, letters["kb"], ABSENT)
    return View("bias", linear.problem, letters, truth, (index,), (met,))


def _layers(slot: Integers, target: Integers, factor: Floats, truth: Integers) -> tuple[Met, ...]:
    """Sort what slots met into layers: one element for each slot, the nearest first."""
    order = np.lexsort((target, np.abs(target - truth[slot]), slot))
    slot, target, factor = slot[order], target[order], factor[order]
    first = np.r_[True, slot[1:] != slot[:-1]] if len(slot) else np.zeros(0, bool)
    rank = np.arange(len(slot)) - np.maximum.accumulate(np.where(first, np.arange(len(slot)), 0))
    layers = []
    for number in range(int(rank.max(initial=0)) + 1):
        here, met = rank == number, Met(np.full(len(truth), ABSENT), np.ones(len(truth)))
        met.target[slot[here]], met.factor[slot[here]] = target[here], factor[here]
        layers.append(met)
    return tuple(layers)


def _indices(tensor: str, letters: Letters, problem: ConvProblem) -> tuple[Index, ...]:
    axes, shape = axis_names(problem), problem.shape_of(tensor)
    names = {
        "x": ("n", "ic", *(f"i{axis}" for axis in axes)),
        "weight": ("k", "c", *(f"k{axis}" for axis in axes)),
        "y": ("n", "k", *(f"o{axis}" for axis in axes)),
    }[tensor]
    preferred: dict[str, tuple[tuple[str, ...], ...]] = {
        "n": (("n",),), "k": (("k",), ("m",), ("g", "m")), "c": (("c",),),
        "ic": (("c",), ("g", "c"), ("k%G", "c"), ("k", "c"), ("m", "c"), ("ic",)),
    }  # fmt: skip
    preferred |= {f"i{axis}": ((f"o{axis}", f"k{axis}"), (f"i{axis}",)) for axis in axes}
    preferred |= {f"{kind}{axis}": ((f"{kind}{axis}",),) for kind in "ok" for axis in axes}
    return tuple(Index(name, letters[name], extent, preferred[name]) for name, extent in zip(names, shape, strict=True))


def flat_index(values: list[Integers], shape: tuple[int, ...]) -> Array:
    """Return the flat index of each slot; absent where any index is illegal."""
    legal = np.ones(len(values[0]), bool)
    for value, extent in zip(values, shape, strict=True):
        legal &= (value >= 0) & (value < extent)
    flat = np.ravel_multi_index([np.where(legal, value, 0) for value in values], shape)
    return np.where(legal, flat, ABSENT)
