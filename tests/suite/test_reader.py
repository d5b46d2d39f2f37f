from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from refconv.errors import SuiteError
from refconv.suite import Suite, load_suite
from refconv.suite.files import sha256

IDS = ("grouped/g2-s21", "grouped/bf16-2x3", "strided/g2-s21", "strided/bf16-2x3")


@pytest.fixture
def suite(suite_folder: Path) -> Suite:
    return load_suite(suite_folder)


def reseal(folder: Path, name: str) -> None:
    """Make the manifest vouch for a file that was changed."""
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    data = (folder / name).read_bytes()
    for file in manifest["files"]:
        if file["path"] == name:
            file.update(nbytes=len(data), sha256=sha256(data))
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))


def test_a_suite_says_what_it_holds(suite: Suite, suite_folder: Path) -> None:
    assert (suite.name, suite.version, suite.folder) == ("core", "2026.1.31", suite_folder)
    assert suite.group_names == ("grouped", "strided")
    assert suite.ids == IDS
    assert len(suite) == 4
    assert "4 cases" in repr(suite)


def test_iterating_gives_the_cases_in_order(suite: Suite) -> None:
    assert tuple(case.id for case in suite) == IDS
    assert tuple(case.id for group in suite.groups() for case in group.cases) == IDS


def test_a_case_is_found_by_its_id(suite: Suite) -> None:
    case = suite.case("strided/bf16-2x3")
    assert case.id == "strided/bf16-2x3"
    assert case.expected["y"].tensor.dtype.name == "bfloat16"


def test_arrays_are_read_only(suite: Suite) -> None:
    array = suite.case("grouped/g2-s21").inputs["x"]
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 0


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        ("*", IDS),
        ("grouped", IDS[:2]),
        ("grouped/*", IDS[:2]),
        ("*/bf16-*", IDS[1::2]),
        (["strided/*", "*/g2-s21"], (IDS[0], *IDS[2:])),
        ("grouped/G2-S21", ()),
        ("nothing", ()),
        ([], ()),
    ],
)
def test_globs_select_ids_in_the_order_of_the_suite(
    suite: Suite, patterns: str | list[str], chosen: tuple[str, ...]
) -> None:
    assert suite.select(patterns) == list(chosen)


@pytest.mark.parametrize("case_id", ["grouped/g2-s22", "other/x", "grouped", ""])
def test_an_unknown_case_is_one_sentence(suite: Suite, case_id: str) -> None:
    with pytest.raises(SuiteError, match=f"there is no case '{case_id}'"):
        suite.case(case_id)


def test_an_unknown_case_is_answered_with_the_nearest_one(suite: Suite) -> None:
    with pytest.raises(SuiteError, match=r"did you mean 'grouped/g2-s21'\?"):
        suite.case("grouped/g2-s22")


def test_an_unknown_group_is_one_sentence(suite: Suite) -> None:
    with pytest.raises(SuiteError, match="there is no group 'groupd', did you mean 'grouped'"):
        suite.group("groupd")


def test_groups_are_read_when_they_are_asked_for(suite_folder: Path) -> None:
    (suite_folder / "strided.safetensors").unlink()
    suite = load_suite(suite_folder)
    assert suite.ids == IDS
    assert suite.case("grouped/g2-s21").id == "grouped/g2-s21"
    with pytest.raises(SuiteError, match=r"strided\.safetensors: the file is missing"):
        suite.group("strided")


def test_a_group_is_read_once_while_its_cases_are_asked_for(suite: Suite) -> None:
    assert suite.group("grouped") is suite.group("grouped")


def test_a_suite_travels_to_another_process(suite: Suite) -> None:
    assert pickle.loads(pickle.dumps(suite)).ids == IDS


def test_no_folder_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="must be a folder, and there is none; make one with 'refconv generate'"):
        load_suite(tmp_path / "absent")


def test_a_folder_without_manifest_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        SuiteError, match=r"must hold MANIFEST\.json, which is missing; make one with 'refconv generate'"
    ):
        load_suite(tmp_path)


@pytest.mark.parametrize("name", ["MANIFEST.json", "grouped.json", "grouped.safetensors"])
def test_a_symbolic_link_is_not_followed(suite_folder: Path, tmp_path: Path, name: str) -> None:
    shutil.move(suite_folder / name, tmp_path / "elsewhere")
    (suite_folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SuiteError, match=f"{name}: must be a file of the suite, got a symbolic link"):
        load_suite(suite_folder).group("grouped")


