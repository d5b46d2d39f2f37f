from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refconv.errors import SuiteError
from refconv.suite.strict_json import dumps, loads, shorten

DOCUMENTS = st.recursive(
    st.integers() | st.booleans() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_what_is_written_is_read_back(document: Any) -> None:
    assert loads(dumps(document, "x.json").encode("ascii"), "x.json") == document


@pytest.mark.parametrize("value", [1.0, float("nan"), None, (1,), b"", {"a": [{"b": 0.5}]}])
def test_floats_and_other_things_are_not_written(value: Any) -> None:
    with pytest.raises(SuiteError, match=r"x\.json: \$.* must be an integer or a text"):
        dumps({"key": value}, "x.json")


def test_a_key_that_is_no_text_is_not_written() -> None:
    with pytest.raises(SuiteError, match=r"x\.json: \$\.a must have texts as keys, got 1"):
        dumps({"a": {1: 2}}, "x.json")


def test_the_path_of_a_float_is_named() -> None:
    with pytest.raises(SuiteError, match=r"\$\.a\[1\]\.b must be an integer or a text, got 0\.5"):
        dumps({"a": [1, {"b": 0.5}]}, "x.json")


@pytest.mark.parametrize("text", ["1.0", "[1e3]", "NaN", '{"a": Infinity}', "-Infinity"])
def test_floats_are_not_read(text: str) -> None:
    with pytest.raises(SuiteError, match=r"x\.json: JSON must hold integers, never floats"):
        loads(text.encode(), "x.json")


@pytest.mark.parametrize("data", [b"", b"{", b"[1,]", b'{"a": 1} 2', b"9" * 5000])
def test_other_text_is_not_read(data: bytes) -> None:
    with pytest.raises(SuiteError, match=r"x\.json: must be JSON"):
        loads(data, "x.json")


def test_a_key_that_stands_twice_is_not_read() -> None:
    with pytest.raises(SuiteError, match="got 'a' twice"):
        loads(b'[{"a": 1, "a": 1}]', "x.json")


def test_other_bytes_than_ascii_are_not_read() -> None:
    with pytest.raises(SuiteError, match=r"must be ASCII, got .* at byte 1"):
        loads('"é"'.encode(), "x.json")


def test_deep_nesting_is_one_sentence() -> None:
    with pytest.raises(SuiteError, match="nested too deeply"):
        loads(b'{"a":' * 200_000, "x.json")


def test_the_text_is_ascii_with_one_space_and_a_newline() -> None:
    assert dumps({"é": "a"}, "x.json") == '{\n "\\u00e9": "a"\n}\n'


def test_lists_of_integers_stand_in_one_line_and_other_lists_do_not() -> None:
    text = dumps({"a": [1, -20], "b": [[3], ["[\n4\n]"]], "c": []}, "x.json")
    assert text == '{\n "a": [1, -20],\n "b": [\n  [3],\n  [\n   "[\\n4\\n]"\n  ]\n ],\n "c": []\n}\n'
    assert dumps({"é": 1}, "x.json") == '{\n "\\u00e9": 1\n}\n'


@given(st.text(), st.integers(5, 40))
def test_a_shortened_text_is_no_longer_than_asked(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= max(limit, 5)
    assert len(text) > limit or shorten(text, limit) == text
