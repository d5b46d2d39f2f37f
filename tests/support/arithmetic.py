"""Convolutions of float32 whose arithmetic and order of summation are known, because they are simulated."""

import numpy as np
from algorithms import narrowed

SMALLEST = np.finfo(np.float32).smallest_normal


def float32(value):
    return value.astype(np.float32)


def float16(value):
    with np.errstate(over="ignore"):
        return value.astype(np.float16).astype(np.float32)


def flushed(value):
    rounded = value.astype(np.float32)
    return np.where(np.abs(rounded) < SMALLEST, np.float32(0), rounded)


def truncated(value):
    rounded = value.astype(np.float32)
    return np.where(np.abs(rounded.astype(np.float64)) > np.abs(value), np.nextafter(rounded, np.float32(0)), rounded)


def same(value):
    return value


# What becomes of an operand, of a product and of a sum; all are computed in float64 first.
ARITHMETIC = {
    "float32": (same, float32, float32),
    "float32 with FMA": (same, same, float32),
    "float64": (same, same, same),
    "float16": (float16, float16, float16),
    "bfloat16": (lambda value: narrowed(value, 8), same, float32),
    "tf32": (lambda value: narrowed(value, 11), same, float32),
    "flush-to-zero": (flushed, flushed, flushed),
    "truncating": (same, truncated, truncated),
}


def chain(places):
    """Add one by one."""
    tree = int(places[0])
    for place in places[1:]:
        tree = (tree, int(place))
    return tree


def halves(places):
    """Add pairwise."""
    middle = (len(places) + 1) // 2
    return (halves(places[:middle]), halves(places[middle:])) if len(places) > 1 else int(places[0])


def joined(trees):
    """Add partial sums one by one."""
    tree = trees[0]
    for other in trees[1:]:
        tree = (tree, other)
    return tree


def at_once(terms):
    """Add as tensor cores do: everything is cut off below the last of 24 bits of the largest term."""
    exponent = np.frexp(np.max(np.abs(terms), axis=0))[1] - 24
    return np.ldexp(sum(np.trunc(np.ldexp(term, -exponent)) for term in terms), exponent).astype(np.float32)


class Simulated:
    """A convolution that adds the products of every output by a given tree.

    ``order(n)`` makes the tree; ``stored`` picks the nodes whose sums are stored in bfloat16.
    """

    name = "simulated"

    def __init__(self, arithmetic="float32", order=lambda n: chain(range(n)), stored=lambda node: False):
        (self.operand, self.product, self.sum), self.order, self.stored = ARITHMETIC[arithmetic], order, stored

    def forward(self, x, weight, bias, problem):
        if x.dtype != np.float32 or bias is not None or max(problem.stride + problem.dilation) > 1:
            raise NotImplementedError("float32, stride 1, dilation 1, no bias")
        G, (K, per_group, kH, kW), (oH, oW) = problem.groups, problem.weight_shape, problem.output_size
        image = self.operand(np.pad(x, [(0, 0), (0, 0), *problem.padding]))
        groups = np.arange(K) // (K // G) * per_group
        products = []
        for c, kh, kw in np.ndindex(per_group, kH, kW):
            window = image[:, groups + c, kh : kh + oH, kw : kw + oW].astype(np.float64)
            products.append(self.product(window * self.operand(weight[:, c, kh, kw])[:, None, None].astype(np.float64)))
        with np.errstate(invalid="ignore", over="ignore"):
            return self._added(self.order(len(products)), products).astype(np.float32)

    def _added(self, tree, products):
        if isinstance(tree, int):
            return products[tree]
        if len(tree) > 2:
            return at_once([self._added(child, products) for child in tree])
        total = self._added(tree[0], products).astype(np.float64)
        for child in tree[1:]:
            total = total + self._added(child, products)
        total = self.sum(total)
        return narrowed(total.astype(np.float32), 8) if self.stored(tree) else total
