"""What the flags promise: the defect models that every exact case with a flag catches, and few others do.

``scripts/select_core.py`` computes the file, ``tests/catalogue/test_promises.py`` holds the cases to it.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

FILE = Path(__file__).with_name("promises.json")


@functools.cache
def promises() -> dict[str, list[str]]:
    """Return the slugs of the defect models by flag.

    Examples
    --------
    >>> promises()["Dilated"]
    ['dilation-ignored', 'grad-input-dilation-ignored', 'grad-weight-dilation-ignored']
    """
    found: dict[str, list[str]] = json.loads(FILE.read_text(encoding="ascii"))
    return found


def promises_of(tier: str) -> dict[str, list[str]]:
    """Return what the flags of a tier promise: nothing in ``axes``, since the models that they speak of are of images.

    Examples
    --------
    >>> promises_of("axes")
    {}
    """
    return {} if tier == "axes" else promises()
