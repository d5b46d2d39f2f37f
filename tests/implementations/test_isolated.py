import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from refconv import check, conv2d, load_suite
from refconv.errors import ImplementationError
from refconv.implementations import Call, CallError, Isolated, SessionRunner, open_session
from refconv.implementations.isolated import _cause
from refconv.problem import ConvProblem
from refconv.suite.embedded import smoke_folder

ZOO = Path(__file__).parent.parent / "support" / "zoo.py"
SELECT = ["worked-example-*", "basic-*", "arithmetic-guide-*", "grouped-float32-exact"]
VICTIM = "worked-example-float32-iota/x3x3-w2x2"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the misdeeds are those of POSIX")


@pytest.fixture
def nothing_left(tmp_path, monkeypatch):
    """Give temporary files a folder of their own, and see that it is empty afterwards, and no child left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []
    assert children() == []


def children():
    """List the isolated processes that are children of this one, or of nobody any more; where /proc tells."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if "refconv.implementations.child" in words and state != "Z" and parent in ("1", str(os.getpid())):
                found.append(words)
    return found


def checked(name, **options):
    suite = load_suite(smoke_folder())
    report = check(f"{ZOO}:{name}", suite, SELECT, ["forward"], isolate=True, **options)
    others = [outcome for outcome in report.outcomes if outcome.case_id != VICTIM]
    assert [outcome.message for outcome in others if outcome.status != "PASS"] == []
    assert len(others) == 4
    return next(outcome for outcome in report.outcomes if outcome.case_id == VICTIM)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("segfault", "CRASH", "its process died of SIGSEGV"),
        ("divides_by_zero", "CRASH", "its process died of SIGFPE"),
        ("aborts", "CRASH", "its process died of SIGABRT"),
        ("exits", "CRASH", "its process ended by itself, with exit code 0"),
        ("exits_politely", "ERROR", "broke down with SystemExit at zoo.py:"),
        ("prints", "PASS", ""),
        ("reads_input", "PASS", ""),
        ("leaves_children", "PASS", ""),
        ("not_a_number", "FAIL", "4 of 4 elements are wrong, first y[0, 0, 0, 0]: expected 37, got nan"),
        ("wrong_shape", "FAIL", "y must have shape (1, 1, 2, 2), got (1, 1, 2, 1)"),
        ("wrong_dtype", "FAIL", "the values are right, but y must be float32, got float64"),
        ("leaves_unwritten", "FAIL", "2 of 4 elements are wrong, first y[0, 0, 0, 1]: expected 47, got nan"),
        ("returns_its_buffer", "FAIL", "the result is right, but the next call changed it"),
        ("writes_its_input", "FAIL", "the result is right, but the call changed its input x"),
        ("a_text", "ERROR", "y must be an array of numbers, got str"),
        ("huge", "FAIL", "y must have shape (1, 1, 2, 2), got (5000, 5000)"),
    ],
)
def test_a_misdeed_is_the_outcome_of_one_case(name, status, words):
    outcome = checked(name)
    assert outcome.status == status
    assert outcome.message.startswith(words)


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("name", ["hangs", "sleeps"])
def test_an_endless_call_is_stopped(name):
    outcome = checked(name, timeout=1)
    assert (outcome.status, outcome.message) == ("TIMEOUT", "gave no answer within 1 s")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is Linux's")
def test_greed_is_the_outcome_of_one_case():
    outcome = checked("wants_memory", memory_limit=4 * 2**30)
    assert outcome.status == "ERROR"
    assert outcome.message.startswith("broke down with ")
    assert "Unable to allocate 8.00 GiB" in outcome.message


def call(kernel, value=1, size=(4, 5)):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=size, kernel_size=(kernel, kernel))
    tensors = {"x": np.full(problem.x_shape, value, np.float32), "weight": np.ones(problem.weight_shape, np.float32)}
    return Call("a/b", "forward", tensors, problem)


@pytest.mark.usefixtures("nothing_left")
def test_what_waits_behind_a_call_that_kills_the_process_is_run_by_the_next_one():
    with Isolated(f"{ZOO}:segfault") as session:
        first, second = session.answers([call(3), call(2), call(3)]), session.answers([call(3), call(4)])
        assert [answer.status for answer in second] == ["RETURNED"] * 2
        assert [answer.status for answer in first] == ["RETURNED", "CRASH"]
        assert session.call(call(1)).status == "RETURNED"


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("held", [0, 2**15])
def test_answers_may_be_taken_late_and_in_any_order(held, monkeypatch):
    monkeypatch.setattr("refconv.implementations.child_process.HELD", held)  # bytes that are sent ahead
    with Isolated(f"{ZOO}:prints") as session:
        batches = [session.answers([call(3, 10 * n), call(4, 10 * n + 1)]) for n in range(6)]
        found = [[float(answer.result[0, 0, 0, 0]) for answer in batch] for batch in reversed(batches)]
    assert found == [[9 * 10 * n, 16 * (10 * n + 1)] for n in reversed(range(6))]


