"""Trees of additions in words."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np

from refconv.diagnosis.fingerprint.order import Tree, leaves_of, size

AXES = ("c", "kh", "kw")


def describe(tree: Tree, kernel: tuple[int, int, int]) -> str:
    """Say in which order products are added.

    Parameters
    ----------
    tree : Tree
        Leaves are places in (C/G, kH, kW), in C order.
    kernel : (int, int, int)
        (C/G, kH, kW)

    Examples
    --------
    >>> describe((((0, 1), 2), 3), (4, 1, 1)), describe(((0, 2), (1, 3)), (4, 1, 1))
    ('sequential', '2 strided lanes, then sequential')
    """
    found = [(_shape(_renumbered(tree, kernel, order)), order) for order in permutations(range(3))]
    text, order = min(found, key=lambda item: (item[0].startswith("irregular"), _clarity(item[0])))
    plain = [axis for axis in order if kernel[axis] > 1]
    usual = plain == sorted(plain) or text.startswith(("irregular", "all"))
    return text if usual else f"{text}, along {', '.join(AXES[axis] for axis in plain)} (the last one fastest)"


def _clarity(text: str) -> int:
    kinds = ("all", "sequential", "backward", "pairwise")
    return next((place for place, kind in enumerate(kinds) if text.startswith(kind)), len(kinds))


def _renumbered(tree: Tree, kernel: tuple[int, int, int], order: tuple[int, ...]) -> Tree:
    """Give the leaves the numbers that they have when the axes are walked in another order."""
    leaves = leaves_of(tree)
    places = np.unravel_index(leaves, kernel)
    keys = list(zip(*(places[axis] for axis in order), strict=True))
    rank = {leaves[where]: number for number, where in enumerate(sorted(range(len(leaves)), key=keys.__getitem__))}

    def renumber(node: Tree) -> Tree:
        return rank[node] if isinstance(node, int) else tuple(renumber(child) for child in node)

    return renumber(tree)


def _shape(tree: Tree) -> str:
    if isinstance(tree, tuple) and len(tree) > 2 and all(isinstance(child, int) for child in tree):
        return "all at once"
    whole = _simple(tree)
    if whole:
        return whole
    parts = _chains(tree)
    step = _common_step(parts)
    chain, width = _chain(tree), _widest(tree)
    if chain:
        return f"irregular, one by one: {' '.join(map(str, chain[:8]))}{' ...' if chain[8:] else ''}"
    if width > 2:
        return f"up to {width} terms at once"
    joined = _simple(_reduced(tree, parts)) or "irregularly"
    if step == 1 and len({len(part) for part in parts[:-1]}) <= 1 and len(parts[0]) > 1:
        return f"blocks of {len(parts[0])}, then {joined}"
    if step and step == len(parts):
        return f"{step} strided lanes, then {joined}"
    return f"irregular ({len(parts)} runs)"


def _simple(tree: Tree) -> str:
    chain = _chain(tree)
    if chain:
        if chain == sorted(chain):
            return "sequential"
        if chain == sorted(chain, reverse=True) or [chain[1], chain[0], *chain[2:]] == sorted(chain, reverse=True):
            return "backward"
        if chain[2:] == _swapped(sorted(chain)[2:]):
            return "sequential in pairs, the second first"
    return "pairwise" if _balanced(tree) and leaves_of(_sorted(tree)) == sorted(leaves_of(tree)) else ""


def _swapped(numbers: list[int]) -> list[int]:
    return [number for pair in zip(numbers[1::2], numbers[::2], strict=False) for number in pair]


def _chain(tree: Tree) -> list[int]:
    """Return the leaves in the order in which they are added one by one; empty if they are not."""
    taken: list[int] = []
    while isinstance(tree, tuple):
        if len(tree) != 2:
            return []
        first, second = tree
        if isinstance(first, int) and isinstance(second, int):
            return [min(first, second), max(first, second), *reversed(taken)]
        leaf, tree = (first, second) if isinstance(first, int) else (second, first)
        if not isinstance(leaf, int):
            return []
        taken.append(leaf)
    return [tree]


def _chains(tree: Tree) -> list[list[int]]:
    """Cut a tree into the largest subtrees that are ascending chains."""
    chain = _chain(tree)
    if chain and chain == sorted(chain):
        return [chain]
    parts = [part for child in tree for part in _chains(child)] if isinstance(tree, tuple) else []
    return sorted(parts)


def _common_step(parts: list[list[int]]) -> int:
    """Return the step that all chains have in common, 0 if there is none."""
    steps = {b - a for part in parts for a, b in pairwise(part)}
    return steps.pop() if len(steps) == 1 else 0


def _reduced(tree: Tree, parts: list[list[int]]) -> Tree:
    """Put the number of each chain in its place."""
    members = sorted(leaves_of(tree))
    for number, part in enumerate(parts):
        if members == sorted(part):
            return number
    return tuple(_reduced(child, parts) for child in tree) if isinstance(tree, tuple) else tree


def _balanced(tree: Tree) -> bool:
    if isinstance(tree, int):
        return True
    sizes = [size(child) for child in tree]
    return len(tree) == 2 and max(sizes) - min(sizes) <= max(sizes) // 2 and all(map(_balanced, tree))


def _sorted(tree: Tree) -> Tree:
    if isinstance(tree, int):
        return tree
    return tuple(sorted(map(_sorted, tree), key=lambda child: min(leaves_of(child))))


def _widest(tree: Tree) -> int:
    return 1 if isinstance(tree, int) else max(len(tree), *map(_widest, tree))
