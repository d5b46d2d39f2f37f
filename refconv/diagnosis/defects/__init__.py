"""Defect models: every way in which convolutions are known to go wrong, each a few lines.

To add one, write a subclass of :class:`Defect` into the file of its family; nothing else registers it.
Those of ``FAMILIES`` show on the probes, those of ``TRIGGERED_FAMILIES`` on particular problems only;
:func:`~refconv.diagnosis.diagnose` names both, and both measure what a suite of cases finds.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import TypeVar

from refconv.diagnosis.defects import (
    batch,
    bias,
    borders,
    fast_paths,
    grad_bias,
    grad_input,
    grad_weight,
    gradients,
    groups,
    layout,
    orientation,
    padding,
    placement,
    sizes,
    stride_dilation,
    tails,
    values,
)
from refconv.diagnosis.defects.base import Defect, Described, Triggered
from refconv.diagnosis.defects.transposed import TRANSPOSED_FAMILIES, TransposedDefect
from refconv.diagnosis.defects.triggered import TRIGGERED_FAMILIES

Model = TypeVar("Model", bound=Described)

FAMILIES: tuple[ModuleType, ...] = (
    orientation, stride_dilation, padding, placement, borders, tails, groups, batch, bias,
    layout, fast_paths, values, gradients, grad_input, grad_weight, grad_bias,
)  # fmt: skip


def _found(families: tuple[ModuleType, ...], kind: type[Model]) -> tuple[type[Model], ...]:
    return tuple(
        item
        for family in families
        for name, item in vars(family).items()
        if isinstance(item, type) and issubclass(item, kind) and item.__module__ == family.__name__ and name[0] != "_"
    )


@functools.cache
def all_defects() -> Mapping[str, type[Defect]]:
    """Return the defect models that show on the probes by their slugs, as written in their files.

    Examples
    --------
    >>> all_defects()["kernel-flipped"].summary()
    'The kernel is flipped along all axes.'
    """
    return MappingProxyType({defect.name: defect for defect in _found(FAMILIES, Defect)})


@functools.cache
def triggered_defects() -> Mapping[str, type[Triggered]]:
    """Return the defect models that show only where their trigger holds.

    Examples
    --------
    >>> triggered_defects()["odd-column-lost"].summary()
    'Where oW is odd while C and K are even, the last output column is not computed.'
    """
    return MappingProxyType({defect.name: defect for defect in _found(TRIGGERED_FAMILIES, Triggered)})


@functools.cache
def transposed_defects() -> Mapping[str, type[TransposedDefect]]:
    """Return the defect models of transposed convolutions.

    Examples
    --------
    >>> transposed_defects()["output-padding-first"].summary()
    'output_padding lengthens the output at its beginning.'
    """
    return MappingProxyType({defect.name: defect for defect in _found(TRANSPOSED_FAMILIES, TransposedDefect)})


@functools.cache
def every_defect() -> Mapping[str, type[Defect]]:
    """Return all defect models of convolutions, those that show on the probes first.

    Examples
    --------
    >>> len(every_defect()) == len(all_defects()) + len(triggered_defects())
    True
    """
    return MappingProxyType({**all_defects(), **triggered_defects()})


@functools.cache
def known_defects() -> Mapping[str, type[Defect]]:
    """Return all defects that can be named: those of the output's size, too, which any case shows.

    Examples
    --------
    >>> sorted(set(known_defects()) - set(every_defect()))[0]
    'dilation-missing-in-size'
    """
    return MappingProxyType({**every_defect(), **{defect.name: defect for defect in _found((sizes,), Defect)}})


__all__ = [
    "FAMILIES",
    "TRIGGERED_FAMILIES",
    "Defect",
    "Described",
    "TransposedDefect",
    "Triggered",
    "all_defects",
    "every_defect",
    "known_defects",
    "transposed_defects",
    "triggered_defects",
]
