"""The order of summation, revealed by the sums themselves.

The method is FPRev (Xie, Gao, Chen, Zhang, "FPRev: Revealing the Order of Floating-Point Summation",
arXiv:2411.00442): with M at place i, -M at place j and ones elsewhere, all ones are lost that are added
to M before M and -M meet.  n minus the result is thus the number of leaves under the node where i and j
meet, in the tree of additions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from refconv.diagnosis.fingerprint.bench import Bench
from refconv.diagnosis.fingerprint.bits import unit_exponent

Tree = int | tuple["Tree", ...]
Pair = tuple[int, int]

MOST = 72  # products whose order is looked at; of more, the first FIRST
FIRST = 36
CHECKED = 120  # pairs that are held against the tree


class NoTreeError(Exception):
    """The measurements fit no tree of additions."""


class Order:
    """The tree of additions of one bench.

    Parameters
    ----------
    bench : Bench
    precision : int
        Bits of the accumulator.
    """

    def __init__(self, bench: Bench, precision: int) -> None:
        self.bench = bench
        self.leaves = list(range(bench.terms if bench.terms <= MOST else FIRST))
        room = precision + math.ceil(math.log2(len(self.leaves))) + 1
        self.large, self.one = 2.0**15, 2.0 ** (15 - room)
        self.visible = unit_exponent(bench.element) == 0 or self.one >= 2.0**bench.element.quantum_exponent

    def tree(self) -> Tree | None:
        """Return the tree, its leaves the places of the products; None where none can be seen."""
        if not self.visible:
            return None
        try:
            tree, _ = self._build(self.leaves)
            self._check(tree)
        except NoTreeError:
            return None
        return tree

    def _counts(self, pairs: Sequence[Pair]) -> list[int]:
        """Measure the number of leaves under the node where each pair meets."""
        rows = np.zeros((len(pairs), self.bench.terms))
        rows[:, self.leaves] = self.one
        for row, (i, j) in zip(rows, pairs, strict=True):
            row[i], row[j] = self.large, -self.large
        counts = len(self.leaves) - self.bench.sums(rows) / self.one
        if not all(math.isfinite(value) and value == int(value) for value in counts):
            raise NoTreeError
        return [int(value) for value in counts]

    def _build(self, leaves: Sequence[int], above: int = 0) -> tuple[Tree, int]:
        """Return the subtree of some leaves, and the count at its root: ``above``, if that is the parent's node."""
        first, others = leaves[0], leaves[1:]
        tree: Tree = first
        top = 1
        counts = dict(zip(others, self._counts([(first, other) for other in others]), strict=True))
        for count in sorted(set(counts.values())):
            branch, inner = self._build([leaf for leaf in others if counts[leaf] == count], count)
            children = branch if isinstance(branch, tuple) and inner == count else (branch,)
            tree, top = (tree, *children), count
            if size(tree) != count != above:
                raise NoTreeError
        return tree, top

    def _check(self, tree: Tree) -> None:
        """Hold other pairs than those that were measured against the tree: an ultrametric has no other answer."""
        pairs = list(combinations(self.leaves, 2))
        chosen = pairs[:: max(1, len(pairs) // CHECKED)]
        expected = meetings(tree)
        if self._counts(chosen) != [expected[pair] for pair in chosen]:
            raise NoTreeError


def size(tree: Tree) -> int:
    """Count the leaves.

    Examples
    --------
    >>> size(((0, 1), (2, 3, 4)))
    5
    """
    return len(leaves_of(tree))


def leaves_of(tree: Tree) -> list[int]:
    """List the leaves, from left to right."""
    return [tree] if isinstance(tree, int) else [leaf for child in tree for leaf in leaves_of(child)]


def meetings(tree: Tree) -> dict[Pair, int]:
    """Count the leaves under the node where two leaves meet, for each two of them, the smaller first.

    Examples
    --------
    >>> met = meetings(((0, 1), (3, 2)))
    >>> met[0, 1], met[1, 2]
    (2, 4)
    """
    if isinstance(tree, int):
        return {}
    counts, branches = dict[Pair, int](), [leaves_of(child) for child in tree]
    for child in tree:
        counts |= meetings(child)
    for one, other in combinations(branches, 2):
        counts |= dict.fromkeys(((min(i, j), max(i, j)) for i in one for j in other), sum(map(len, branches)))
    return counts


def bracketed(tree: Tree) -> str:
    """Write a tree in brackets.

    Examples
    --------
    >>> bracketed((((0, 1), 2), 3))
    '(((0 1) 2) 3)'
    """
    return str(tree) if isinstance(tree, int) else f"({' '.join(map(bracketed, tree))})"
