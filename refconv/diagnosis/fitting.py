"""Fit formulas to all indices of the elements that slots met."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from refconv.diagnosis.formulas import Formula, Frame, affine, fit, fit_aligned, fit_freely, fit_layout, fit_relaid
from refconv.diagnosis.products import Array, Integers, Letters
from refconv.diagnosis.views import View
from refconv.diagnosis.windows import miscounted, shifts_of


def fit_formulas(view: View, target: Integers, there: Array) -> Iterator[tuple[Formula, ...]]:
    """Yield what gives the elements that slots met, each index by itself at first.

    Then the flat index, for memory that is misread; the padded image and other orders of the axes; and each index by
    any letters.
    """
    if not there.any():
        yield tuple(Formula(index.name, "same", index.extent) for index in view.indices)
        return
    letters, target = {name: values[there] for name, values in view.letters.items()}, target[there]
    values = np.unravel_index(target, view.shape)
    found = [
        fit(index.name, value, index.truth[there], letters, index.extent, index.preferred)
        for index, value in zip(view.indices, values, strict=True)
    ]
    plain = _complete(found)
    if plain and all(formula.kind != "table" for formula in plain):
        yield plain
        return
    for way in (_merged, _padded):
        for first in (2, 0):  # rows and columns together, then the whole memory
            yield from filter(None, [way(view, target, letters, found, first)])
    ways = (
        _rearranged(view, target, letters),
        _freely(view, values, letters, found),
        _moved(view, values, letters, found),
    )
    yield from filter(None, ways)


Found = Sequence[Formula | None]
Formulas = tuple[Formula, ...]


def _rearranged(view: View, target: Integers, letters: Letters) -> Formulas | None:
    """Read memory from other places on, or with its axes in another order."""
    if view.tensor != "bias":
        shape = {index.name: index.extent for index in view.indices}
        formula = fit_aligned(target, letters, shape) or fit_relaid(target, letters, shape)
    else:
        extents = {name: int(view.letters[name].max()) + 1 for name in view.letters if name in "nk" or name[0] == "o"}
        formula = fit_layout(target, letters, extents)
    return (formula,) if formula else None


def _freely(view: View, values: Sequence[Integers], letters: Letters, found: Found) -> Formulas | None:
    """Fit what is not found yet by any letters."""
    loops = [name for name in letters if name in ("n", "k", "c") or (name[0] in "ok" and len(name) == 2)]
    loops = [] if view.tensor == "bias" else loops
    free = [
        formula or fit_freely(index.name, value, letters, loops, index.extent)
        for formula, index, value in zip(found, view.indices, values, strict=True)
    ]
    return _complete(free)


def _merged(view: View, target: Integers, letters: Letters, found: Found, first: int) -> Formulas | None:
    """Take all indices from the given one on for one, in C order."""
    extent = math.prod(view.shape[first:])
    lone = len(view.shape) - first < 2 or any(formula is None or formula.kind == "table" for formula in found[:first])
    names = [index.name for index in view.indices[first:]]
    flat = None if lone else affine(target % extent, letters, names)
    return None if flat is None else (*(_complete(found[:first]) or ()), Formula("flat", "affine", extent, *flat))


def _padded(view: View, target: Integers, letters: Letters, found: Found, first: int) -> Formulas | None:
    """Count the elements of the padded image, instead."""
    size, padding = view.problem.input_size, view.problem.padding
    if view.tensor != "x" or len(size) != 2 or any(formula is None for formula in found[:first]):
        return None
    frame = Frame((size[0], size[1]), (padding[0], padding[1]))
    extent, loops = math.prod(view.shape[first:]), ["oh", "kh", "ow", "kw"]
    flat = affine(frame.padded(target % extent), letters, loops if first else ["n", "ic", *loops])
    if flat is None:
        return None
    return (*(_complete(found[:first]) or ()), Formula("flat", "padded", extent, *flat, frame))


def _moved(view: View, values: Sequence[Integers], letters: Letters, found: Found) -> Formulas | None:
    """Move the window of each output to that of another one."""
    plain, indices = _complete(found[:2]), view.indices[2:]
    if view.tensor != "x" or len(indices) != 2 or plain is None:
        return None
    shifts = [shifts_of(letters, value - letters[index.name]) for index, value in zip(indices, values[2:], strict=True)]
    if shifts[0] is None or shifts[1] is None:
        return None
    tiles = miscounted(shifts[0], shifts[1], view.problem.output_size, view.problem.stride)
    pairs = zip(indices, shifts, strict=True)
    return (*plain, *(Formula(index.name, "window", index.extent, shift or (), tiles=tiles) for index, shift in pairs))


def _complete(found: Found) -> Formulas | None:
    formulas = tuple(formula for formula in found if formula is not None)
    return formulas if len(formulas) == len(found) else None
