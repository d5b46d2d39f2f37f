"""How many bits survive: in the operands, in the accumulator, in a fused product, below the normal numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import permutations

import numpy as np

from refconv.diagnosis.fingerprint.bench import Bench, Float64s
from refconv.formats import NumberFormat

Triple = tuple[int, int, int]
WIDEST = 64  # bits that are looked for


def operand_bits(bench: Bench, name: str) -> int:
    """Count the bits that are kept of ``"x"`` or ``"weight"``: one product, ``(1 + 2**-k) * 1``, or that minus one."""
    kept = 1
    for k in range(1, bench.element.precision):
        value = 1 + 2.0**-k
        x, weight = ({0: value}, {0: 1.0}) if name == "x" else ({0: 1.0}, {0: value})
        if bench.add(x, weight) != value and bench.add({1: -1.0} | x, weight) != 2.0**-k:  # sums may be stored narrowly
            break
        kept = k + 1
    return kept


def triples(bench: Bench) -> tuple[Triple, Triple]:
    """Return three neighbouring places, and three that lie as far apart as they can."""
    return (0, 1, 2), (0, bench.terms // 2, bench.terms - 1)


def accumulator_bits(bench: Bench, places: Triple) -> int | None:
    """Count the bits of the accumulator between three products: ``2**k + 1 - 2**k`` in all orders.

    Returns
    -------
    int or None
        None if the format of the inputs has too few exponents to reach the end.
    """
    lowest = unit_exponent(bench.element)
    most = min(WIDEST, largest_exponent(bench.element) - lowest)
    return first_failure(lambda k: _survives(bench, places, lowest, k), most)


def first_failure(holds: Callable[[int], bool], most: int) -> int | None:
    """Find the first of 1 ... most at which something no longer holds, by bisection; None if it always does.

    Examples
    --------
    >>> first_failure(lambda k: k < 24, 64), first_failure(lambda k: True, 64)
    (24, None)
    """
    if holds(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high


def _survives(bench: Bench, places: Triple, lowest: int, k: int) -> bool:
    values = 2.0 ** (lowest + k), 2.0**lowest, -(2.0 ** (lowest + k))
    return bool(np.all(ordered_sums(bench, places, values) == 2.0**lowest))


def ordered_sums(bench: Bench, places: Triple, values: tuple[float, float, float]) -> Float64s:
    """Add three values at three places, once in each of the six assignments."""
    rows = np.zeros((6, bench.terms))
    for row, order in zip(rows, permutations(places), strict=True):
        row[list(order)] = values
    return bench.sums(rows)


def fused(bench: Bench, precision: int) -> bool | None:
    """Say whether products reach the sum unrounded: ``a * a - RN(a * a)`` with a = 1 + 2**-ceil(p/2) is not zero.

    Returns
    -------
    bool or None
        None where the inputs have too few bits to make a product round.
    """
    half = math.ceil(precision / 2)
    if half >= bench.element.precision:
        return None
    a, rounded = 1 + 2.0**-half, 1 + 2.0 ** (1 - half)
    return any(_fused_beside(bench, place, a, rounded, 2.0 ** (-2 * half)) for place in (0, bench.terms - 1))


def _fused_beside(bench: Bench, place: int, a: float, rounded: float, rest: float) -> bool:
    """Put -RN(a * a) at one place, and a * a at each other place in turn."""
    weights = np.full(bench.terms, a)
    weights[place] = 1.0
    others = [other for other in range(min(bench.terms, 64)) if other != place]
    rows = np.zeros((len(others), bench.terms))
    rows[:, place] = -rounded
    rows[np.arange(len(others)), others] = a
    return bool(np.any(bench.sums(rows, weights) == rest))


def flushed(bench: Bench) -> tuple[str, ...]:
    """Name what is taken for zero when it is subnormal: x, weight, product, sum."""
    low = bench.element.min_exponent
    smaller = -(-low // 2) - 1
    found = {
        "x": bench.add({0: 2.0 ** (low - 1)}, {0: 2.0}),
        "weight": bench.add({0: 2.0}, {0: 2.0 ** (low - 1)}),
        "product": bench.add({0: 2.0**smaller}, {0: 2.0 ** (low - 1 - smaller)}),
        "sum": bench.add({0: 1.5 * 2.0**low, 1: -(2.0**low)}),
    }
    return tuple(name for name, value in found.items() if value == 0)


def unit_exponent(element: NumberFormat) -> int:
    """Return the exponent of what stands for one: as low as formats of few exponents need it."""
    return 0 if element.min_exponent < -100 else element.min_exponent


def largest_exponent(element: NumberFormat) -> int:
    """Return the exponent of the largest power of two of a format."""
    return math.frexp(float(element.largest))[1] - 1
