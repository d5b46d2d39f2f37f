import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from labour import count_threads, hears_ctrl_c, invert, kill_always, kill_once, square

from refconv import RefconvError
from refconv.errors import WorkerError
from refconv.generate import generate
from refconv.generate import run as running
from refconv.generate.workshop import kept, workshop
from refconv.suite import verify_files
from refconv.workers import cores, dask_executor, spread

SMALL = ["worked-example-*", "thin-float32-exact/*", "asymmetric-float32-zero-mean/wide-kernel"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_has_its_result(jobs):
    assert {outcome.item: outcome.result for outcome in spread(square, range(5), jobs)} == {n: n * n for n in range(5)}


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_item_that_fails_stops_nobody_and_its_error_is_one_sentence(jobs):
    outcomes = {outcome.item: outcome for outcome in spread(invert, [1, 0, 4], jobs)}
    assert outcomes[1].result == 1
    assert outcomes[4].result == 0.25
    assert str(outcomes[0].error) == "0: the work failed with ZeroDivisionError: division by zero."
    assert isinstance(outcomes[0].error, RefconvError)


def fill(item):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_no_room_for_an_item_is_said_without_a_number():
    (outcome,) = spread(fill, ["thin"])
    assert str(outcome.error) == (
        "thin: there must be room for the work, got 'No space left on device'; make room, or choose another place."
    )


def test_the_item_of_a_killed_worker_is_tried_again(tmp_path):
    items = [str(tmp_path / name) for name in "abc"]
    outcomes = list(spread(kill_once, items, 2))
    assert sorted(outcome.result for outcome in outcomes) == ["a", "b", "c"]


def test_an_item_that_kills_its_worker_twice_is_reported_and_the_others_are_done(tmp_path):
    items = [str(tmp_path / name) for name in ("a", "poison", "c", "d")]
    outcomes = {outcome.item: outcome for outcome in spread(kill_always, items, 2)}
    assert str(outcomes[items[1]].error) == f"{items[1]}: the worker died 2 times; is there enough memory?"
    assert [outcomes[items[place]].result for place in (0, 2, 3)] == ["a", "c", "d"]


def test_jobs_times_threads_is_the_number_of_cores():
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    assert {outcome.result for outcome in spread(count_threads, range(2), 2)} == {str(max(1, cores() // 2))}
    assert os.environ.get("OPENBLAS_NUM_THREADS") == before


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_workers_do_not_hear_of_ctrl_c_which_their_parent_does():
    assert {outcome.result for outcome in spread(hears_ctrl_c, range(2), 2)} == {False}
    assert hears_ctrl_c(None)


def test_a_failing_group_is_reported_after_the_others_are_done(tmp_path, monkeypatch):
    honest, seen = running.golden_case, []

    def poisoned(spec):
        if spec.group == "thin-float32-exact":
            raise MemoryError("no room for 7 GiB")
        return honest(spec)

    monkeypatch.setattr(running, "golden_case", poisoned)
    with pytest.raises(
        WorkerError, match=r"^thin-float32-exact: the work failed with MemoryError: no room for 7 GiB\.$"
    ):
        generate(tmp_path / "suite", "core", SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert list(tmp_path.iterdir()) == []


class Killed(BaseException):
    """What a test throws where the system would kill."""


def test_a_stopped_run_goes_on_where_it_was(tmp_path, monkeypatch):
    honest, made = running.golden_case, []

    def counted(spec):
        made.append(spec.group)
        if len(set(made)) == 3:
            raise Killed
        return honest(spec)

    monkeypatch.setattr(running, "golden_case", counted)
    with pytest.raises(Killed):
        generate(tmp_path / "suite", "core", SMALL)
    finished = set(made[:-1])
    kept = list(tmp_path.glob(".suite.unfinished-*/*.made"))
    assert {path.stem for path in kept} == finished - {made[-1]}
    made.clear()
    monkeypatch.setattr(running, "golden_case", lambda spec: (made.append(spec.group), honest(spec))[1])
    generate(tmp_path / "suite", "core", SMALL)
    assert set(made).isdisjoint(path.stem for path in kept)
    assert verify_files(tmp_path / "suite") == []
    assert [path.name for path in tmp_path.iterdir()] == ["suite"]
    generate(tmp_path / "other", "core", SMALL)
    assert (tmp_path / "suite/SHA256SUMS").read_bytes() == (tmp_path / "other/SHA256SUMS").read_bytes()


def test_a_kept_group_whose_file_was_cut_is_made_again(tmp_path, monkeypatch):
    test_a_stopped_run_goes_on_where_it_was(tmp_path / "first", monkeypatch)
    monkeypatch.undo()
    honest = running.golden_case

    def stopped(spec):
        if spec.group.startswith("worked"):
            raise Killed
        return honest(spec)

    monkeypatch.setattr(running, "golden_case", stopped)
    with pytest.raises(Killed):
        generate(tmp_path / "suite", "core", SMALL)
    (folder,) = tmp_path.glob(".suite.unfinished-*")
    payload = next(folder.glob("*.safetensors"))
    payload.write_bytes(payload.read_bytes()[:-1])
    monkeypatch.undo()
    generate(tmp_path / "suite", "core", SMALL)
    assert verify_files(tmp_path / "suite") == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_leaves_finished_groups_and_the_next_one_gives_the_same_bytes(tmp_path):
    select = [option for pattern in ("basic-*", "thin-*", "batch-*") for option in ("--select", pattern)]
    command = [sys.executable, "-m", "refconv", "generate", "--jobs", "2", *select, "--out"]
    process = subprocess.Popen([*command, str(tmp_path / "suite")], stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".suite.unfinished-*/*.made")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "suite").exists()
    assert list(tmp_path.glob(".suite.unfinished-*/*.made"))
    subprocess.run([*command, str(tmp_path / "suite")], check=True, capture_output=True)
    generate(tmp_path / "whole", "core", ["basic-*", "thin-*", "batch-*"])
    assert (tmp_path / "suite/SHA256SUMS").read_bytes() == (tmp_path / "whole/SHA256SUMS").read_bytes()


@pytest.mark.parametrize("note", ["", "{}", "[" * 100_000, '{"record": {"files": [{}]}}'])
def test_a_kept_group_whose_note_cannot_be_read_is_made_again(tmp_path, note):
    (tmp_path / "thin.made").write_text(note)
    assert list(kept(tmp_path)) == []


def test_what_another_purpose_has_left_is_removed(tmp_path):
    with pytest.raises(Killed), workshop(tmp_path / "suite", ("a",)):
        raise Killed
    (stale,) = tmp_path.iterdir()
    with workshop(tmp_path / "suite", ("b",)) as folder:
        assert list(tmp_path.iterdir()) == [folder] != [stale]


def test_two_runs_at_one_place_do_not_meet(tmp_path):
    with workshop(tmp_path / "suite", ("a",)), pytest.raises(RefconvError, match="another run is making this suite"):
        workshop(tmp_path / "suite", ("a",)).__enter__()


@pytest.mark.oracle
@pytest.mark.slow
def test_a_cluster_of_two_workers_gives_the_same_bytes(tmp_path):
    distributed = pytest.importorskip("distributed")
    generate(tmp_path / "here", "core", SMALL)
    local = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with local as cluster, dask_executor(cluster.scheduler_address) as executor:
        generate(tmp_path / "there", "core", SMALL, executor=executor)
    assert (tmp_path / "here/SHA256SUMS").read_bytes() == (tmp_path / "there/SHA256SUMS").read_bytes()
    assert json.loads((tmp_path / "there/MANIFEST.json").read_text())["suite"] == "core"


@pytest.mark.oracle
def test_a_scheduler_that_does_not_answer_is_one_sentence():
    pytest.importorskip("distributed")
    with pytest.raises(WorkerError, match=r"dask must have a scheduler at tcp://127\.0\.0\.1:1"):
        dask_executor("tcp://127.0.0.1:1").__enter__()
