"""Memory that is read in another order than it lies, or from other places on: the index that is found there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from refconv.diagnosis.products import Array, Integers, Letters


def layout_index(letters: Letters, order: Sequence[tuple[str, int]]) -> Integers:
    """Return the index k that elements of y have if their memory is read with its axes in another order."""
    extents = dict(order)
    true = ["n", "k", *sorted(name for name in extents if name not in ("n", "k"))]
    flat = np.ravel_multi_index([letters[name] for name in true], [extents[name] for name in true])
    read = np.unravel_index(flat, [extent for _, extent in order])
    return read[[name for name, _ in order].index("k")].astype(np.int64)


def relaid_index(letters: Letters, order: Sequence[tuple[str, int]]) -> Integers:
    """Return the flat index of what is found in memory that lies by an order of axes and is read in C order."""
    rank, extents = {"n": 0, "k": 1, "ic": 2, "c": 2}, dict(order)
    true = sorted(extents, key=lambda name: (rank.get(name, 3), name))
    shape = [extents[name] for name in true]
    legal, flat = _flat(letters, extents, true)
    found = dict(zip(extents, np.unravel_index(flat, [extent for _, extent in order]), strict=True))
    return np.where(legal, np.ravel_multi_index([found[name] for name in true], shape), -1).astype(np.int64)


def aligned_index(letters: Letters, shape: Sequence[tuple[str, int]], step: int) -> Integers:
    """Return the flat index where each of the first letter starts at a multiple, rounded down, or up if negative."""
    extents = dict(shape)
    legal, flat = _flat(letters, extents, list(extents))
    start = flat - flat % math.prod([extent for _, extent in shape[1:]])
    return np.where(legal, start // step * step + flat - start, -1)


def _flat(letters: Letters, extents: Mapping[str, int], names: Sequence[str]) -> tuple[Array, Integers]:
    """Say which slots lie within all extents, and return the flat index of those; 0 elsewhere."""
    legal = np.all([(letters[name] >= 0) & (letters[name] < extents[name]) for name in names], axis=0)
    places = [np.where(legal, letters[name], 0) for name in names]
    return legal, np.ravel_multi_index(places, [extents[name] for name in names]).astype(np.int64)
