"""Fit formulas to all indices of the elements that slots met."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from refconv.diagnosis.formulas import Formula, Frame, affine, fit, fit_freely, fit_layout, fit_relaid
from refconv.diagnosis.products import Array, Integers
from refconv.diagnosis.views import View


def fit_formulas(view: View, target: Integers, there: Array) -> tuple[Formula, ...] | None:
    """Fit each index by itself; then the flat index, for memory that is misread; then each by any letters."""
    if not there.any():
        return tuple(Formula(index.name, "same", index.extent) for index in view.indices)
    letters = {name: values[there] for name, values in view.letters.items()}
    values = np.unravel_index(target[there], view.shape)
    found = [
        fit(index.name, value, index.truth[there], letters, index.extent, index.preferred)
        for index, value in zip(view.indices, values, strict=True)
    ]
    if all(formula is not None and formula.kind != "table" for formula in found):
        return tuple(formula for formula in found if formula is not None)
    for first in (2, 0):  # rows and columns together, then the whole memory
        merged = _merged(view, target[there], letters, found, first)
        if merged is not None:
            return merged
    for first in (2, 0):
        padded = _padded(view, target[there], letters, found, first)
        if padded is not None:
            return padded
    if view.tensor != "bias":
        relaid = fit_relaid(target[there], letters, {index.name: index.extent for index in view.indices})
        if relaid is not None:
            return (relaid,)
    if view.tensor == "bias":
        extents = {name: int(view.letters[name].max()) + 1 for name in view.letters if name in "nk" or name[0] == "o"}
        layout = fit_layout(target[there], letters, extents)
        return (layout,) if layout else _complete(found)
    loops = [name for name in letters if name in ("n", "k", "c") or (name[0] in "ok" and len(name) == 2)]
    free = [
        formula or fit_freely(index.name, value, letters, loops, index.extent)
        for formula, index, value in zip(found, view.indices, values, strict=True)
    ]
    return _complete(free)


def _merged(
    view: View, target: Integers, letters: Mapping[str, Integers], found: Sequence[Formula | None], first: int
) -> tuple[Formula, ...] | None:
    """Take all indices from the given one on for one, in C order."""
    extent = math.prod(view.shape[first:])
    lone = len(view.shape) - first < 2 or any(formula is None or formula.kind == "table" for formula in found[:first])
    flat = None if lone else affine(target % extent, letters, [index.name for index in view.indices[first:]])
    return None if flat is None else (*(_complete(found[:first]) or ()), Formula("flat", "affine", extent, *flat))


def _padded(
    view: View, target: Integers, letters: Mapping[str, Integers], found: Sequence[Formula | None], first: int
) -> tuple[Formula, ...] | None:
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


def _complete(found: Sequence[Formula | None]) -> tuple[Formula, ...] | None:
    formulas = tuple(formula for formula in found if formula is not None)
    return formulas if len(formulas) == len(found) else None
