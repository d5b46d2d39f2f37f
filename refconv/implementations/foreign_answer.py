"""What a child process says came of a call: foreign code runs beside whoever says it, so none of it is believed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from refconv.formats import FORMATS
from refconv.implementations.arena import Arena, Place
from refconv.implementations.session import Answer

SAID = ("RETURNED", "UNSUPPORTED", "REJECTED", "FAIL", "ERROR")  # that it died, or took too long, its parent sees
NUMBERS = {*FORMATS, *(np.dtype(code).name for code in "?" + np.typecodes["AllInteger"] + np.typecodes["Float"])}


def read_answer(content: dict[str, Any], arena: Arena) -> Answer:
    """Return the answer that a message of a child stands for.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError, ImplementationError
        If it is none.
    """
    status, message, seconds, changed = (content[name] for name in ("status", "message", "seconds", "changed"))
    place = content["result"]
    right = (
        status in SAID
        and isinstance(message, str)
        and isinstance(seconds, float)
        and 0 <= seconds < math.inf
        and all(isinstance(name, str) for name in changed)
        and (place is not None) == (status == "RETURNED")
    )
    if not right:
        raise ValueError("no answer has these parts")
    result = None if place is None else arena.get(_place(*place))
    return Answer(status, result, message, seconds, tuple(changed), bool(content["overwrote"]))


def _place(dtype: str, shape: list[int], offset: int) -> Place:
    if dtype not in NUMBERS:
        raise ValueError("a result must be an array of numbers")
    return Place(dtype, tuple(shape), offset)
