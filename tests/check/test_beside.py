"""An implementation in processes of its own: one process judges, and however it ends, it leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from refconv import check, load_suite
from refconv.errors import CatalogueError, ImplementationError
from refconv.suite.embedded import smoke_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="asks for signals")

SLEEPS = """
import os, pathlib, time

def conv2d(x, weight, bias=None, **stated):
    pathlib.Path(__file__).with_name(f"pid-{os.getpid()}").touch()
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "sleeps.py").write_text(SLEEPS)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def asleep(folder, count):
    until = time.monotonic() + 60
    while len(found := [int(path.name[4:]) for path in folder.glob("pid-*")]) < count:
        assert time.monotonic() < until, "no call began"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_whatever_its_implementations_do(folder, number):
    words = [sys.executable, "-m", "refconv", "check", "sleeps.py:conv2d", "--jobs", "2"]
    wake = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # a shell's background ignores it
    run = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **wake)
    pids = asleep(folder, 2)
    run.send_signal(number)
    _, err = run.communicate(timeout=30)  # the calls sleep for 60 seconds
    assert (run.returncode, err.strip()) == (128 + number, b"interrupted" if number == signal.SIGINT else b"")
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}")] == []
    assert list((folder / "tmp").iterdir()) == []


def test_an_error_of_ours_ends_those_that_have_begun_to_start(folder):
    suite = load_suite(smoke_folder())
    with pytest.raises(CatalogueError, match="no case of suite"):
        check(f"{folder}/sleeps.py:conv2d", suite, ["worked-example-float32-iota/none"], isolate=True, jobs=2)
    with pytest.raises(ImplementationError, match="has no such name"):
        check(f"{folder}/sleeps.py:conv", suite, ["worked-*"], isolate=True, jobs=2)
    assert list((folder / "tmp").iterdir()) == []
