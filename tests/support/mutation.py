"""Damage for files: small changes of a JSON document or of bytes, drawn by Hypothesis."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

STRANGE = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 1.0, "", "x", "../x", "/etc/passwd", "a\nb", "A" * 500,
    "0" * 64, [], {}, [[]], [1, 1], {"name": "x"}, ["PASS"], "int4", "choice", "invalid",
)  # fmt: skip


def places(document: Any) -> list[tuple[Any, Any]]:
    """List every place of a document as (container, key)."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else []
    return [place for key in keys for place in [(document, key), *places(document[key])]]


def mutate(document: Any, data: st.DataObject, most: int = 3) -> None:
    """Change, remove, double or rename a few things in a document."""
    for _ in range(data.draw(st.integers(0, most))):
        found = places(document)
        if not found:
            return
        container, key = data.draw(st.sampled_from(found))
        kind = data.draw(st.sampled_from(["replace", "remove", "rename", "copy"]))
        if kind == "replace":
            container[key] = copy.deepcopy(data.draw(st.sampled_from(STRANGE)))  # which the next change may change
        elif kind == "remove":
            del container[key]
        elif kind == "copy":
            other, place = data.draw(st.sampled_from(found))
            container[key] = other[place] if not isinstance(other[place], dict | list) else type(other[place])()
        elif isinstance(container, dict):
            container[data.draw(st.sampled_from(["more", "class", "", "x", "lo", "alternatives"]))] = container.pop(key)
        else:
            container.append(container[key])


def damaged(content: bytes, data: st.DataObject, most: int = 4) -> bytes:
    """Flip, cut, insert, double and zero bytes."""
    found = bytearray(content)
    for _ in range(data.draw(st.integers(1, most))):
        begin = data.draw(st.integers(0, len(found)))
        length = data.draw(st.integers(1, 32))
        kind = data.draw(st.sampled_from(["flip", "cut", "insert", "copy", "truncate", "digits"]))
        if kind == "flip" and begin < len(found):
            found[begin] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "cut":
            del found[begin : begin + length]
        elif kind == "insert":
            found[begin:begin] = data.draw(st.binary(min_size=1, max_size=16))
        elif kind == "copy":
            found[begin:begin] = found[begin : begin + length]
        elif kind == "truncate":
            del found[begin:]
        else:
            found[begin : begin + 1] = data.draw(st.sampled_from([b"9" * 30, b"-1", b"NaN", b"1e999", b'"', b"[" * 50]))
    return bytes(found)
