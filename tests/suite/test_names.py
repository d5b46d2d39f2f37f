from __future__ import annotations

import pytest

from refconv.suite.names import is_case_id, is_file_name, is_slug


@pytest.mark.parametrize("text", ["a", "0", "g2-s21-p1021-d12", "a.b", "a_b", "a-", "k3..4"])
def test_a_slug_is_accepted(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize("text", ["", ".", "..", ".a", "_a", "-a", "A", "a/b", "a b", "a\n", "é", "a\\b", "\u0663"])
def test_another_text_is_no_slug(text: str) -> None:
    assert not is_slug(text)


@pytest.mark.parametrize(
    "text", ["con", "nul", "aux", "prn", "com1", "lpt9", "nul.x", "com0.json", "a.", "a-b..", "con.a.b"]
)
def test_what_windows_cannot_hold_as_a_file_is_no_name(text: str) -> None:
    assert not is_slug(text)
    assert not is_file_name(text)
    assert not is_file_name(text.upper())
    assert not is_case_id(f"g/{text}", "g")


@pytest.mark.parametrize("text", ["con1", "null", "com", "lpt", "com10", "a.nul", "auxiliary", "console.x"])
def test_names_that_only_look_like_devices_are_names(text: str) -> None:
    assert is_slug(text)
    assert is_file_name(text)


@pytest.mark.parametrize("text", ["g", "g/", "/a", "h/a", "g/a/b", "g/a\n", "g/.a", "gg/a", ""])
def test_a_case_id_is_the_group_and_a_slug(text: str) -> None:
    assert is_case_id("g/a", "g")
    assert not is_case_id(text, "g")


@pytest.mark.parametrize("text", ["", ".", "..", "../a", "a/b", "/a", "a\\b", "C:a", ".hidden", "a\n", "a\0", "~"])
def test_a_file_name_cannot_leave_the_folder(text: str) -> None:
    assert is_file_name("MANIFEST.json")
    assert not is_file_name(text)
