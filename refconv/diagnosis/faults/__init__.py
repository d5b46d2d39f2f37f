"""Faulty convolutions, re-created from bugs that people have met: what checks and vectors are tested with.

Defect models (:mod:`refconv.diagnosis.defects`) predict what a wrong index does.  Faults depend on values,
formats, memory and the calls before, so that some show in no single call.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from refconv.diagnosis.faults import (
    algorithms,
    dtypes,
    integers,
    layout,
    memory,
    numerics,
    quantized,
    ranges,
    requantized,
    reuse,
    scales,
    special,
    state,
)
from refconv.diagnosis.faults.base import Fault

FAMILIES: tuple[ModuleType, ...] = (
    memory, layout, state, reuse, numerics, algorithms, ranges, integers, quantized, requantized, scales,
    special, dtypes,
)  # fmt: skip


@functools.cache
def _found() -> tuple[type[Fault], ...]:
    return tuple(
        item
        for family in FAMILIES
        for item in vars(family).values()
        if isinstance(item, type) and issubclass(item, Fault) and item.__module__ == family.__name__
        if "source" in vars(item)  # the others are bases
    )


@functools.cache
def integer_faults() -> Mapping[str, type[Fault]]:
    """Return the faults of 8-bit layers: of their sums, and of what is done to quantised ones besides.

    Examples
    --------
    >>> integer_faults()["rounded-down"].summary()
    'Scaled sums are rounded down.'
    """
    families = {family.__name__ for family in (integers, quantized, requantized, scales)}
    return MappingProxyType({fault.name: fault for fault in _found() if fault.__module__ in families})


def all_faults() -> dict[str, type[Fault]]:
    """Return all faults by their slugs, families in order and each as written in its file.

    Examples
    --------
    >>> all_faults()["gradients-add-up"].shows_by
    'repeat'
    """
    return {fault.name: fault for fault in _found()}


__all__ = ["FAMILIES", "Fault", "all_faults", "integer_faults"]
