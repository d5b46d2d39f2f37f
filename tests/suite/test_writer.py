from __future__ import annotations

import json
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from refconv.errors import SuiteError
from refconv.suite import FileRecord, Group, load_suite, verify_files, write_group, write_manifest


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_record_says_what_was_written(tmp_path: Path, group: Group) -> None:
    record = write_group(tmp_path, group)
    assert (record.name, record.cases, record.tensors) == ("grouped", 2, 14)
    assert record.files == tuple(
        FileRecord.of(name, (tmp_path / name).read_bytes()) for name in ("grouped.json", "grouped.safetensors")
    )
    assert pickle.loads(pickle.dumps(record)) == record


def test_the_bytes_do_not_depend_on_the_order_of_the_groups(tmp_path: Path, new_suite: Callable[..., Path]) -> None:
    one = new_suite(tmp_path / "one", ("a", "b", "c"))
    other = new_suite(tmp_path / "other", ("c", "a", "b"))
    assert contents(one) == contents(other)


def test_sha256sum_accepts_the_suite(suite_folder: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=suite_folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 5


def test_sha256sum_refuses_a_damaged_suite(suite_folder: Path) -> None:
    (suite_folder / "MANIFEST.json").write_text("{}")
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=suite_folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert "MANIFEST.json: FAILED" in done.stdout


def test_provenance_is_written_but_not_hashed(suite_folder: Path) -> None:
    assert json.loads((suite_folder / "PROVENANCE.json").read_text()) == {"host": "here", "deviation": 0.25}
    assert "PROVENANCE" not in (suite_folder / "SHA256SUMS").read_text()
    assert "PROVENANCE" not in (suite_folder / "MANIFEST.json").read_text()


def test_other_files_of_the_folder_are_hashed_too(tmp_path: Path, group: Group) -> None:
    (tmp_path / "README.md").write_text("hello")
    write_manifest(tmp_path, "core", "2026.1", [write_group(tmp_path, group)], {})
    assert "README.md" in [file.path for file in load_suite(tmp_path).manifest.files]
    assert verify_files(tmp_path) == []


def test_writing_the_manifest_again_changes_nothing(tmp_path: Path, group: Group) -> None:
    records = [write_group(tmp_path, group)]
    write_manifest(tmp_path, "core", "2026.1", records, {})
    before = contents(tmp_path)
    write_manifest(tmp_path, "core", "2026.1", iter(records), {})
    assert contents(tmp_path) == before


@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_a_file_that_changed_since_it_was_written_is_refused(
    tmp_path: Path, group: Group, change: Callable[[Path], object]
) -> None:
    record = write_group(tmp_path, group)
    change(tmp_path / "grouped.json")
    with pytest.raises(SuiteError, match=r"grouped\.json: must be as it was written"):
        write_manifest(tmp_path, "core", "2026.1", [record], {})


def test_a_folder_inside_a_suite_is_refused(tmp_path: Path, group: Group) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(SuiteError, match="sub: must be a regular file"):
        write_manifest(tmp_path, "core", "2026.1", [write_group(tmp_path, group)], {})
