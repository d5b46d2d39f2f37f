"""Codes whose sums and differences tell which of them took part."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refconv.diagnosis.products import Array, Floats, Integers
from refconv.fills import bits

TOLERANCE = 2.0**-20  # of ratios, for factors such as 1/3
BLOCK = 2**22  # pairs of a code and a result that are compared at once
FALLING = 2**20  # leaves room for factors up to 16 in float32
NARROW = 7  # the digits of codes in narrow formats are 1 ... 7


@dataclass(frozen=True, eq=False)
class Decoder:
    """Vectors of codes, and how to read a result back.

    Attributes
    ----------
    vectors : tuple of arrays
        One for each call.
    counts : bool
        The first two count up from one and down to one: where few answers add up two codes, each is read at once.
    """

    vectors: tuple[Floats, ...]
    counts: bool = False

    def decode(self, answers: Sequence[Floats], mask: Array) -> tuple[tuple[Integers, Integers, Floats], Array]:
        """Read the answers to the calls, one for each vector.

        Returns
        -------
        (element, code, factor), ambiguous
            One entry for each term that was found, and where nothing was found although something came.
        """
        (members,) = np.nonzero(mask)
        (some,) = np.nonzero(np.any([answer != 0 for answer in answers], axis=0))
        ambiguous = np.zeros(len(answers[0]), bool)
        seen = np.stack([answer[some] for answer in answers])
        table = np.stack([vector[members] for vector in self.vectors])
        which, factor = _single(seen, table, _counted(seen, table) if self.counts else _nearest(seen, table))
        plain = (which >= 0) & (_is_whole(factor) | _is_whole(1 / np.where(factor, factor, 2)))
        parts = [(some[plain], members[which[plain]], factor[plain])]
        for position in np.flatnonzero(~plain):
            pair = None if self.counts else _pair(seen[:, position], table)
            if pair is not None:
                parts.append((np.full(2, some[position]), members[pair[0]], pair[1]))
            elif which[position] >= 0:
                parts.append((some[[position]], members[which[[position]]], factor[[position]]))
            else:
                ambiguous[some[position]] = True
        element, code, factors = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return (element, code, factors), ambiguous


@functools.lru_cache(maxsize=32)
def decoder(size: int, largest: int) -> Decoder:
    """Return codes for that many elements, none above `largest`.

    They are a Sidon set and another, by which sums of two can be read; for more elements, numbers that count; for
    narrow formats, digits.

    Examples
    --------
    >>> [vector.tolist() for vector in decoder(4, 0).vectors]
    [[1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0]]
    """
    codes = sidon(size)
    if codes.max(initial=0) <= largest:
        step = max(1, min(largest, FALLING) // (size + 1))
        falling = step * np.arange(size, 0, -1.0) + (bits("diagnosis/codes", (size,)) % np.uint64(step))
        return Decoder((codes, falling))  # their ratios rise, and are all far from each other
    if size < min(largest, FALLING):
        up = np.arange(1.0, size + 1)
        check = 1 + bits("diagnosis/codes", (size,)) % np.uint64(FALLING)
        return Decoder((up, up[::-1], check.astype(np.float64)), counts=True)
    digits: list[Floats] = [np.ones(size)]
    rest = np.arange(size)
    while len(digits) == 1 or rest.any():
        digits.append((rest % NARROW + 1).astype(np.float64))
        rest = rest // NARROW
    return Decoder(tuple(digits))


def sidon(size: int) -> Floats:
    """Return integers all of whose sums of two are different.

    The set ``2*p*i + (i*i mod p)`` for a prime p, and i = 1 ... p: P. Erdős and P. Turán, "On a problem of Sidon
    in additive number theory" (1941).

    Examples
    --------
    >>> sidon(5).tolist()
    [11.0, 24.0, 34.0, 41.0, 50.0]
    """
    p = max(5, size)
    while any(p % divisor == 0 for divisor in range(2, int(p**0.5) + 1)):
        p += 1
    index = np.arange(1, size + 1)
    return (2.0 * p * index + index * index % p).astype(np.float64)


def _nearest(seen: Floats, table: Floats) -> Integers:
    """Find the code whose column has the direction that each column (v1, v2, ...) has, whatever the factor."""
    if not table.shape[1] or not seen.shape[1]:
        return np.full(seen.shape[1], -1)
    unit, direction = table / np.linalg.norm(table, axis=0), seen / np.linalg.norm(seen, axis=0)
    step = max(1, BLOCK // table.shape[1])
    blocks = (direction[:, begin : begin + step] for begin in range(0, seen.shape[1], step))
    return np.concatenate([np.abs(unit.T @ block).argmax(axis=0) for block in blocks])


def _counted(seen: Floats, table: Floats) -> Integers:
    """Find the code by its share in the sum of those that count up and down; -1 where it is none of the table's."""
    total = seen[0] + seen[1]
    count = np.rint(seen[0] * (table[0, 0] + table[1, 0]) / np.where(total, total, 1))
    place = np.minimum(np.searchsorted(table[0], count), table.shape[1] - 1)
    return np.where((table[0, place] == count) & (total != 0), place, -1)


def _single(seen: Floats, table: Floats, best: Integers) -> tuple[Integers, Floats]:
    """Return the one code whose multiple each column is, if it is a multiple of the best one, and the factor; else -1.

    Rounded answers may differ a little from the multiple, but not in their direction.
    """
    quality = np.zeros(seen.shape[1])
    if table.shape[1] and seen.shape[1]:
        unit, length = table / np.linalg.norm(table, axis=0), np.linalg.norm(seen, axis=0)
        residual = seen - unit[:, best] * (unit[:, best] * seen).sum(axis=0)
        quality = np.abs(residual).max(axis=0) / length
    factor = seen[0] / table[0, np.maximum(best, 0)]
    near, whole = np.rint(factor), _is_whole(factor)
    exact = (seen == near * table[:, np.maximum(best, 0)]).all(axis=0)
    integral = (seen == np.rint(seen)).all(axis=0)  # then nothing was rounded, and the factor must be exact
    shares = (np.abs(seen - factor * table[:, np.maximum(best, 0)]) <= 1e-9 * np.abs(seen)).all(axis=0)
    fits = np.where(whole, exact, (quality <= TOLERANCE) & (shares | ~integral)) & (best >= 0)
    share = 1 / np.where(factor, factor, 2)
    factor = np.where(_is_whole(share), 1 / np.where(np.rint(share), np.rint(share), 1), factor)  # 1/3, as it was meant
    return np.where(fits, best, -1), np.where(whole, near, factor)


def _is_whole(values: Floats) -> Array:
    values = np.nan_to_num(values, posinf=0, neginf=0)
    near = np.rint(values)
    close: Array = (np.abs(values - near) <= TOLERANCE * np.abs(near)) & (near != 0)
    return close


def _pair(seen: Floats, table: Floats) -> tuple[Integers, Floats] | None:
    """Find two codes whose sum or difference a column is."""
    if table.shape[1] < 2 or (len(table) > 2 and table[0].max() == 1):
        return None
    order = np.argsort(table[0])
    sorted_codes = table[0, order]
    for first, second in ((1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)):
        wanted = (seen[0] - first * table[0]) / second
        place = np.minimum(np.searchsorted(sorted_codes, wanted), len(order) - 1)
        other = order[place]
        sums = first * table + second * table[:, other]
        hits = np.flatnonzero((sums == seen[:, None]).all(axis=0) & (other != np.arange(table.shape[1])))
        if len(hits):
            return np.array([hits[0], other[hits[0]]]), np.array([first, second])
    return None
