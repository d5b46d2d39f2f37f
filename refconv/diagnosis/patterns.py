"""Sets of indices in few words: the last, even ones, all from 4 on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from refconv.diagnosis.products import Array, Integers, Letters

DERIVED = ("own", "last_window", "last_tap", "inside", "k%G", "m", "o", "ic", "id", "ih", "iw", "g")  # given up first
SPECIAL = {
    ("own", 0): "of other channels", ("own", 1): "of the own channel",
    ("inside", 0): "where the window lies on the padding", ("inside", 1): "where the window lies on the image",
    ("last_tap", 0): "where a later tap meets the same input",
    ("last_tap", 1): "where no later tap meets the same input",
    ("last_window", 0): "where a later window meets the same input",
    ("last_window", 1): "where no later window meets the same input",
}  # fmt: skip
LONGEST_LIST = 4
TILES = (*range(3, 17), 32, 64)  # lengths of tiles of which a part may be chosen


@dataclass(frozen=True)
class Pattern:
    """A condition on one letter.

    Attributes
    ----------
    letter : str
    kind : {"==", "!=", ">=", "<", "%", "!%", "%>=", "%<", "from", "in"}
        ``%``: the remainder by numbers[0] is numbers[1]; ``!%``: it is another one; ``%>=``: at least that; ``%<``:
        less; ``from``: it lies between the two, both included.
    numbers : tuple of int
    remark : str
        What is special about it: "the last".
    """

    letter: str
    kind: str
    numbers: tuple[int, ...]
    remark: str = ""

    def holds(self, values: Array) -> Array:
        """Say for which values it holds.

        Examples
        --------
        >>> Pattern("ow", "%", (2, 1)).holds(np.arange(4)).tolist()
        [False, True, False, True]
        """
        number = self.numbers[0]
        tests: dict[str, Callable[[], Array]] = {
            "==": lambda: values == number, "!=": lambda: values != number, ">=": lambda: values >= number,
            "<": lambda: values < number, "%": lambda: values % number == self.numbers[1],
            "!%": lambda: values % number != self.numbers[1], "%>=": lambda: values % number >= self.numbers[1],
            "%<": lambda: values % number < self.numbers[1], "in": lambda: np.isin(values, self.numbers),
            "from": lambda: (values >= number) & (values <= self.numbers[-1]),
        }  # fmt: skip
        return tests[self.kind]()

    @property
    def cost(self) -> int:
        """How hard it is to grasp."""
        return {"==": 2, "!=": 3, ">=": 2, "<": 2, "%": 3, "!%": 3, "%>=": 4, "%<": 4, "from": 3}.get(
            self.kind, 3 + len(self.numbers)
        )

    @property
    def plain(self) -> str:
        """What it says, without what is known of the ends, where those are the ends of a search."""
        return str(replace(self, remark=self.remark if self.remark in ("even", "odd") else ""))

    def __str__(self) -> str:
        if (self.letter, self.numbers[0]) in SPECIAL and self.kind == "==":
            return SPECIAL[self.letter, self.numbers[0]]
        if "%" in self.kind:
            sign = {"%": "==", "!%": "!="}.get(self.kind, self.kind[1:])
            text = f"{self.letter} % {self.numbers[0]} {sign} {self.numbers[1]}"
        elif self.kind == "from":
            text = f"{self.numbers[0]} <= {self.letter} <= {self.numbers[1]}"
        elif self.kind == "in":
            text = f"{self.letter} in {{{', '.join(map(str, self.numbers))}}}"
        else:
            text = f"{self.letter} {self.kind} {self.numbers[0]}"
        return f"{text} ({self.remark})" if self.remark else text


@dataclass(frozen=True)
class Selection:
    """Slots for which all patterns hold, or, turned round, all others.  No patterns: all slots."""

    patterns: tuple[Pattern, ...]
    negated: bool = False

    def holds(self, letters: Letters) -> Array:
        """Say for which slots it holds."""
        held = np.ones(len(next(iter(letters.values()))), bool)
        for pattern in self.patterns:
            held &= pattern.holds(letters[pattern.letter])
        return ~held if self.negated else held

    @property
    def cost(self) -> int:
        """How hard it is to grasp."""
        return sum(pattern.cost for pattern in self.patterns) + self.negated

    def only(self, letters: str | Sequence[str]) -> bool:
        """Say whether it speaks of these letters alone."""
        return all(pattern.letter in letters for pattern in self.patterns)

    def __str__(self) -> str:
        text = " and ".join(map(str, self.patterns))
        return f"unless {text}" if self.negated else text

    @property
    def clause(self) -> str:
        """What follows a statement: "where ..." or "unless ..."; empty if it holds everywhere."""
        text = str(self)
        return text if not text or self.negated or text.startswith(("where", "of ")) else f"where {text}"


def pattern_of(letter: str, chosen: Integers, whole: Integers) -> Pattern | None:
    """Describe a set of values among all that a letter takes; None if it is all of them.

    Examples
    --------
    >>> str(pattern_of("ow", np.array([4, 5, 6]), np.arange(7))), str(pattern_of("kw", np.array([2]), np.arange(3)))
    ('ow >= 4 (beyond the last multiple of 4)', 'kw == 2 (the last)')
    >>> str(pattern_of("oh", np.array([1, 3]), np.arange(5)))
    'oh % 2 == 1 (odd)'
    """
    chosen, whole = np.unique(chosen), np.unique(whole)
    if len(chosen) == len(whole):
        return None
    rest = np.setdiff1d(whole, chosen)
    if len(chosen) == 1:
        ends = {int(whole[0]): "the first", int(whole[-1]): "the last"}
        remark = ends.get(int(chosen[0]), "") if (letter, 0) not in SPECIAL else ""
        return Pattern(letter, "==", (int(chosen[0]),), remark)
    if chosen[0] > rest[-1]:
        return Pattern(letter, ">=", (int(chosen[0]),), _tail(int(chosen[0]), int(whole[-1]) + 1))
    if chosen[-1] < rest[0]:
        return Pattern(letter, "<", (int(rest[0]),), "outside" if letter.startswith("i") and rest[0] == 0 else "")
    if np.array_equal(chosen, whole[(whole >= chosen[0]) & (whole <= chosen[-1])]):
        return Pattern(letter, "from", (int(chosen[0]), int(chosen[-1])))
    return _period(letter, chosen, whole) or _tiled(letter, chosen, whole) or _rest(letter, chosen, rest)


def _tail(begin: int, length: int) -> str:
    for multiple in (64, 32, 16, 8, 4):
        if begin >= multiple and begin % multiple == 0 and length - begin < multiple:
            return f"beyond the last multiple of {multiple}"
    return ""


def _period(letter: str, chosen: Integers, whole: Integers) -> Pattern | None:
    rest = np.setdiff1d(whole, chosen)
    steps = {int(np.diff(some).max()) for some in (chosen, rest) if len(some) > 1}
    for modulus in sorted({*range(2, 9), *steps}):
        for kind, some in (("%", chosen), ("!%", rest)):
            remainder = int(some[0] % modulus)
            enough = len(some) > 2 or (len(some) > 1 and (modulus < 9 or remainder == 0))
            if enough and np.array_equal(some, whole[whole % modulus == remainder]):
                odd = {(2, 0): "even", (2, 1): "odd"}.get((modulus, remainder), "") if kind == "%" else ""
                return Pattern(letter, kind, (modulus, remainder), odd)
    return None


def _tiled(letter: str, chosen: Integers, whole: Integers) -> Pattern | None:
    """Describe the same part of every tile, of which there must be two or more."""
    for tile in TILES:
        places, tiles = chosen % tile, np.unique(chosen // tile)
        for kind, number in (("%>=", int(places.min())), ("%<", int(places.max()) + 1)):
            pattern = Pattern(letter, kind, (tile, number))
            if len(tiles) > 1 and np.array_equal(whole[pattern.holds(whole)], chosen):
                return pattern
    return None


def _rest(letter: str, chosen: Integers, rest: Integers) -> Pattern:
    if len(rest) == 1:
        return Pattern(letter, "!=", (int(rest[0]),))
    return Pattern(letter, "in", tuple(map(int, chosen)))


def selection_of(mask: Array, universe: Array, letters: Letters) -> Selection | None:
    """Describe a set of slots among those of a universe, exactly and shortly; None if there are no words for it.

    Examples
    --------
    >>> letters = {"oh": np.array([0, 0, 1, 1]), "ow": np.array([0, 1, 0, 1])}
    >>> everything = np.ones(4, bool)
    >>> str(selection_of(np.array([True, True, True, False]), everything, letters))
    'unless oh == 1 (the last) and ow == 1 (the last)'
    """
    mask = mask & universe
    found = [Selection(patterns) for patterns in [_conjunction(mask, universe, letters)] if patterns is not None]
    others = _conjunction(universe & ~mask, universe, letters)
    found += [Selection(others, negated=True)] if others else []
    found = [item for item in found if max((len(p.numbers) for p in item.patterns), default=0) <= LONGEST_LIST]
    return min(found, key=lambda item: item.cost) if found else None


def _conjunction(mask: Array, universe: Array, letters: Letters) -> tuple[Pattern, ...] | None:
    if not mask.any():
        return None
    whole = {name: values[universe] for name, values in letters.items()}
    some = mask[universe]
    patterns = {name: pattern_of(name, values[some], values) for name, values in whole.items()}
    kept = {name: pattern for name, pattern in patterns.items() if pattern is not None}
    held = {name: pattern.holds(whole[name]) for name, pattern in kept.items()}
    if not np.array_equal(_all(held, len(some)), some):
        return None
    order = [name for name in DERIVED if name in kept] + [name for name in kept if name not in DERIVED]
    for name in sorted(order, key=lambda name: (name not in DERIVED, -kept[name].cost)):
        fewer = {other: mask for other, mask in held.items() if other != name}
        if np.array_equal(_all(fewer, len(some)), some):
            held = fewer
    return tuple(kept[name] for name in held)


def covers(mask: Array, universe: Array, letters: Letters) -> list[Selection]:
    """Describe the sets of slots, one letter each, of which a set is a part: some may be right by chance.

    Examples
    --------
    >>> letters = {"k": np.array([0, 0, 1, 1]), "c": np.array([0, 1, 0, 1])}
    >>> [str(item) for item in covers(np.array([False, False, False, True]), np.ones(4, bool), letters)]
    ['k == 1 (the last)', 'c == 1 (the last)']
    """
    mask = mask & universe
    plain = {name: values for name, values in letters.items() if name not in DERIVED} if mask.any() else {}
    found = [pattern_of(name, values[mask], values[universe]) for name, values in plain.items()]
    return [Selection((pattern,)) for pattern in found if pattern and len(pattern.numbers) <= LONGEST_LIST]


def _all(held: Mapping[str, Array], count: int) -> Array:
    whole = np.ones(count, bool)
    for mask in held.values():
        whole &= mask
    return whole
