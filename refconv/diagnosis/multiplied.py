"""Conditions on a product of attributes, such as K or oH*oW, which look like one on each factor where one is varied."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from refconv.diagnosis.attributes import Attribute, attributes
from refconv.diagnosis.patterns import LONGEST_LIST, pattern_of
from refconv.errors import RefconvError
from refconv.problem import ConvProblem

Ask = Callable[[ConvProblem], bool | None]
Answers = dict[ConvProblem, bool]

FEW = range(1, 6)  # values of each factor


class Product(NamedTuple):
    """A number of a problem that is the product of some attributes."""

    name: str
    read: Callable[[ConvProblem], int]
    factors: tuple[str, ...]
    needed: int  # how many factors must seem to matter, before the product is thought of


PRODUCTS = (
    Product("K", lambda problem: problem.out_channels, ("groups", "K/G"), 1),
    Product("C", lambda problem: problem.in_channels, ("groups", "C/G"), 1),
    Product("C/G*kH*kW", lambda problem: math.prod(problem.weight_shape[1:]), ("C/G", "kH", "kW"), 2),
    Product("oH*oW", lambda problem: math.prod(problem.output_size), ("H", "W"), 2),
)


def multiplied(problem: ConvProblem, found: Sequence[str], ask: Ask) -> list[str]:
    """Replace conditions on factors by one on their product, where that is what matters.

    Parameters
    ----------
    problem : ConvProblem
        It goes wrong.
    found : sequence of str
        The conditions, each of one attribute.
    ask : callable
        Says whether a problem goes wrong; None if that is unknown.

    Examples
    --------
    >>> problem = ConvProblem.from_descriptor("n1c2i1x1-k2w1x1-s1x1-d1x1-p0+0x0+0-g2-o1x1")
    >>> multiplied(problem, ["groups % 2 == 1", "K/G % 4 != 0"], lambda p: p.out_channels % 4 != 0)
    ['K % 4 != 0']
    """
    kept = list(found)
    for product in PRODUCTS:
        names = {*product.factors, *(f"o{factor}" for factor in product.factors)}
        touched = [text for text in kept if text.split(" ")[0] in names]
        if len(touched) >= product.needed and (words := _words(product, problem, ask)):
            kept = [words, *(text for text in kept if text not in touched)]
    return kept


def _words(product: Product, problem: ConvProblem, ask: Ask) -> str:
    """Describe which products go wrong; empty if they do not tell right from wrong, or a single factor does."""
    chosen = [attribute for attribute in attributes(problem) if attribute.name in product.factors]
    asked = {changed: ask(changed) for pair in combinations(chosen, 2) for changed in _grid(problem, *pair, product)}
    answers = {changed: answer for changed, answer in asked.items() if answer is not None}
    if any(_tells(attribute.read, answers) for attribute in chosen):
        return ""
    grouped = {changed: answer for changed, answer in answers.items() if changed.groups > 1}
    alone = not any(answer for changed, answer in answers.items() if changed not in grouped)
    if "groups" in product.factors and alone and _tells(product.read, grouped):
        words = _described(product, grouped)
        return f"groups >= 2 and {words}" if words else ""
    return _described(product, answers) if _tells(product.read, answers) else ""


def _grid(problem: ConvProblem, first: Attribute, second: Attribute, product: Product) -> Iterator[ConvProblem]:
    """Yield problems of few and of many of each, with as equal products as can be; many of the latter alone, too."""
    whole = first.read(problem) * second.read(problem)
    near = {one: {max(1, whole // one + step) for step in (-1, 0, 1)} for one in FEW}
    near[1] |= {2 * whole}.union(*near.values())
    for one, others in near.items():
        for other in sorted({*FEW, *others}):
            try:
                yield second.write(first.write(problem, one), other)
            except RefconvError:
                continue


def _tells(read: Callable[[ConvProblem], Hashable], answers: Answers) -> bool:
    """Say whether a number of the problem tells what goes wrong from what does not."""
    wrong, right = ({read(changed) for changed, answer in answers.items() if answer == kind} for kind in (True, False))
    return bool(wrong and right) and not wrong & right


def _described(product: Product, answers: Answers) -> str:
    values: Iterable[tuple[int, bool]] = ((product.read(changed), answer) for changed, answer in answers.items())
    known = dict(values)
    pattern = pattern_of(product.name, np.array([v for v, wrong in known.items() if wrong]), np.array(list(known)))
    return pattern.plain if pattern and len(pattern.numbers) <= LONGEST_LIST else ""
