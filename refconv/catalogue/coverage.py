"""Which pairs and triples of factor values could occur in a case, and which do.

A factor is a property that is read off a case: an extent, a pad, whether rows are left over.  A combination of
values is legal if some convolution has it whose results depend on its input.  Only the factors of one axis restrict
each other (a kernel must fit into its padded input), and the format restricts the fill, so that legality is decided
block by block: all axes up to a size are tried, and the blocks combine freely.  Nothing here comes from whatever
chose the cases.  The factors here are those of images, two axes; :mod:`refconv.catalogue.operators` has the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, combinations, product
from operator import itemgetter

from refconv.catalogue.spec import CaseSpec
from refconv.problem import Problem, output_length

Values = tuple[str, ...]
Combination = tuple[tuple[str, str], ...]

AXIS = ("length", "kernel", "stride", "dilation", "begin", "end", "leftover", "outputs")
CHANNELS = ("batch", "in-per-group", "out-per-group", "groups")
ELEMENTS = ("float64", "float32", "float16", "bfloat16", "int8")
FILLS = ("exact", "zero-mean")


@dataclass(frozen=True)
class Block:
    """Factors that restrict each other, and the values that they can take together."""

    factors: tuple[str, ...]
    legal: frozenset[Values]

    def project(self, factors: tuple[str, ...]) -> list[Combination]:
        """List what some of the factors can take together."""
        found = _projected(self.legal, tuple(map(self.factors.index, factors)))
        return [tuple(zip(factors, values, strict=True)) for values in found]


@cache  # for the sides of an operator, whose blocks have the same values
def _projected(legal: frozenset[Values], places: tuple[int, ...]) -> list[Values]:
    columns = (map(itemgetter(place), legal) for place in places)
    return sorted(set(zip(*columns, strict=True)))


@dataclass(frozen=True)
class Factors:
    """The factors of an operator.

    Attributes
    ----------
    blocks : tuple of Block
    read : callable
        Reads all values off a case, in the order of the blocks; several rows where a case is several tests.
    """

    blocks: tuple[Block, ...]
    read: Callable[[CaseSpec], Iterable[Values]]

    @cached_property
    def names(self) -> Values:
        """The factors, block by block, in the order in which a case states them."""
        return tuple(name for block in self.blocks for name in block.factors)

    def rows(self, specs: Iterable[CaseSpec]) -> set[Combination]:
        """Read the values off cases; those that leave something open, or must be refused, have none."""
        plain = (spec for spec in specs if not spec.row.policies and not spec.row.invalid)
        return {tuple(zip(self.names, values, strict=True)) for spec in plain for values in self.read(spec)}


@dataclass(frozen=True)
class Coverage:
    """How many combinations are legal, how many occur, and which do not."""

    strength: int
    factors: int
    legal: int
    covered: int
    missing: tuple[Combination, ...]

    def __str__(self) -> str:
        noun = {1: "values", 2: "pairs", 3: "triples"}.get(self.strength, f"{self.strength}-tuples")
        share = 100 * self.covered / max(1, self.legal)
        return f"{self.factors} factors: {self.covered} of {self.legal} legal {noun} of values occur ({share:.2f} %)"


def coverage(specs: Iterable[CaseSpec], strength: int, factors: Factors | None = None) -> Coverage:
    """Count the legal combinations of values, and those that occur in at least one case.

    Parameters
    ----------
    specs : iterable of CaseSpec
        Cases that leave something open, or whose kernel exceeds the input, do not count.
    strength : int
        2 for pairs, 3 for triples.
    factors : Factors, optional
        Those of the operator that all cases are about; by default of images.

    Examples
    --------
    >>> from refconv.catalogue import cases
    >>> print(coverage(cases("core", ["basic-float32-exact/stride"]), 2))
    23 factors: 253 of 2817 legal pairs of values occur (8.98 %)
    """
    known = factors or images()
    wanted = legal(strength, known)
    found = {some for row in known.rows(specs) for some in combinations(row, strength)}
    missing = tuple(some for some in wanted if some not in found)
    return Coverage(strength, len(known.names), len(wanted), len(wanted) - len(missing), missing)


def legal(strength: int, factors: Factors | None = None) -> list[Combination]:
    """List all combinations of that many values which some convolution has."""
    found: list[Combination] = []
    known = factors or images()
    for names in combinations(known.names, strength):
        parts = [(block, tuple(name for name in names if name in block.factors)) for block in known.blocks]
        choices = [block.project(own) for block, own in parts if own]
        found += [tuple(chain(*some)) for some in product(*choices)]
    return found


@cache
def images() -> Factors:
    """Return the factors of convolutions of images."""
    return Factors(blocks(), lambda spec: [_values(spec)])


@cache
def blocks() -> tuple[Block, ...]:
    """Return the factors, block by block, in the order in which a case states them."""
    axes = frozenset(axis_values(*axis) for axis in _axes())
    many = ("1", "2", "3", "4", "5+")
    alone = {"batch": ("1", "2", "3+"), "in-per-group": many, "out-per-group": many, "groups": ("1", "2", "3+"),
             "bias": ("no", "yes")}  # fmt: skip
    arithmetic = frozenset(pair for pair in product(ELEMENTS, FILLS) if pair != ("int8", "zero-mean"))
    return (
        *(Block(tuple(f"{side}-{name}" for name in AXIS), axes) for side in ("height", "width")),
        *(Block((name,), frozenset((value,) for value in values)) for name, values in alone.items()),
        Block(("element", "fill"), arithmetic),
    )


def axis_values(length: int, kernel: int, stride: int, dilation: int, begin: int, end: int) -> Values:
    """Return the values of the factors of one axis, in the order of ``AXIS``.

    Examples
    --------
    >>> dict(zip(AXIS, axis_values(8, 3, 2, 1, 0, 1), strict=True))["leftover"]
    'no'
    """
    reach = dilation * (kernel - 1) + 1
    outputs = output_length(length, kernel, stride, dilation, (begin, end))
    unread = length + begin + end - (outputs - 1) * stride - reach
    if length == 1:
        size = "one"
    elif length <= reach:
        size = "fit" if length == reach else "under"
    else:
        size = "odd" if length % 2 else "even"
    return (
        size, capped(kernel, 4), capped(stride, 3), capped(dilation, 3), capped(begin, 2), capped(end, 2),
        "yes" if unread else "no", "1" if outputs == 1 else "2-4" if outputs < 5 else "5+",
    )  # fmt: skip


def _axes() -> Iterator[tuple[int, int, int, int, int, int]]:
    """Try all axes up to a size, apart from those on which no tap meets the image: no result depends on x there.

    Beyond two pads at one end only the sum of the pads matters, and of the strides beyond 3 a large one stands for
    all: it leaves one output where 3 leaves two, and nothing else is new.
    """
    pads = {pair for pair in product(range(26), repeat=2) if min(pair) <= 2}
    sizes = product(range(1, 27), range(1, 6), (1, 2, 3, 8), range(1, 4))
    for (length, kernel, stride, dilation), (begin, end) in product(sizes, pads):
        outputs = output_length(length, kernel, stride, dilation, (begin, end))
        image = range(begin, begin + length)
        if any(
            first + tap * dilation in image for first in range(0, outputs * stride, stride) for tap in range(kernel)
        ):
            yield length, kernel, stride, dilation, begin, end


def pairs_of(spec: CaseSpec) -> list[Combination]:
    """List the pairs of values that a case has, as :func:`legal` states them."""
    return list(combinations(zip(images().names, _values(spec), strict=True), 2))


def _values(spec: CaseSpec) -> Values:
    """Read the value of every factor off a case, in the order of the blocks."""
    p = spec.problem
    axes = zip(p.input_size, p.kernel_size, p.stride, p.dilation, p.padding, strict=True)
    per_axis = chain(*(axis_values(*axis[:4], *axis[4]) for axis in axes))
    return (*per_axis, *_channels(p), "yes" if spec.has_bias else "no", spec.element, spec.fill)


def _channels(problem: Problem) -> Values:
    inner, outer = problem.weight_shape[1], problem.out_channels // problem.groups
    return (capped(problem.batch, 3), capped(inner, 5), capped(outer, 5), capped(problem.groups, 3))


def capped(number: int, cap: int) -> str:
    """Write a number, all that are not below the cap as one."""
    return f"{cap}+" if number >= cap and cap != 1 else str(number)
