from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refconv.errors import SuiteError
from refconv.suite.manifest import (
    FileRecord,
    GroupRecord,
    build_manifest,
    manifest_text,
    parse_manifest,
    parse_sums,
    sums_text,
)  # fmt: skip


def record(name: str, cases: int = 2, tensors: int = 5) -> GroupRecord:
    files = tuple(FileRecord.of(f"{name}.{end}", f"{name}.{end}".encode()) for end in ("json", "safetensors"))
    return GroupRecord(name, cases, tensors, files)


def text_of(*records: GroupRecord, version: str = "2026.1.31") -> str:
    return manifest_text(build_manifest("core", version, records, [FileRecord.of("README.md", b"hello")]))


def test_a_manifest_is_read_back() -> None:
    manifest = build_manifest("core", "2026.1.31", [record("a"), record("b")], [FileRecord.of("README.md", b"hello")])
    assert parse_manifest(manifest_text(manifest).encode(), "M") == manifest


def test_the_text_does_not_depend_on_the_order_of_the_groups() -> None:
    assert text_of(record("b"), record("a")) == text_of(record("a"), record("b"))


def test_the_counts_are_the_sums_over_the_groups() -> None:
    document = json.loads(text_of(record("a", 2, 5), record("b", 3, 7)))
    assert document["format"] == 1
    assert (document["numberOfGroups"], document["numberOfCases"], document["numberOfTensors"]) == (2, 5, 12)
    assert [file["path"] for file in document["files"]] == [
        "README.md", "a.json", "a.safetensors", "b.json", "b.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "26.1.31", "2026", "2026-01-31", "v2026.1", ""])
def test_a_version_that_is_no_date_is_refused(version: str) -> None:
    with pytest.raises(SuiteError, match=r"\$\.version breaks rule 'pattern'"):
        text_of(record("a"), version=version)


@pytest.mark.parametrize("version", ["2026.1", "2026.01.31", "2026.1.31.2"])
def test_a_version_that_is_a_date_is_written(version: str) -> None:
    assert json.loads(text_of(record("a"), version=version))["version"] == version


def test_two_groups_of_one_name_are_refused() -> None:
    with pytest.raises(SuiteError, match="name of a group must be unique in a suite, got 'a' twice"):
        text_of(record("a"), record("a"))


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(SuiteError, match=r"name of a file must be unique in a suite, got 'README\.md'"):
        build_manifest("core", "2026.1", [], [FileRecord.of("README.md", b"")] * 2)


def test_two_files_that_one_disk_takes_for_one_are_refused() -> None:
    with pytest.raises(SuiteError, match=r"must be unique in a suite, got 'readme\.md' twice; case does not count"):
        build_manifest("core", "2026.1", [], [FileRecord.of(name, b"") for name in ("README.md", "readme.md")])


def _first(document: Any, key: str) -> Any:
    return document[key][0]


DAMAGE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "newer-format": (lambda doc: doc.update(format=2), "format must be 1, got 2; upgrade"),
    "format-is-a-text": (lambda doc: doc.update(format="1"), r"\$\.format breaks rule 'const'"),
    "extra-key": (lambda doc: doc.update(more=1), "breaks rule 'additionalProperties'"),
    "missing-key": (lambda doc: doc.pop("version"), "breaks rule 'required'"),
    "path-up": (lambda doc: _first(doc, "files").update(path="../x"), "breaks rule 'pattern'"),
    "path-absolute": (lambda doc: _first(doc, "files").update(path="/x"), "breaks rule 'pattern'"),
    "path-with-newline": (lambda doc: _first(doc, "files").update(path="x\n"), "breaks rule 'pattern'"),
    "group-with-newline": (lambda doc: _first(doc, "groups").update(name="a\n"), "breaks rule 'pattern'"),
    "size-negative": (lambda doc: _first(doc, "files").update(nbytes=-1), "breaks rule 'minimum'"),
    "hash-short": (lambda doc: _first(doc, "files").update(sha256="00"), "breaks rule 'pattern'"),
    "file-twice": (lambda doc: doc["files"].append(doc["files"][0]), "every file must be listed once"),
    "file-twice-but-for-case": (
        lambda doc: doc["files"].append(doc["files"][0] | {"path": doc["files"][0]["path"].upper()}),
        "names that differ by more than case, got 'README.MD' beside another",
    ),
    "own-file": (
        lambda doc: doc["files"].append(doc["files"][0] | {"path": "sha256sums"}),
        "names that differ by more than case, got 'sha256sums' beside another",
    ),
    "group-twice": (lambda doc: doc["groups"].append(doc["groups"][0]), "every file must be listed once"),
    "group-without-file": (lambda doc: doc["files"].pop(), r"both files of group 'a', 'a\.safetensors' is missing"),
    "wrong-groups": (lambda doc: doc.update(numberOfGroups=2), "numberOfGroups must be 1, .* got 2"),
    "wrong-cases": (lambda doc: doc.update(numberOfCases=9), "numberOfCases must be 2, the sum .* got 9"),
    "wrong-tensors": (lambda doc: doc.update(numberOfTensors=9), "numberOfTensors must be 5, .* got 9"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_a_wrong_manifest_is_one_sentence(name: str) -> None:
    change, sentence = DAMAGE[name]
    document = json.loads(text_of(record("a")))
    change(document)
    with pytest.raises(SuiteError, match=sentence) as caught:
        parse_manifest(json.dumps(document).encode(), "core/MANIFEST.json")
    assert str(caught.value).startswith("core/MANIFEST.json: ")


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b'"format"', b'{"format": 1.5}', b"\xff"])
def test_something_else_is_one_sentence(data: bytes) -> None:
    with pytest.raises(SuiteError, match=r"^M: "):
        parse_manifest(data, "M")


def test_the_sums_cover_every_file_and_the_manifest_in_order() -> None:
    manifest = build_manifest("core", "2026.1", [record("a")], [])
    sums = parse_sums(sums_text(manifest, "text").encode(), "S")
    assert list(sums) == ["MANIFEST.json", "a.json", "a.safetensors"]
    assert sums["MANIFEST.json"] == FileRecord.of("MANIFEST.json", b"text").sha256


LINE = "0" * 64 + "  a\n"


@pytest.mark.parametrize(
    "text",
    [LINE[:-1], LINE[1:], LINE.replace("  ", " "), LINE.replace("a", "../a"), LINE + LINE, LINE + "\n", "\xff\n", "\n"],
)
def test_a_wrong_line_of_the_sums_is_one_sentence(text: str) -> None:
    with pytest.raises(SuiteError, match=r"^S: "):
        parse_sums(text.encode("latin-1"), "S")
    assert parse_sums(LINE.encode(), "S") == {"a": "0" * 64}


def test_the_manifest_of_a_suite_lists_its_files(suite_folder: Path) -> None:
    manifest = parse_manifest((suite_folder / "MANIFEST.json").read_bytes(), "M")
    files = sorted(path.name for path in suite_folder.iterdir())
    assert files == sorted([*(file.path for file in manifest.files), "MANIFEST.json", "SHA256SUMS", "PROVENANCE.json"])


@pytest.mark.parametrize("path", ["nul", "com1.json", "a."])
def test_a_file_that_some_system_cannot_hold_is_named(path: str) -> None:
    document = json.loads(text_of(record("a")))
    document["files"][0]["path"] = path
    sentence = f"^M: a file must have a name that every system can hold in the suite's folder, got '{path}'\\.$"
    with pytest.raises(SuiteError, match=sentence):
        parse_manifest(json.dumps(document).encode(), "M")
