"""Wrong products that repeat from tile to tile of the outputs, as those of Winograd's transforms do."""

from __future__ import annotations

import itertools

import numpy as np

from refconv.diagnosis.products import ABSENT, Integers
from refconv.diagnosis.views import View
from refconv.diagnosis.windows import LARGEST_TILE

WITHIN = ("k", "c", "kh", "kw")  # what tells the products of one output apart


def tile_of(view: View) -> tuple[int, int] | None:
    """Return the smallest tile of outputs that all repeats from; None if none does, or if each output is like all.

    Parameters
    ----------
    view : View
        Of the input, the weight or the output; slots on the padding are left out.
    """
    if not {"oh", "ow", *WITHIN} <= set(view.letters):
        return None
    here = view.truth != ABSENT
    letters = {name: values[here] for name, values in view.letters.items()}
    met = [(np.where(layer.target == ABSENT, 0, layer.target - view.truth)[here], layer.target[here] == ABSENT,
            layer.factor[here]) for layer in view.layers]  # fmt: skip
    seen = np.array([part for layer in met for part in layer], np.float64).T
    lengths = (int(letters[name].max(initial=0)) // 2 + 1 for name in ("oh", "ow"))  # two tiles at least
    shapes = itertools.product(*(range(1, min(LARGEST_TILE, length) + 1) for length in lengths))
    for rows, columns in sorted(shapes, key=lambda shape: (shape[0] * shape[1], shape[0] != shape[1])):
        if np.array_equal(seen, seen[_first_alike(letters, rows, columns)]):
            return None if rows == columns == 1 else (rows, columns)
    return None


def _first_alike(letters: dict[str, Integers], rows: int, columns: int) -> Integers:
    """Return for each slot the first one at the same place of a tile."""
    places = [*(letters[name] for name in WITHIN), letters["oh"] % rows, letters["ow"] % columns]
    keys = np.ravel_multi_index(places, [int(place.max()) + 1 for place in places])
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    found: Integers = first[number]
    return found
