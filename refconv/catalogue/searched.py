"""Problems that a search has found: small, and many conditions at once.

``compact`` is a small set that shows most of the triggered defect models, so that it fits into ``smoke``;
``boundaries`` meets the conditions of :mod:`refconv.catalogue.triggers` that no other case meets.  Their rows
were drawn at random, the one that met most for its bytes kept each time, and are frozen.
"""

from __future__ import annotations

from refconv.catalogue.arrays import lines, slug_of
from refconv.catalogue.spec import Row
from refconv.problem import ConvProblem


def compact() -> list[Row]:
    """Small problems, each with the operations in which faulty convolutions show there."""
    comment = "Found by search: many faulty convolutions show on this small problem, which its name spells out."
    return [
        Row(slug_of(text), comment, ConvProblem.from_descriptor(text), operations=tuple(operations.split(",")))
        for text, operations in lines("compact")
    ]


def boundaries() -> list[Row]:
    """Extents, strides and kernels that no other case has, several at once."""
    comment = "Found by search: extents at which tiles, vectors and special kernels begin or end."
    return [Row(slug_of(text), comment, ConvProblem.from_descriptor(text)) for (text,) in lines("boundaries")]
