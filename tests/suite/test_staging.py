from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from refconv.errors import SuiteError
from refconv.suite import load_suite, staged, verify_files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_takes_its_place_on_success(tmp_path: Path) -> None:
    with staged(tmp_path / "out") as stage:
        assert not (tmp_path / "out").exists()
        assert stage.parent == tmp_path
        (stage / "a").write_text("1")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a"]


def test_the_new_folder_has_the_permissions_of_any_new_folder(tmp_path: Path) -> None:
    (tmp_path / "ordinary").mkdir()
    with staged(tmp_path / "out"):
        pass
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE((tmp_path / "ordinary").stat().st_mode)


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with staged(tmp_path / "a" / "b"):
        pass
    assert names(tmp_path / "a") == ["b"]


def test_an_empty_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with staged(tmp_path / "out") as stage:
        (stage / "a").touch()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failed_run_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def run() -> None:
        with staged(tmp_path / "out") as stage:
            (stage / "a").write_text("1")
            raise error

    with pytest.raises(error):
        run()
    assert names(tmp_path) == []


def test_a_run_that_removes_its_own_folder_fails_with_its_own_error(tmp_path: Path) -> None:
    def run() -> None:
        with staged(tmp_path / "out") as stage:
            stage.rmdir()
            raise RuntimeError("of its own")

    with pytest.raises(RuntimeError, match="of its own"):
        run()


@pytest.mark.skipif(os.name != "posix", reason="only POSIX opens folders")
def test_all_files_and_folders_are_on_the_disk_before_they_take_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, out = set(), tmp_path / "out"

    def note(descriptor: int) -> None:
        if not out.exists():
            written.add(os.fstat(descriptor).st_ino)

    monkeypatch.setattr("refconv.suite.staging.os.fsync", note)
    with staged(out) as stage:
        (stage / "inside").mkdir()
        (stage / "inside" / "a").write_text("1")
    assert written == {path.stat().st_ino for path in (out, out / "inside", out / "inside" / "a")}


def test_a_failed_run_leaves_the_old_suite(tmp_path: Path, new_suite: Callable[..., Path]) -> None:
    out = new_suite(tmp_path / "out")
    with pytest.raises(RuntimeError), staged(out, force=True):
        raise RuntimeError
    assert names(tmp_path) == ["out"]
    assert verify_files(out) == []


def test_an_existing_suite_is_refused_without_force(tmp_path: Path, new_suite: Callable[..., Path]) -> None:
    out = new_suite(tmp_path / "out")
    with pytest.raises(SuiteError, match="must be empty or absent"), staged(out):
        pytest.fail("the block must not run")
    assert verify_files(out) == []


def test_an_existing_suite_is_replaced_with_force(tmp_path: Path, new_suite: Callable[..., Path]) -> None:
    out = new_suite(tmp_path / "out")
    with staged(out, force=True) as stage:
        new_suite(stage, ("other",), "2027.1")
    assert names(tmp_path) == ["out"]
    assert load_suite(out).group_names == ("other",)


def test_a_folder_that_is_no_suite_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    with pytest.raises(SuiteError, match=r"only a suite is replaced, and this folder has no MANIFEST\.json"):
        staged(tmp_path / "home", force=True).__enter__()
    assert names(tmp_path / "home") == ["thesis.tex"]


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("1")
    with pytest.raises(SuiteError, match="must be a folder, got a file"):
        staged(tmp_path / "out", force=True).__enter__()


def test_what_appears_during_the_run_is_not_replaced(tmp_path: Path) -> None:
    def appear() -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "a").touch()

    with pytest.raises(SuiteError, match="must be empty or absent"), staged(tmp_path / "out"):
        appear()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["a"]


def test_a_link_to_a_suite_stays_a_link(tmp_path: Path, new_suite: Callable[..., Path]) -> None:
    new_suite(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    with staged(tmp_path / "link", force=True) as stage:
        new_suite(stage, ("other",))
    assert (tmp_path / "link").is_symlink()
    assert load_suite(tmp_path / "real").group_names == ("other",)


def test_a_place_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SuiteError, match="must be writable, got Not a directory"):
        staged(tmp_path / "file" / "out").__enter__()


def test_the_old_suite_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, new_suite: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rename = new_suite(tmp_path / "out"), os.rename

    def failing(source: Path, target: Path) -> None:
        if ".staging-" in Path(source).name:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr("refconv.suite.staging.os.rename", failing)
    with pytest.raises(OSError, match="Input/output error"), staged(out, force=True):
        pass
    assert names(tmp_path) == ["out"]
    assert verify_files(out) == []


KILLED = """
import json, os, signal, sys
from pathlib import Path
from refconv.suite import load_suite, staged, verify_files

root, source = Path(sys.argv[1]), Path(sys.argv[2])

def replace(out):
    with staged(out, force=True) as stage:
        for path in source.iterdir():
            (stage / path.name).write_bytes(path.read_bytes())

def attempt(out, step):
    def count(event, arguments):
        nonlocal step
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"):
            step -= 1
            if step < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    replace(out)

def state(out):
    if not out.exists():
        return "none"
    return "damaged" if verify_files(out) else load_suite(out).version

states = []
for step in range(1000):
    out = root / f"step{step}" / "out"
    out.mkdir(parents=True)
    for path in (root / "old").iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    child = os.fork()
    if child == 0:
        attempt(out, step)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    states.append([os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, state(out)])
    if status == 0:
        break
print(json.dumps(states))
"""


def test_a_kill_at_any_step_leaves_the_old_suite_or_none_or_the_new_one(
    tmp_path: Path, new_suite: Callable[..., Path]
) -> None:
    new_suite(tmp_path / "old", ("a",), "2026.1")
    new_suite(tmp_path / "new", ("b",), "2027.1")
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path), str(tmp_path / "new")]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=os.environ | path, capture_output=True, text=True, check=True)
    states = [tuple(state) for state in json.loads(done.stdout)]
    assert states[-1] == (0, "2027.1")
    assert {kill for kill, _ in states[:-1]} == {9}
    order = list(dict.fromkeys(state for _, state in states))
    assert order == ["2026.1", "none", "2027.1"]
