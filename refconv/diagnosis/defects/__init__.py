"""Defect models: every way in which convolutions are known to go wrong, each a few lines.

To add one, write a subclass of :class:`Defect` into the file of its family; nothing else registers it.
"""

from __future__ import annotations

import functools
from types import ModuleType

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
    stride_dilation,
    tails,
    values,
)
from refconv.diagnosis.defects.base import Defect

FAMILIES: tuple[ModuleType, ...] = (
    orientation, stride_dilation, padding, placement, borders, tails, groups, batch, bias,
    layout, fast_paths, values, gradients, grad_input, grad_weight, grad_bias,
)  # fmt: skip


@functools.cache
def _found() -> tuple[type[Defect], ...]:
    return tuple(
        item
        for family in FAMILIES
        for item in vars(family).values()
        if isinstance(item, type) and issubclass(item, Defect) and item.__module__ == family.__name__
    )


def all_defects() -> dict[str, type[Defect]]:
    """Return all defect models by their slugs, families in order and each as written in its file.

    Examples
    --------
    >>> all_defects()["kernel-flipped"].summary()
    'The kernel is flipped along all axes.'
    """
    return {defect.name: defect for defect in _found()}


__all__ = ["FAMILIES", "Defect", "all_defects"]