@pytest.mark.parametrize("name", ["grouped.json", "grouped.safetensors"])
def test_a_file_of_another_size_is_not_read(suite_folder: Path, name: str) -> None:
    with (suite_folder / name).open("ab") as file:
        file.truncate(2**35)  # sparse: it would not fit into memory
    with pytest.raises(SuiteError, match=f"{name}: must have [0-9]+ bytes, got {2**35}"):
        load_suite(suite_folder).group("grouped")


def test_a_damaged_tensor_is_named_with_file_and_both_hashes(suite_folder: Path) -> None:
    path = suite_folder / "grouped.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 128
    path.write_bytes(data)
    with pytest.raises(
        SuiteError, match=r"grouped\.safetensors: tensor '.*' must have sha256 [0-9a-f]{64}, got [0-9a-f]{64}"
    ):
        load_suite(suite_folder).group("grouped")


def test_an_edited_index_is_named_with_both_hashes(suite_folder: Path) -> None:
    path = suite_folder / "grouped.json"
    path.write_text(path.read_text().replace("2 groups", "3 groups"))
    with pytest.raises(SuiteError, match=r"grouped\.json: the file must have sha256 [0-9a-f]{64}, got [0-9a-f]{64}"):
        load_suite(suite_folder).group("grouped")


@pytest.mark.parametrize(
    ("old", "new"), [('"suite": "core"', '"suite": "cord"'), ('"group": "grouped"', '"group": "strided"')]
)
def test_an_index_of_another_suite_or_group_is_refused(suite_folder: Path, old: str, new: str) -> None:
    path = suite_folder / "grouped.json"
    text = path.read_text().replace(old, new)
    path.write_text(text.replace("grouped", "strided") if "strided" in new else text)
    reseal(suite_folder, "grouped.json")
    with pytest.raises(SuiteError, match=r"suite, group and numberOfCases must be as in MANIFEST\.json"):
        load_suite(suite_folder).group("grouped")


def test_a_payload_that_the_index_does_not_know_is_refused(suite_folder: Path) -> None:
    path = suite_folder / "grouped.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    reseal(suite_folder, "grouped.safetensors")
    with pytest.raises(SuiteError, match=r"grouped\.json: the payload must be as in MANIFEST\.json"):
        load_suite(suite_folder).group("grouped")


def test_a_wrong_number_of_tensors_is_refused(suite_folder: Path) -> None:
    path = suite_folder / "MANIFEST.json"
    text = path.read_text().replace('"numberOfTensors": 28', '"numberOfTensors": 29')
    path.write_text(text.replace('"numberOfTensors": 14', '"numberOfTensors": 15', 1))
    with pytest.raises(SuiteError, match=r"the payload must hold 15 tensors as MANIFEST\.json states, got 14"):
        load_suite(suite_folder).group("grouped")


@pytest.mark.parametrize("name", ["grouped.json", "grouped.safetensors"])
def test_a_single_flipped_bit_is_never_read(suite_folder: Path, name: str) -> None:
    path = suite_folder / name
    data = path.read_bytes()
    suite = load_suite(suite_folder)
    unseen = []
    for number in np.random.default_rng(7).choice(8 * len(data), 150, replace=False).tolist():
        flipped = bytearray(data)
        flipped[number // 8] ^= 1 << number % 8
        path.write_bytes(flipped)
        try:
            suite.group("grouped")
        except SuiteError:
            continue
        unseen.append(number)
    assert unseen == []


def test_the_suite_may_be_named_by_a_text(suite_folder: Path, new_suite: Callable[..., Path]) -> None:
    assert load_suite(str(suite_folder)).ids == IDS


@pytest.mark.parametrize("pattern", ["grouped", "grouped/*", "grouped/g2-s21", "gro*/g2-s21", "grouped/[b]*"])
def test_other_groups_than_those_that_could_match_are_not_read(suite_folder: Path, pattern: str) -> None:
    found = load_suite(suite_folder).select(pattern)
    assert found
    assert set(found) <= set(IDS[:2])
    (suite_folder / "strided.json").unlink()
    assert load_suite(suite_folder).select(pattern) == found