@pytest.mark.usefixtures("nothing_left")
def test_after_a_first_call_that_does_not_return_nothing_more_is_asked():
    with Isolated(f"{ZOO}:a_text") as session:
        assert [answer.status for answer in session.answers([call(2), call(3)])] == ["ERROR"]
        assert [answer.status for answer in session.answers([call(3), call(2), call(3)])] == [
            "RETURNED", "ERROR", "RETURNED",
        ]  # fmt: skip


def test_both_ways_give_the_same_report():
    suite = load_suite(smoke_folder())
    here, there = (check("im2col", suite, isolate=isolate) for isolate in (False, True))
    assert here.passed
    assert [(o.case_id, o.operation, o.status, o.message, o.verdict) for o in here.outcomes] == [
        (o.case_id, o.operation, o.status, o.message, o.verdict) for o in there.outcomes
    ]


def test_what_cannot_start_is_an_error_of_one_sentence():
    with pytest.raises(ImplementationError, match=r"did not start: its process ended .* with exit code 3\.$"):
        Isolated(f"{ZOO}:Refusing")
    with pytest.raises(ImplementationError, match="must be importable"):
        Isolated("no.such.module:conv2d")


def test_an_object_is_found_by_its_address():
    with open_session(conv2d) as session:
        assert session.call(call(2)).status == "RETURNED"


def test_an_object_that_nobody_can_import_is_refused():
    with pytest.raises(ImplementationError, match="must be something that another process can import"):
        open_session(lambda x, weight: x)


def test_as_a_runner_misdeeds_are_exceptions():
    with Isolated(f"{ZOO}:segfault") as session:
        runner, bad = SessionRunner(session), call(2)
        with pytest.raises(CallError, match="SIGSEGV"):
            runner.run("forward", bad.tensors, bad.problem)
        with pytest.raises(NotImplementedError, match="no segfault_backward"):
            runner.run("grad_input", bad.tensors, bad.problem)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_a_killed_parent_takes_its_child_along(tmp_path):
    code = (
        "import sys, os, time\n"
        "from refconv.implementations import Isolated\n"
        f"session = Isolated({str(ZOO)!r} + ':sleeps')\n"
        "print(session._process.popen.pid, flush=True)\n"
        "time.sleep(1000)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(50):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the child lives on")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_left")
def test_large_inputs_are_handed_over_one_call_at_a_time(monkeypatch):
    monkeypatch.setattr("refconv.implementations.isolated.TOGETHER", 0)
    with Isolated(f"{ZOO}:segfault") as session:
        found = [answer.status for answer in session.answers([call(3), call(4), call(2), call(3)])]
        assert found == ["RETURNED", "RETURNED", "CRASH"]
        assert [answer.status for answer in session.answers([call(3), call(4)])] == ["RETURNED"] * 2


@pytest.mark.usefixtures("nothing_left")
def test_a_new_implementation_has_no_earlier_calls_and_what_waited_is_not_lost():
    with Isolated(f"{ZOO}:Counting") as session:
        waiting = session.answers([call(3), call(3)])
        session.renew()
        again = session.answers([call(3)])
        assert [float(answer.result.flat[0]) for answer in (*waiting, *again)] == [1, 2, 1]


@pytest.mark.usefixtures("nothing_left")
def test_a_process_that_is_gone_is_renewed_by_the_next_call():
    with Isolated(f"{ZOO}:segfault") as session:
        session._process.popen.kill()
        session.renew()
        assert session.call(call(3)).status == "RETURNED"
        assert session.call(call(2)).status == "CRASH"
        session.renew()
        assert session.call(call(3)).status == "RETURNED"


@pytest.mark.usefixtures("nothing_left")
def test_a_process_that_closes_its_pipes_and_stays_is_killed(monkeypatch):
    monkeypatch.setattr("refconv.implementations.child_process.PATIENCE", 0.2)
    with Isolated(f"{ZOO}:closes_its_pipes") as session:
        answer = session.call(call(2))
        assert (answer.status, answer.message) == (
            "CRASH", "its process broke the connection and had to be killed"
        )  # fmt: skip
        assert session.call(call(3)).status == "RETURNED"


@pytest.mark.parametrize(
    ("code", "words"),
    [(3, "ended by itself, with exit code 3"), (-11, "died of SIGSEGV"), (-40, "died of signal 40")],
)
def test_the_end_of_a_process_is_put_in_words(code, words):
    assert _cause(code) == f"its process {words}"


@pytest.mark.usefixtures("nothing_left")
def test_as_a_runner_misdeeds_show_in_the_memory_of_the_caller():
    with Isolated(f"{ZOO}:writes_its_input") as session:
        bad = call(2)
        SessionRunner(session).run("forward", bad.tensors, bad.problem)
        assert np.isnan(bad.tensors["x"]).all()
        assert not np.isnan(bad.tensors["weight"]).any()
    with Isolated(f"{ZOO}:returns_its_buffer") as session:
        runner = SessionRunner(session)
        calls = [call(2, value, (3, 3)) for value in (1, 2)]
        first, second = (runner.run("forward", bad.tensors, bad.problem) for bad in calls)
        assert np.isnan(first).all()
        assert not np.isnan(second).any()
