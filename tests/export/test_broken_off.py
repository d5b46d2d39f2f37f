"""Exports that are killed, or find no room: what stood there before stays, or all of the new one is there."""

import signal
import subprocess
import sys
import time

import pytest
from foreign import CORE, needs_posix

pytestmark = [needs_posix, pytest.mark.slow]
MOMENTS = (0.0, 0.03, 0.1)  # seconds after the first file lay in the staging folder
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
sys.argv = ["refconv", *sys.argv[1:]]
from refconv.cli import main
main()
"""


def command(out, *more):
    return ["export", str(CORE), "--format", "c-header", "--select", "asymmetric-*", "--out", str(out), *more]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def killed(out, moment, *more):
    """Start an export, kill it a moment after it has begun to write, and tell whether it had ended before."""
    process = subprocess.Popen([sys.executable, "-m", "refconv", *command(out, *more)], stdout=subprocess.DEVNULL)
    before = set(out.parent.glob(".out.staging-*"))
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        if any(any(stage.iterdir()) for stage in set(out.parent.glob(".out.staging-*")) - before):
            break
        time.sleep(0.001)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    return process.wait() == 0


def test_an_export_that_is_killed_leaves_the_old_one_or_the_new_one(tmp_path):
    out = tmp_path / "out"
    new = tmp_path / "new"
    subprocess.run([sys.executable, "-m", "refconv", *command(new)], check=True, stdout=subprocess.DEVNULL)
    whole, ended = contents(new), []
    for moment in MOMENTS:
        ended.append(killed(out, moment))
        assert not out.exists() or contents(out) == whole
        if out.exists():
            break
    assert not all(ended)
    out.mkdir(exist_ok=True)
    old = {"EXPORT.txt": b"an earlier export\n"}
    for moment in MOMENTS:
        for path in out.iterdir():
            path.unlink()
        (out / "EXPORT.txt").write_bytes(old["EXPORT.txt"])
        killed(out, moment, "--force")
        (stands,) = [out] if out.exists() else tmp_path.glob(".out.old-*")  # beside it, between the two renames
        assert contents(stands) in (old, whole)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", LIMITED, *command(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode == 2
    assert "there must be room for the whole folder, got 'File too large'; nothing of it is left" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")  # in the place of a folder: root, too, may not write below it
    words = command(tmp_path / "file" / "out")
    done = subprocess.run([sys.executable, "-m", "refconv", *words], capture_output=True, text=True)
    assert (done.returncode, "must be writable, got Not a directory" in done.stderr) == (2, True), done.stderr
