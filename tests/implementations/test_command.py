"""Programs over JSON lines: honest ones, and one for each way to misbehave; nothing is left behind."""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foreign import CORE, EXAMPLES, HARNESS_ZOO, alive, needs_node, needs_posix

import refconv
from refconv import ImplementationError
from refconv.implementations import command
from refconv.implementations.command import Command, _same
from refconv.implementations.protocol_test import call_of
from refconv.suite.embedded import smoke_folder

HARNESS = EXAMPLES / "harness.py"
FILES, TRANSPOSED = (HARNESS_ZOO.with_name(f"harness_{name}.py") for name in ("files", "transposed"))
SELECT = ["worked-*", "arithmetic-guide-*", "leftover-*", "pointwise-*"]


@pytest.fixture
def left_behind(tmp_path, monkeypatch):
    """Watch the processes that are started and the temporary folder; neither may hold anything afterwards."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pids, start = [], command.Program.__init__

    def watched(self, *arguments, **keywords):
        start(self, *arguments, **keywords)
        pids.append(self.pid)

    monkeypatch.setattr(command.Program, "__init__", watched)
    threads = threading.active_count()
    yield pids
    assert not any(map(alive, pids))
    assert not list(tmp_path.glob("refconv-*"))
    assert threading.active_count() == threads


def zoo(misdeed, timeout=20.0, *arguments):
    return Command([sys.executable, str(HARNESS_ZOO), misdeed, str(HARNESS), *map(str, arguments)], timeout)


def judged(session, operations=("forward",)):
    with session:
        return refconv.check(session, refconv.load_suite(smoke_folder()), select=SELECT, operations=operations)


@pytest.mark.parametrize("words", [[sys.executable, str(HARNESS)], pytest.param(
    ["node", str(EXAMPLES / "harness.mjs")], marks=needs_node)], ids=["python", "node"])  # fmt: skip
def test_the_harnesses_of_the_documentation_pass(words, left_behind):
    with Command(words) as session:
        report = refconv.check(session, refconv.load_suite(smoke_folder()))
    assert report.passed
    assert report.implementation == Path(words[1]).name
    assert report.count()["PASS"] > 40
    assert len(left_behind) == 1


@pytest.mark.parametrize(
    ("misdeed", "statuses"), [("", {"PASS"}), ("flip", {"PASS", "FAIL"}), ("silent", {"UNSUPPORTED"})]
)
def test_transposed_convolutions_are_asked_of_programs_that_say_so(misdeed, statuses, left_behind):
    suite, words = refconv.load_suite(CORE.with_name("axes")), [sys.executable, str(TRANSPOSED), misdeed]
    select = ["conv-transpose*-float32-exact/s*", "conv-transpose*-float32-exact/pointwise"]
    with Command(words) as session:
        report = refconv.check(session, suite, select, ["forward"], thorough=False)
    assert {outcome.status for outcome in report.outcomes} == statuses
    assert len(report.outcomes) > 10
    causes = refconv.with_causes(report, suite).causes
    assert [cause.defect for cause in causes] == (["transposed-kernel-flipped"] if misdeed == "flip" else [])


@needs_node
@pytest.mark.slow
def test_a_node_program_passes_all_of_core(left_behind):
    with Command(["node", str(EXAMPLES / "harness.mjs")]) as session:
        report = refconv.check(session, refconv.load_suite(CORE), thorough=False)
    assert report.passed
    assert report.count()["PASS"] > 2000
    supported = [outcome for outcome in report.outcomes if outcome.element in ("float32", "float64")
                 and not outcome.case_id.startswith(("illegal-", "mismatched-"))]  # fmt: skip
    assert all(outcome.status == "PASS" for outcome in supported)


@pytest.mark.parametrize(
    ("misdeed", "status", "sentence"),
    [
        ("segfault", "CRASH", "was killed by SIGSEGV in the middle of the call"),
        ("exit", "CRASH", "exited with code 0 in the middle of the call"),
        ("last-words", "CRASH", "exited with code 3 in the middle of the call; its stderr says 'out of luck'"),
        ("hang", "TIMEOUT", "gave no answer within 0.5 s"),
        ("half", "CRASH", 'exited with code 0 after half an answer: \'{"seq"'),
        ("garbage", "ERROR", "wrote to stdout what is no JSON object: 'computing ...'"),
        ("megabytes", "ERROR", "bytes to stdout without a newline: 'xxxx"),
        ("lines", "ERROR", "wrote to stdout what is no JSON object: 'debug'"),
        ("old-seq", "ERROR", "what was asked with seq"),
        ("status", "ERROR", "answered with the status 'fine'"),
        ("shape", "FAIL", "y must have shape"),
        ("dtype", "FAIL", "wrong"),
        ("unknown-dtype", "ERROR", "output.dtype must be one of float64, "),
        ("length", "ERROR", "bytes, got "),
        ("no-base64", "ERROR", "output.base64 must be base64"),
        ("no-output", "ERROR", "answered ok without an object named output"),
        ("nan", "FAIL", "got nan"),
        ("cached", "FAIL", "the result is right, but not with other values of"),
        ("rejects", "REJECTED", "refused a legal problem: no such kernel"),
        ("breaks", "ERROR", "broke down: out of memory"),
        ("nested", "ERROR", "wrote to stdout what is no JSON object"),
    ],
)
def test_a_misdeed_is_the_outcome_of_its_case_alone(misdeed, status, sentence, left_behind):
    report = judged(zoo(misdeed, 0.5 if misdeed == "hang" else 20.0))
    wrong = [outcome for outcome in report.outcomes if "-k1w2x2-" in outcome.descriptor]
    assert len(wrong) == 1
    assert {(outcome.status, sentence in outcome.message) for outcome in wrong} == {(status, True)}, wrong[0].message
    others = [outcome for outcome in report.outcomes if outcome not in wrong]
    assert len(others) >= 3
    assert all(outcome.status == "PASS" for outcome in others), [outcome.message for outcome in others]


def test_a_second_answer_is_noticed_before_the_next_question(left_behind):
    with zoo("twice") as session:
        assert session.call(call_of("forward")).status == "RETURNED"
        time.sleep(0.2)
        answer = session.call(call_of("forward"))
        assert answer.status == "ERROR"
        assert answer.message.startswith("wrote to stdout before it was asked: ")
        assert session.call(call_of("forward")).status == "RETURNED"
    assert len(left_behind) == 2


def test_a_program_that_never_reads_is_a_timeout(left_behind):
    big = call_of("forward")
    big.tensors["x"] = np.zeros((1, 1, 3, 2**18), np.float32)  # more than a pipe holds
    with zoo("deaf", 0.3) as session:
        assert session.call(big).status == "TIMEOUT"


@needs_posix
def test_what_a_program_has_started_ends_with_it(tmp_path, left_behind):
    note = tmp_path / "child"
    with zoo("hang-with-child", 2.0, note) as session:
        assert session.call(call_of("forward")).status == "TIMEOUT"
    child = int(note.read_text())
    until = time.monotonic() + 5
    while alive(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(child)


@pytest.mark.parametrize(
    ("misdeed", "status", "sentence"),
    [
        ("", "PASS", ""),
        ("short", "ERROR", "output.file must have 16 bytes, got 12"),
        ("input", "FAIL", "changed its input weight"),
        ("elsewhere", "ERROR", "output.file must be the one that was asked for, got '/etc/passwd'"),
        ("absent", "ERROR", "output.file y.bin must be a regular file, but there is none"),
        pytest.param("link", "ERROR", "output.file y.bin must be a regular file", marks=needs_posix),
    ],
)
def test_tensors_can_travel_as_files(misdeed, status, sentence, left_behind):
    with Command([sys.executable, str(FILES), misdeed]) as session:
        report = refconv.check(session, refconv.load_suite(smoke_folder()), ["worked-*"], ["forward"])
    (outcome,) = report.outcomes
    assert outcome.status == status
    assert sentence in outcome.message


@needs_posix
@pytest.mark.parametrize("misdeed", ["folder", "no-folder", "file-for-folder", "link-for-folder"])
def test_a_program_that_spoils_the_folder_of_its_tensors_gets_another_one(misdeed, tmp_path, left_behind):
    elsewhere = tmp_path / "elsewhere"
    example = replace(call_of("forward"), case_id="worked-example-float32")
    with Command([sys.executable, str(FILES), misdeed, str(elsewhere)]) as session:
        answers = [session.call(example) for _ in range(2)]
        statuses = [session.call(example).status for _ in range(2)] if misdeed == "folder" else []
    lost = "output.file y.bin must be a regular file"
    refused = "could not be given its tensors as files"
    expected = ["", refused] if misdeed in ("folder", "link-for-folder") else [lost, lost]
    assert [answer.message.partition(",")[0] for answer in answers] == expected
    assert statuses in ([], ["RETURNED", "ERROR"])


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        (None, "must be a program that can be started: No such file or directory"),
        ("", "must greet, but it exited with code 0 in the middle of the call"),
        ("import sys; sys.exit('no licence')", "exited with code 1 in the middle of the call; its stderr says"),
        ("print('hello', flush=True); input()", "wrote to stdout"),
        ("import time; time.sleep(1000)", "gave no answer within 0.5 s"),
        ("input(); print('{\"seq\":1,\"status\":\"ok\"}')", "not with ok and protocol 1"),
    ],
)  # fmt: skip
def test_a_program_that_does_not_greet_is_an_error_in_one_sentence(program, sentence, left_behind):
    words = ["./no-such-program"] if program is None else [sys.executable, "-c", program]
    with pytest.raises(ImplementationError) as caught:
        Command(words, start=0.5 if "sleep" in (program or "") else 20.0)
    assert sentence in str(caught.value)


def test_a_program_that_does_not_start_again_is_given_up(tmp_path, left_behind):
    once = tmp_path / "once"
    program = f"""
import json, pathlib, sys
once = pathlib.Path({str(once)!r})
if once.exists(): sys.exit(5)
once.touch()
print(json.dumps({{"seq": json.loads(input())["seq"], "status": "ok", "protocol": 1}}), flush=True)
input()
"""
    with Command([sys.executable, "-c", program]) as session:
        answers = [session.call(call_of("forward")) for _ in range(6)]
    assert [answer.status for answer in answers] == ["CRASH"] * 4 + ["ERROR"] * 2
    assert "was given up after 3 starts that failed" in answers[-1].message
    assert len(left_behind) == 4


def test_a_file_that_is_gone_is_not_what_was_written(tmp_path):
    (tmp_path / "x").write_bytes(b"12")
    assert _same(tmp_path / "x", b"12")
    assert not _same(tmp_path / "weight", b"12")
