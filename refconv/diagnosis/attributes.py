"""The numbers that make a problem, and how to change each of them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from refconv.diagnosis.products import axis_names
from refconv.problem import ConvProblem

Change = Callable[[ConvProblem, Any], ConvProblem]


class Attribute(NamedTuple):
    """A number of a problem, how to read it, and how to change it alone."""

    name: str
    read: Callable[[ConvProblem], int]
    write: Change


def attributes(problem: ConvProblem) -> Iterator[Attribute]:
    """Yield every attribute."""
    yield Attribute("groups", lambda p: p.groups, _with_groups)
    yield Attribute("C/G", lambda p: p.in_channels // p.groups, lambda p, v: replace(p, in_channels=v * p.groups))
    yield Attribute("K/G", lambda p: p.out_channels // p.groups, lambda p, v: replace(p, out_channels=v * p.groups))
    yield Attribute("N", lambda p: p.batch, lambda p, v: replace(p, batch=v))
    for axis, letter in enumerate(axis_names(problem)):
        name = letter.upper()
        yield _along(f"s{name}", "stride", axis)
        yield _along(f"d{name}", "dilation", axis)
        yield _pad({"H": "pad top", "W": "pad left"}.get(name, f"pad before {name}"), axis, 0)
        yield _pad({"H": "pad bottom", "W": "pad right"}.get(name, f"pad after {name}"), axis, 1)
        yield _along(f"k{name}", "kernel_size", axis)
        yield _along(name, "input_size", axis)


def lowered(value: int, least: int) -> list[int]:
    """Return what to lower a number to, the lowest first: as far as possible, by a half, or by less.

    Examples
    --------
    >>> lowered(20, 0), lowered(1, 1)
    ([0, 1, 10, 11, 15, 18, 19], [])
    """
    closer = {value - (value >> shift) for shift in range(1, value.bit_length())}
    return [
        lower for lower in sorted({least, least + 1, value // 2, value // 2 + 1} | closer) if least <= lower < value
    ]


def _along(name: str, field: str, axis: int) -> Attribute:
    return Attribute(name, lambda problem: int(getattr(problem, field)[axis]), _changed(field, axis))


def _pad(name: str, axis: int, end: int) -> Attribute:
    return Attribute(name, lambda problem: problem.padding[axis][end], _padded(axis, end))


def _with_groups(problem: ConvProblem, groups: int) -> ConvProblem:
    inputs, outputs = problem.in_channels // problem.groups, problem.out_channels // problem.groups
    return replace(problem, groups=groups, in_channels=inputs * groups, out_channels=outputs * groups)


def _changed(field: str, axis: int) -> Change:
    def change(problem: ConvProblem, value: int) -> ConvProblem:
        values = list(getattr(problem, field))
        values[axis] = value
        return with_field(field)(problem, tuple(values))

    return change


def with_field(field: str) -> Change:
    """Return the change that sets a field of a problem."""

    def change(problem: ConvProblem, value: Any) -> ConvProblem:
        fields: dict[str, Any] = {field: value}
        return replace(problem, **fields)

    return change


def _padded(axis: int, end: int) -> Change:
    def change(problem: ConvProblem, value: int) -> ConvProblem:
        pads = [list(pair) for pair in problem.padding]
        pads[axis][end] = value
        return replace(problem, padding=tuple((begin, end) for begin, end in pads))

    return change
