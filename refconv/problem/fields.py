"""The fields of a problem, brought to their canonical form, and written in one word."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from refconv.errors import GeometryError

Size = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]


def integer(value: Any, name: str) -> int:
    """Take anything that is an integer, but no truth value."""
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise GeometryError(f"{name} must be an integer, got {value!r}.")


def integers(values: Any, name: str) -> Size:
    """Take a tuple with one integer per axis."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise GeometryError(f"{name} must be a tuple with one integer per axis, got {values!r}.")
    return tuple(integer(value, name) for value in values)


def pairs(padding: Any) -> Padding:
    """Take padding as one pair per axis."""
    found = [integers(pair, "padding") for pair in padding] if isinstance(padding, Iterable) else [()]
    if any(len(pair) != 2 for pair in found):
        raise GeometryError(f"padding must be ((top, bottom), (left, right)), got {padding!r}.")
    return tuple((begin, end) for begin, end in found)


def spread(value: Any, axes: int, name: str) -> Size:
    """Take one number for all axes, or one per axis."""
    return integers(value, name) if isinstance(value, Iterable) else (integer(value, name),) * axes


def spread_padding(padding: Any, axes: int) -> Any:
    """Take padding in PyTorch's ways: one number for all, one per axis, or a pair per axis."""
    if not isinstance(padding, Iterable):
        return ((padding, padding),) * axes
    return tuple(pair if isinstance(pair, Iterable) else (pair, pair) for pair in padding)


def listed(value: Any) -> Any:
    """Turn tuples into lists, also inside of each other."""
    return [listed(item) for item in value] if isinstance(value, tuple) else value
