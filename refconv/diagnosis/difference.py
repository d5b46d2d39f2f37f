"""Describe a wrong operator by what would turn the true one into it: formulas of indices, and sets of slots.

A description is a structure that can be evaluated; it counts as exact only if what it evaluates to is, slot
by slot, what was recovered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from refconv.diagnosis.fitting import fit_formulas
from refconv.diagnosis.formulas import Formula
from refconv.diagnosis.linear import Linear, true_linear
from refconv.diagnosis.patterns import Selection, covers, selection_of
from refconv.diagnosis.products import ABSENT, Array, Floats, Products
from refconv.diagnosis.views import Met, View, flat_index, view_of, view_of_linear, view_of_pairs

EVERYWHERE = Selection(())
MOST_LAYERS = 3
EASY = 10  # the cost of a part that needs no other way to be said


@dataclass(frozen=True)
class Part:
    """What some slots do.

    Attributes
    ----------
    where : Selection
        The slots it speaks of.
    formulas : tuple of Formula
        One for each index of the tensor; the last one may stand for several, in C order.
    dropped : Selection or None
        Slots of these that add nothing, although the formulas lead to an element.
    factors : tuple of (float, Selection)
        What products are multiplied by, where it is not one.
    one : bool
        A one is met instead of an element of the tensor.
    extra : bool
        It comes in addition to what other parts say.
    """

    where: Selection
    formulas: tuple[Formula, ...]
    dropped: Selection | None = None
    factors: tuple[tuple[float, Selection], ...] = ()
    one: bool = False
    extra: bool = False

    @property
    def cost(self) -> int:
        """How hard it is to grasp."""
        cost = self.where.cost + sum(formula.cost for formula in self.formulas) + 3 * self.one
        cost += 2 + self.dropped.cost if self.dropped else 0
        return cost + sum(2 + selection.cost for _, selection in self.factors)

    def evaluate(self, view: View) -> Met:
        """Compute what every slot of a view meets by this part."""
        here = self.where.holds(view.letters)
        if self.one:
            target = np.full(len(here), view.size)
        else:  # the last formula may stand for several indices at once
            pairs = zip(self.formulas, view.indices, strict=False)
            shape = tuple(formula.extent for formula in self.formulas)
            target = flat_index([formula.values(view.letters, index.truth) for formula, index in pairs], shape)
        target = np.where(here & (target >= 0) & (target <= view.size), target, ABSENT)
        if self.dropped:
            target = np.where(self.dropped.holds(view.letters), ABSENT, target)
        factor = np.ones(len(here))
        for value, selection in self.factors:
            factor = np.where(selection.holds(view.letters), value, factor)
        return Met(target, np.where(target == ABSENT, 1.0, factor))


@dataclass(frozen=True)
class Difference:
    """How an operator differs from the true one.

    Attributes
    ----------
    operation, tensor : str
        ``tensor`` is the one that is looked at: x, weight, y or bias.
    parts : tuple of Part
        Empty where there are no words for it.
    exact : bool
        Whether the parts evaluate to just what was recovered.
    wrong, slots : int
        How many slots meet something else than they should, of those that meet something or should.
    examples : tuple of dict
        The letters of some of them.
    """

    operation: str
    tensor: str
    parts: tuple[Part, ...]
    exact: bool
    wrong: int
    slots: int
    examples: tuple[dict[str, int], ...] = ()
    view: View | None = field(default=None, repr=False, compare=False)

    @property
    def cost(self) -> int:
        """How hard it is to grasp."""
        return sum(part.cost for part in self.parts) + 2 * len(self.parts)


ORDER = {"forward": ("x", "y", "weight"), "grad_input": ("x", "y", "weight"), "grad_weight": ("x", "weight", "y")}


def difference(operation: str, products: Products, linear: Linear | None = None) -> Difference:
    """Describe how a table of products differs from the true one, in the shortest way that is exact.

    Of ways that are as short, results that lie elsewhere are the last one if the bias, in ``linear``, is not there.
    """
    views = [view for tensor in ORDER[operation] if (view := view_of(tensor, products)) is not None]
    found = [_described(operation, view) for view in views]
    exact = [item for item in found if item.exact]
    if exact:
        return min(exact, key=lambda item: (item.cost, linear is not None and _leaves_bias(linear, item)))
    return min(found, key=lambda item: item.wrong, default=Difference(operation, "", (), False, len(products), 0))


def difference_of_linear(linear: Linear, moved: Difference | None = None) -> Difference:
    """Describe how the bias enters y, or grad_output grad_bias, instead of as it should.

    Where the products of an output are found at another place, ``moved``, the bias may well be there, too.
    """
    if moved is not None and _goes_along(linear, moved):
        return Difference(linear.operation, "bias", (), True, 0, len(linear.matrix))
    found = _described(linear.operation, view_of_linear(linear))
    return found if found.exact else _described(linear.operation, view_of_pairs(linear))


def _leaves_bias(linear: Linear, moved: Difference) -> bool:
    return moved.tensor == "y" and bool(moved.wrong) and not _goes_along(linear, moved)


def _goes_along(linear: Linear, moved: Difference) -> bool:
    """Say whether the bias lies where the products of its output lie."""
    if moved.tensor != "y" or not moved.exact or moved.view is None or len(moved.parts) != 1:
        return False
    truth, target = moved.view.truth, moved.parts[0].evaluate(moved.view).target
    there, true = target != ABSENT, true_linear(linear.operation, linear.problem).matrix
    place = np.full(len(true), ABSENT)
    place[truth[there]] = target[there]
    matrix = np.zeros_like(true)
    np.add.at(matrix, place[place != ABSENT], true[place != ABSENT])
    return bool(np.array_equal(matrix, linear.matrix))


def _described(operation: str, view: View) -> Difference:
    met = view.layers[0]
    wrong = (met.target != view.truth) | (met.factor != 1)
    for layer in view.layers[1:]:
        wrong |= layer.target != ABSENT
    picked = np.flatnonzero(wrong)[:3]
    examples = tuple({name: int(values[i]) for name, values in view.letters.items()} for i in picked)
    parts = _parts(view) if len(view.layers) <= MOST_LAYERS else None
    exact = parts is not None and explains(parts, view)
    return Difference(
        operation, view.tensor, tuple(parts or ()), exact, int(wrong.sum()),
        int((wrong | (view.truth != ABSENT)).sum()), examples, view,
    )  # fmt: skip


def explains(parts: Sequence[Part], view: View) -> bool:
    """Evaluate a description, and compare it with what was recovered, slot by slot."""

    def rows(layers: Sequence[Met]) -> Floats:
        listed = [
            np.column_stack([np.flatnonzero(there), met.target[there], met.factor[there]])
            for met in layers
            if (there := met.target != ABSENT) is not None
        ]
        table = np.concatenate(listed)
        return table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]

    mine, seen = rows([part.evaluate(view) for part in parts]), rows(view.layers)
    return (
        mine.shape == seen.shape
        and np.array_equal(mine[:, :2], seen[:, :2])
        and np.allclose(mine[:, 2], seen[:, 2], rtol=2.0**-18, atol=0)
    )


def _parts(view: View) -> list[Part] | None:
    first, *more = view.layers
    ones = first.target == view.size
    real = Met(np.where(ones, ABSENT, first.target), first.factor)
    main = _main(view, real)
    if main is None:
        return None
    parts: list[Part | None] = [*main]
    if ones.any():
        parts.append(_extra(view, Met(np.where(ones, first.target, ABSENT), first.factor), True))
    parts += [_extra(view, met, False) for met in more]
    return None if any(part is None for part in parts) else [part for part in parts if part is not None]


def _main(view: View, met: Met) -> list[Part] | None:
    """Describe all slots by one part, or the wrong ones apart from the right ones."""
    whole = _part(view, met, EVERYWHERE)
    if whole is not None and whole.cost <= EASY:
        return [whole]
    there = (met.target != ABSENT) | (view.truth != ABSENT)
    moved = there & (met.target != view.truth)
    region = selection_of(moved, there, view.letters)
    found = [[whole]] if whole else []
    regions = (
        [region] if region is not None and region.patterns else [] if whole else covers(moved, there, view.letters)
    )
    for chosen in regions:
        apart = [_part(view, met, chosen), _part(view, met, Selection(chosen.patterns, not chosen.negated))]
        found += [[part for part in apart if part is not None]] if None not in apart else []
    return min(found, key=lambda parts: sum(part.cost for part in parts) + 2 * len(parts), default=None)


def _part(view: View, met: Met, where: Selection, extra: bool = False) -> Part | None:
    """Fit formulas to what slots met, then describe which of them drop out, and all factors."""
    here = where.holds(view.letters)
    there = here & (met.target != ABSENT)
    factors = _factors(view, met.factor, there)
    if factors is None:
        return None
    found: Part | None = None
    for formulas in fit_formulas(view, met.target, there):
        predicted = Part(where, formulas).evaluate(view).target != ABSENT
        if np.array_equal(predicted, there):
            return Part(where, formulas, None, factors, extra=extra)
        if found is None:
            dropped = selection_of(predicted & ~there, predicted, view.letters)
            found = Part(where, formulas, dropped, factors, extra=extra) if dropped else None
    return found


def _extra(view: View, met: Met, one: bool) -> Part | None:
    """Describe what is met in addition to the elements of the first layer."""
    there = met.target != ABSENT
    where = selection_of(there, np.ones(len(there), bool), view.letters)
    if where is None:
        return None
    if not one:
        return _part(view, met, where, extra=True)
    factors = _factors(view, met.factor, there)
    return None if factors is None else Part(where, (), None, factors, one=True, extra=True)


def _factors(view: View, factor: Floats, there: Array) -> tuple[tuple[float, Selection], ...] | None:
    found: list[tuple[float, Selection]] = []
    rounded = np.round(factor, 9)
    for value in np.unique(rounded[there & (rounded != 1)]):
        here = there & (rounded == value)
        selection = EVERYWHERE if np.array_equal(here, there) else selection_of(here, there, view.letters)
        if selection is None or len(found) >= 4:
            return None
        found.append((float(factor[here][0]), selection))
    return tuple(found)
