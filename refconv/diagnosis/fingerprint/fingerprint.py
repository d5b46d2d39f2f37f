"""Measure the arithmetic of an implementation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from refconv.diagnosis.fingerprint import bits
from refconv.diagnosis.fingerprint.bench import SHAPES, Bench, bench
from refconv.diagnosis.fingerprint.order import FIRST, Order, bracketed, size
from refconv.diagnosis.fingerprint.rounding import accumulator_rounding, output_rounding
from refconv.diagnosis.fingerprint.suggest import suggest
from refconv.diagnosis.fingerprint.tree_words import describe
from refconv.errors import CatalogueError
from refconv.formats import get_format
from refconv.implementations import Runner, as_runner

DTYPES = ("float32", "float64", "float16", "bfloat16")
PATIENCE = 0.25  # seconds a call; slower shapes are left out
WRITTEN = 40  # leaves of a tree that is written out


@dataclass(frozen=True)
class Arithmetic:
    """What was found for one format and shape.

    Attributes
    ----------
    dtype, shape, problem : str
    x_bits, weight_bits : int
        Bits of the operands that reach the product, the hidden one counted.
    accumulator_bits, part_bits : int or None
        Bits of the accumulator, between products that lie far apart, and next to each other: more where
        partial sums pass through a narrower format.  None: more than the inputs can show.
    parts : int
        The number of partial sums, if there are such.
    fma : bool or None
        Whether products are added unrounded; None where the accumulator holds every product.
    flushed : tuple of str
        What is taken for zero when it is subnormal, among x, weight, product and sum.
    output_rounding, accumulator_rounding : str or None
        None where it cannot be seen.
    order : str
        The order of summation, in words.
    tree : str or None
        The same in brackets, if it is small.
    """

    dtype: str
    shape: str
    problem: str
    x_bits: int
    weight_bits: int
    accumulator_bits: int | None
    part_bits: int | None
    parts: int
    fma: bool | None
    flushed: tuple[str, ...]
    output_rounding: str | None
    accumulator_rounding: str | None
    order: str
    tree: str | None


@dataclass(frozen=True)
class Fingerprint:
    """The arithmetic of an implementation.

    Attributes
    ----------
    name : str
    found : tuple of Arithmetic
        By format and shape.
    suggested : dict
        For each format the accuracy class that ``check`` should use, or None.
    reasons : dict
        For each format why, in a sentence.
    refused : dict
        For what could not be measured, why: keys are ``"format, shape"``.
    """

    name: str
    found: tuple[Arithmetic, ...]
    suggested: dict[str, str | None]
    reasons: dict[str, str]
    refused: dict[str, str]

    def as_json(self) -> str:
        """Return everything as JSON."""
        return json.dumps(asdict(self), indent=1)


def fingerprint(
    implementation: Any, dtypes: Iterable[str] = DTYPES, shapes: Iterable[str] = tuple(SHAPES)
) -> Fingerprint:
    """Find out which arithmetic the forward pass of an implementation uses.

    Everything is read off results of a few chosen products; all numbers are exact powers of two and
    sums of two of them.

    Parameters
    ----------
    implementation : object
        Whatever :func:`refconv.implementations.as_runner` takes.
    dtypes, shapes : iterable of str
        Floating-point formats, and names of :data:`SHAPES`: implementations change their path with the shape.

    Returns
    -------
    Fingerprint

    Raises
    ------
    CatalogueError
        If a shape is unknown, or a format has no floating point.

    Examples
    --------
    >>> from refconv.reference import direct
    >>> print(fingerprint(direct, ["float64"], ["depthwise"]).found[0].order)
    sequential
    """
    runner, formats, names = as_runner(implementation), tuple(dtypes), tuple(shapes)
    _check(formats, names)
    found, refused = [], {}
    for dtype in formats:
        for shape in names:
            try:
                found.append(_measure(runner, shape, dtype))
            except Exception as error:  # of the implementation's own making
                refused[f"{dtype}, {shape}"] = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".")
    suggested: dict[str, str | None] = {}
    reasons: dict[str, str] = {}
    for dtype in dict.fromkeys(item.dtype for item in found):
        suggested[dtype], reasons[dtype] = suggest([item for item in found if item.dtype == dtype])
    return Fingerprint(runner.name, tuple(found), suggested, reasons, refused)


def _check(dtypes: tuple[str, ...], shapes: tuple[str, ...]) -> None:
    unknown = sorted(set(shapes) - set(SHAPES))
    if unknown:
        raise CatalogueError(f"a shape must be one of {'; '.join(SHAPES)}, got {'; '.join(unknown)}.")
    for dtype in dtypes:
        if dtype not in DTYPES:
            raise CatalogueError(f"a fingerprint needs a format among {', '.join(DTYPES)}, got {get_format(dtype)}.")


def _measure(runner: Runner, shape: str, dtype: str) -> Arithmetic:
    place = bench(runner, shape, dtype)
    seconds = place.seconds()
    if seconds > PATIENCE:
        raise TimeoutError(f"one of some hundred calls takes {seconds:.2f} s, more than {PATIENCE}")
    near, far = bits.triples(place)
    part, whole = bits.accumulator_bits(place, near), bits.accumulator_bits(place, far)
    order, tree = _order(place, part or whole)
    return Arithmetic(
        dtype, shape, place.problem.descriptor, bits.operand_bits(place, "x"), bits.operand_bits(place, "weight"),
        whole, part, _parts(place, part, whole), bits.fused(place, whole) if whole else None, bits.flushed(place),
        output_rounding(place, whole), accumulator_rounding(place, near, part), order, tree,
    )  # fmt: skip


def _order(place: Bench, precision: int | None) -> tuple[str, str | None]:
    tree = Order(place, precision).tree() if precision else None
    if tree is None:
        return "not visible", None
    words = describe(tree, place.kernel)
    if size(tree) < place.terms:
        words += f" (the first {FIRST} of {place.terms} products)"
    return words, bracketed(tree) if size(tree) <= WRITTEN else None


def _parts(place: Bench, part: int | None, whole: int | None) -> int:
    """Count the partial sums: one more than the neighbours between which bits are lost."""
    if whole is None or part == whole:
        return 1
    neighbours = [(i, i + 1, i + 2) for i in range(place.terms - 2)]
    lowest = bits.unit_exponent(place.element)
    values = 2.0 ** (lowest + whole), 2.0**lowest, -(2.0 ** (lowest + whole))
    lost = [bool((bits.ordered_sums(place, triple, values) != 2.0**lowest).any()) for triple in neighbours]
    return 1 + sum(now and not before for before, now in zip([False, *lost], lost, strict=False))
