from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from refconv.errors import SuiteError
from refconv.suite.files import LARGEST, list_folder, read_file
from refconv.suite.verify import verify_files


def test_a_file_of_the_stated_size_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12")
    assert read_file(tmp_path, "a", 2) == read_file(tmp_path, "a") == b"12"


@pytest.mark.parametrize("size", [0, 1, 3, 2**62])
def test_another_size_is_refused_with_both_numbers(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(b"12")
    with pytest.raises(SuiteError, match=f"must have {size} bytes, got 2"):
        read_file(tmp_path, "a", size)


def test_a_file_that_fills_all_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()
    stated = os.stat_result((stat.S_IFREG, *[0] * 5, 2**60, 0, 0, 0))  # sparse, on a file system that holds it
    monkeypatch.setattr("refconv.suite.files.os.fstat", lambda _: stated)
    with pytest.raises(SuiteError, match=f"a: must fit into memory, got {2**60} bytes"):
        read_file(tmp_path, "a", 2**60)


def test_a_disk_that_fails_while_a_file_is_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "a").touch()
    monkeypatch.setattr("refconv.suite.files._read", fail)
    with pytest.raises(SuiteError, match="a: must be readable, got Input/output error"):
        read_file(tmp_path, "a")


@pytest.mark.parametrize("name", ["MANIFEST.json", "SHA256SUMS"])
def test_a_sparse_list_of_the_files_is_refused_by_its_size(suite_folder: Path, name: str) -> None:
    os.truncate(suite_folder / name, LARGEST + 1)
    assert verify_files(suite_folder)[0] == (
        f"{suite_folder / name}: must have at most {LARGEST} bytes, got {LARGEST + 1}; fetch the suite again."
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="a: the file is missing"):
        read_file(tmp_path, "a")


@pytest.mark.parametrize("name", ["../secret", "..", "", "sub/secret", "/etc/passwd"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"1")
    folder = tmp_path / "suite"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "secret").write_bytes(b"1")
    with pytest.raises(SuiteError, match="must lie directly in its folder"):
        read_file(folder, name)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"1")
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(SuiteError, match="got a symbolic link"):
        read_file(tmp_path, "link")


def test_a_link_is_refused_by_the_system_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "target").write_bytes(b"1")
    (tmp_path / "link").symlink_to("target")
    monkeypatch.setattr("refconv.suite.files.os.path.islink", lambda path: False)
    with pytest.raises(SuiteError, match="must be readable"):
        read_file(tmp_path, "link")


def test_a_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SuiteError, match="must be a regular file"):
        read_file(tmp_path, "pipe")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(SuiteError, match="must be a regular file"):
        read_file(tmp_path, "sub")


def test_a_folder_is_listed_with_its_hidden_files_in_order(tmp_path: Path) -> None:
    for name in ("b", ".c", "a"):
        (tmp_path / name).touch()
    assert list_folder(tmp_path) == [".c", "a", "b"]


def test_a_folder_that_cannot_be_listed_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="the folder must be readable, got No such file"):
        list_folder(tmp_path / "absent")
