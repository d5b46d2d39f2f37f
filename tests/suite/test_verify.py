from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refconv.suite import Expected, Group, Judge, verify_files, write_group, write_manifest


def append(name: str, data: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + data)


def remove(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).unlink()


def link(name: str) -> Callable[[Path], Any]:
    return lambda folder: (
        (folder / name).rename(folder.parent / name),
        (folder / name).symlink_to(folder.parent / name),
    )


def drop_sum(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(lines[1:]))


DAMAGE = {
    "no-manifest": (remove("MANIFEST.json"), "must hold MANIFEST.json, which is missing"),
    "manifest-is-garbage": (append("MANIFEST.json", b"x"), "MANIFEST.json: must be JSON"),
    "manifest-reformatted": (append("MANIFEST.json", b"\n"), "as SHA256SUMS states"),
    "no-sums": (remove("SHA256SUMS"), "SHA256SUMS: the file is missing"),
    "sums-garbage": (append("SHA256SUMS", b"x\n"), "SHA256SUMS: line 6 must be"),
    "sums-short": (drop_sum, "SHA256SUMS: 'MANIFEST.json' must be listed"),
    "sums-long": (append("SHA256SUMS", b"0" * 64 + b"  other\n"), "'other' must not be listed"),
    "no-index": (remove("grouped.json"), "grouped.json: the file is missing"),
    "no-payload": (remove("grouped.safetensors"), "grouped.safetensors: the file is missing"),
    "longer-index": (append("grouped.json", b"\n"), "grouped.json: must have"),
    "longer-payload": (append("grouped.safetensors", b"\0"), "grouped.safetensors: must have"),
    "extra-file": (lambda folder: (folder / "notes.txt").touch(), "notes.txt: the file must be listed in MANIFEST"),
    "extra-folder": (lambda folder: (folder / "sub").mkdir(), "sub: the file must be listed in MANIFEST.json"),
    "extra-hidden-file": (lambda folder: (folder / ".x").touch(), ".x: the file must be listed in MANIFEST.json"),
    "linked-payload": (link("grouped.safetensors"), "grouped.safetensors: must be a file of the suite, got a symbolic"),
}  # fmt: skip


def test_a_whole_suite_has_no_findings(suite_folder: Path) -> None:
    assert verify_files(suite_folder) == verify_files(str(suite_folder)) == []


def test_provenance_may_differ_or_be_absent(suite_folder: Path) -> None:
    (suite_folder / "PROVENANCE.json").write_text("anything")
    assert verify_files(suite_folder) == []
    (suite_folder / "PROVENANCE.json").unlink()
    assert verify_files(suite_folder) == []


@pytest.mark.parametrize("name", sorted(DAMAGE))
def test_damage_is_found(suite_folder: Path, name: str) -> None:
    damage, sentence = DAMAGE[name]
    damage(suite_folder)
    findings = verify_files(suite_folder)
    assert any(sentence in finding for finding in findings), findings
    assert all(finding.endswith(".") and "\n" not in finding for finding in findings)


def test_damage_of_one_group_does_not_hide_that_of_another(suite_folder: Path) -> None:
    remove("grouped.json")(suite_folder)
    append("strided.safetensors", b"x")(suite_folder)
    findings = "".join(verify_files(suite_folder))
    assert "grouped.json: the file is missing" in findings
    assert "strided.safetensors: must have" in findings


def test_a_folder_that_is_absent_is_a_finding(tmp_path: Path) -> None:
    assert len(verify_files(tmp_path / "absent")) == 1


def test_a_group_that_breaks_a_lint_rule_is_found(tmp_path: Path, group: Group) -> None:
    zeros = Expected(np.zeros((1, 2, 2, 2), np.float32), Judge("exact"))
    cases = (group.cases[0], dataclasses.replace(group.cases[1], expected={"y": zeros}))
    record = write_group(tmp_path, dataclasses.replace(group, cases=cases))
    write_manifest(tmp_path, "core", "2026.1", [record], {})
    [finding] = verify_files(tmp_path)
    assert "case 'grouped/bf16-2x3': y must have elements other than zero" in finding


@pytest.mark.parametrize("name", ["MANIFEST.json", "SHA256SUMS", "grouped.json", "grouped.safetensors"])
def test_a_single_flipped_bit_is_found(suite_folder: Path, name: str) -> None:
    path = suite_folder / name
    data = path.read_bytes()
    unseen = []
    for number in np.random.default_rng(11).choice(8 * len(data), 60, replace=False).tolist():
        flipped = bytearray(data)
        flipped[number // 8] ^= 1 << number % 8
        path.write_bytes(flipped)
        if not verify_files(suite_folder):
            unseen.append(number)
    assert unseen == []


def test_a_file_that_may_not_be_read_is_a_finding(suite_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refuse(path: Any, *arguments: Any) -> int:
        if str(path).endswith("grouped.json"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr("refconv.suite.files.os.open", refuse)
    assert any("grouped.json: must be readable, got Permission denied" in text for text in verify_files(suite_folder))


def test_a_nested_manifest_is_a_finding(suite_folder: Path) -> None:
    (suite_folder / "MANIFEST.json").write_text("[" * 100_000)
    [finding] = verify_files(suite_folder)
    assert "nested too deeply" in finding
    (suite_folder / "MANIFEST.json").write_text(json.dumps([[[]]]))
    [finding] = verify_files(suite_folder)
    assert "breaks rule 'type'" in finding


def test_a_folder_that_may_not_be_listed_is_a_finding(suite_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("refconv.suite.files.os.listdir", refuse)
    assert verify_files(suite_folder) == [f"{suite_folder}: the folder must be readable, got Permission denied."]


def test_damage_of_a_file_that_belongs_to_no_group_is_found(tmp_path: Path, group: Group) -> None:
    (tmp_path / "README.md").write_text("hello")
    write_manifest(tmp_path, "core", "2026.1", [write_group(tmp_path, group)], {})
    assert verify_files(tmp_path) == []
    (tmp_path / "README.md").write_text("hallo")
    [finding] = verify_files(tmp_path)
    assert re.search(r"README\.md: the file must have sha256 [0-9a-f]{64} as MANIFEST.json states, got", finding)


@pytest.mark.parametrize("kind", ["no-payload", "longer-payload", "no-index", "longer-index"])
def test_each_finding_is_told_once(suite_folder: Path, kind: str) -> None:
    damage, words = DAMAGE[kind]
    damage(suite_folder)
    assert sum(words in finding for finding in verify_files(suite_folder)) == 1
