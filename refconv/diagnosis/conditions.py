"""Under which condition does it go wrong?  Found by changing one attribute of a failing problem at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from refconv.diagnosis.attributes import Change, attributes, lowered, with_field
from refconv.diagnosis.multiplied import multiplied
from refconv.diagnosis.patterns import LONGEST_LIST, Pattern, pattern_of
from refconv.diagnosis.products import axis_names
from refconv.errors import RefconvError
from refconv.problem import ConvProblem

Fails = Callable[[ConvProblem], bool | None]  # None: refused

LONGEST_SCAN = 40
LARGE = 2**12  # an attribute, or elements of x, from here on
OBVIOUS = 4  # that something shows only with two rows, or four, is no news


@dataclass(frozen=True)
class Conditions:
    """What must hold for the fault to occur, as far as was tried.

    Attributes
    ----------
    smallest : ConvProblem
        A simple problem that still goes wrong.
    roomy : ConvProblem
        The same with a larger image, if that goes wrong, too.
    found : tuple of str
        What must hold there: "groups > 1", "oW % 4 != 0".  Empty if no attribute matters.
    tried : int
        How many problems were run.
    complete : bool
        Whether there was time for all of them.
    """

    smallest: ConvProblem
    roomy: ConvProblem
    found: tuple[str, ...]
    tried: int
    complete: bool = True

    def __str__(self) -> str:
        if self.found:
            late = "" if self.complete else "; there was no time to try all attributes"
            return f"It occurs where {' and '.join(self.found)} (simplest problem: {self.smallest}{late})."
        if not self.complete:
            return f"It goes wrong as early as on {self.smallest}; there was no time to find out what matters there."
        return f"No attribute of the problem matters: it goes wrong as early as on {self.smallest}."


def conditions(problem: ConvProblem, fails: Fails, seconds: float = 4.0) -> Conditions:
    """Simplify a failing problem, then vary what could not be simplified away.

    Parameters
    ----------
    problem : ConvProblem
        It goes wrong.
    fails : callable
        Says whether a problem goes wrong; None if it is refused.
    seconds : float
        Stops there, with what was found so far.

    Examples
    --------
    >>> problem = ConvProblem.from_descriptor("n2c6i9x8-k8w3x2-s2x1-d1x2-p1+0x2+1-g2-o4x9")
    >>> conditions(problem, lambda p: p.groups > 1 and p.output_size[1] % 4 != 0).found
    ('groups >= 2', 'oW % 4 != 0')
    """
    search = _Search(fails, seconds)
    smallest = _simplified(problem, search)
    roomy = _with_room(smallest, search)
    telling = sorted(attributes(roomy), key=lambda item: -item.read(roomy))  # the large ones first, while there is time
    texts = {name: _necessary(name, roomy, read(roomy), write, search) for name, read, write in telling}
    found = [text for name, *_ in attributes(roomy) if (text := texts[name])]
    found = multiplied(roomy, _related(roomy, found, search), search.ask)
    return Conditions(smallest, roomy, tuple(dict.fromkeys(found)), search.tried, not search.late)


class _Search:
    """Asks whether a problem goes wrong, once for each problem."""

    def __init__(self, fails: Fails, seconds: float) -> None:
        self.fails, self.end, self.tried = fails, time.monotonic() + seconds, 0
        self.late = False
        self.known: dict[ConvProblem, bool | None] = {}

    def __call__(self, change: Change, problem: ConvProblem, value: Any) -> bool | None:
        """Ask of the problem that a change leads to; None if it is refused, illegal or too late."""
        try:
            return self.ask(change(problem, value))
        except RefconvError:
            return None

    def ask(self, problem: ConvProblem) -> bool | None:
        """Ask of a problem; None if it is refused, empty or too late."""
        if problem not in self.known:
            self.late |= time.monotonic() > self.end
            if self.late or min(problem.y_shape) < 1:
                return None
            self.tried += 1
            self.known[problem] = self.fails(problem)
        return self.known[problem]


def _simplified(problem: ConvProblem, search: _Search) -> ConvProblem:
    """Bring every attribute as far down as the fault survives; again, until nothing changes."""
    before = None
    while before != problem:
        before = problem
        for name, read, write in attributes(problem):
            for lower in lowered(read(problem), 0 if name.startswith("pad") else 1):
                if search(write, problem, lower):
                    problem = write(problem, lower)
                    break
    return problem


def _with_room(problem: ConvProblem, search: _Search) -> ConvProblem:
    """Enlarge the image where the fault survives it, so that kernels and pads have room to vary."""
    if math.prod(problem.x_shape) > LARGE:  # each answer would take long
        return problem
    change, axes = with_field("input_size"), len(problem.input_size)
    for more in ((12, 11), (11, 12), (13, 13), (12, 12), (0, 11), (11, 0)):
        sizes = tuple(map(sum, zip(problem.input_size, (9, *more)[-axes:], strict=True)))
        if search(change, problem, sizes):
            return change(problem, sizes)
    return problem


def _necessary(name: str, problem: ConvProblem, value: int, write: Change, search: _Search) -> str:
    """Vary one attribute; describe the values at which the fault occurs, or say nothing if it does at all.

    What changes the size of the output is varied twice, with the size of the input kept and with that of the
    output: where the fault stays in either, the value of the attribute itself does not matter.
    """
    ways = (write,) if name in ("H", "W", "D") else (write, _keeping_output(write))
    first, *others = (_scanned(name, value, problem, change, search) for change in ways)
    known = {
        number: answer or any(other[number] for other in others)
        for number, answer in first.items()
        if all(number in other for other in others)
    }
    wrong = [number for number, answer in sorted(known.items()) if answer]
    if len(wrong) == len(known) or not wrong:
        return ""
    described = _described(name, wrong, sorted(known), problem, write)
    blocks = [text for label, some, every in described if (text := _blocks(label, some, every))]
    if blocks:
        return blocks[0]
    found = [pattern_of(label, np.array(some), np.array(every)) for label, some, every in described]
    patterns = [pattern for pattern in found if pattern is not None]
    patterns = [pattern for pattern in patterns if len(pattern.numbers) <= LONGEST_LIST]
    if not patterns:
        return ""  # it depends on the values, then
    best = min(patterns, key=lambda pattern: (pattern.cost, sum(pattern.numbers[1:])))
    return "" if _is_obvious(name, best) else best.plain


def _scanned(name: str, value: int, problem: ConvProblem, change: Change, search: _Search) -> dict[int, bool]:
    least = 0 if name.startswith("pad") else 1
    highest = max(2 * value + 2, value + 9) if value < LONGEST_SCAN else value + 9
    lowest = highest - 2 * LONGEST_SCAN if value < LARGE else value - 8  # which is enough to see a threshold
    values = range(max(least, lowest), highest)
    asked = {number: search(change, problem, number) for number in values}
    return {number: answer for number, answer in asked.items() if answer is not None}


Described = tuple[str, list[int], list[int]]  # name, the values at which it goes wrong, all values


def _described(name: str, wrong: list[int], known: list[int], problem: ConvProblem, write: Change) -> list[Described]:
    """List the names by which values may be called: W, and before it oW if each W has its own."""
    described = [(name, wrong, known)]
    if name in ("H", "W", "D"):
        axis = axis_names(problem).index(name.lower())
        outputs = {number: write(problem, number).output_size[axis] for number in known}
        if len(set(outputs.values())) == len(outputs):
            described.insert(0, (f"o{name}", [outputs[number] for number in wrong], list(outputs.values())))
    return described


def _blocks(name: str, wrong: list[int], known: list[int]) -> str:
    """Describe what goes wrong beyond a first block, unless whole blocks fill the extent; empty if it does not."""
    start, block = min(wrong), min(wrong) - 1
    if block < 2 or start <= min(known):
        return ""
    beyond = [number for number in known if number >= start]
    left_out = [number for number in beyond if number % block == 0]
    if not left_out or max(wrong) <= 2 * block or sorted(set(beyond) - set(left_out)) != sorted(wrong):
        return ""
    return f"{name} > {block} and {name} % {block} != 0"


def _keeping_output(write: Change) -> Change:
    def change(problem: ConvProblem, value: int) -> ConvProblem:
        roomy = replace(problem, input_size=tuple(length + 10**6 for length in problem.input_size))
        new = write(roomy, value)  # with room, so that nothing is refused on the way
        reach = [d * (kernel - 1) + 1 for d, kernel in zip(new.dilation, new.kernel_size, strict=True)]
        axes = zip(problem.output_size, new.stride, reach, new.padding, strict=True)
        return replace(new, input_size=tuple((out - 1) * step + length - sum(pads) for out, step, length, pads in axes))

    return change


def _is_obvious(name: str, pattern: Pattern) -> bool:
    return name in ("H", "W", "D") and pattern.kind == ">=" and pattern.numbers[0] <= OBVIOUS


def _related(problem: ConvProblem, found: Sequence[str], search: _Search) -> list[str]:
    """Replace conditions on both axes by one on their difference, where that is what matters."""
    fields = {"s": "stride", "d": "dilation", "k": "kernel_size", "": "input_size"}
    kept = list(found)
    for letter, field in fields.items():
        names = [f"{letter}{axis.upper()}" for axis in axis_names(problem)]
        touched = [text for text in kept if text.split(" ")[0] in (names if letter else [*names, "oH", "oW"])]
        if not touched or len(names) != 2:
            continue
        equal = [search(with_field(field), problem, (value, value)) for value in (1, 2, 3)]
        unequal = [search(with_field(field), problem, pair) for pair in ((1, 2), (2, 1), (2, 3), (3, 2))]
        known = [answer for answer in unequal if answer is not None]
        if not any(equal) and len(known) > 1 and all(known):
            kept = [text for text in kept if text not in touched] + [f"{names[0]} != {names[1]}"]
    return kept
