"""Defect models that show only where a trigger holds, most of them from public reports.

To add one, write a subclass of :class:`~refconv.diagnosis.defects.base.Triggered` into the file of its
family; nothing else registers it.  What several of them share is in ``parts``, ``space`` and ``shapes``.
"""

from __future__ import annotations

from types import ModuleType

from refconv.diagnosis.defects.triggered import (
    blocked_layouts,
    depthwise,
    dilated,
    extents,
    grouped,
    input_gradients,
    padded,
    pointwise,
    specialised,
    split_sums,
    tile_edges,
    vector_tails,
    weight_gradients,
    winograd,
)

TRIGGERED_FAMILIES: tuple[ModuleType, ...] = (
    vector_tails, tile_edges, winograd, pointwise, depthwise, grouped, specialised, padded, dilated,
    blocked_layouts, extents, input_gradients, weight_gradients, split_sums,
)  # fmt: skip

__all__ = ["TRIGGERED_FAMILIES"]
