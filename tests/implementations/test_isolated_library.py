"""Shared libraries in a process of their own: protected memory finds a misdeed, a second call says what it was."""

import pytest
from foreign import EXAMPLES, LIBRARY_ZOO, library, needs_cc, needs_posix

from refconv import check, load_suite
from refconv.implementations import open_session
from refconv.suite.embedded import smoke_folder

pytestmark = [needs_cc, needs_posix]

VICTIM = "worked-example-float32-iota/x3x3-w2x2"  # the one with a 2x2 kernel


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (1, "FAIL", "wrote 8 bytes past the end of y"),
        (2, "FAIL", "wrote 12 bytes before the beginning of y"),
        (3, "FAIL", "changed its input weight"),
        (5, "CRASH", "its process died of SIGSEGV"),
        (6, "CRASH", "its process died of SIGABRT"),
        (7, "CRASH", "its process ended by itself, with exit code 0"),
        (8, "TIMEOUT", "gave no answer within 2 s"),
    ],
)
def test_a_misdeed_is_named_and_all_other_cases_complete(tmp_path, number, status, words):
    zoo = library(LIBRARY_ZOO, tmp_path / "libzoo.so", f"-DZOO={number}", f'-DCONV2D="{EXAMPLES / "conv2d.c"}"', "-w")
    with open_session(str(zoo), timeout=2) as session:
        report = check(session, load_suite(smoke_folder()), ["worked-*", "grouped-*", "batch-*"], ["forward"])
    found = {outcome.case_id: outcome for outcome in report.outcomes}
    bad = found.pop(VICTIM)
    assert (bad.status, bad.message[: len(words)]) == (status, words)
    assert [outcome.status for outcome in found.values()] == ["PASS"] * 2


def test_a_far_overrun_is_found_whether_it_kills_or_not(tmp_path):
    zoo = library(LIBRARY_ZOO, tmp_path / "libzoo.so", "-DZOO=10", f'-DCONV2D="{EXAMPLES / "conv2d.c"}"', "-w")
    with open_session(str(zoo), timeout=20) as session:
        report = check(session, load_suite(smoke_folder()), ["worked-*"], ["forward"])
    (outcome,) = report.outcomes
    assert outcome.status in ("FAIL", "CRASH")  # without protection the megabyte may lie in memory of its own
    assert outcome.message.startswith(("wrote ", "its process died of SIG"))


def test_an_honest_library_passes_isolated(tmp_path):
    honest = library(EXAMPLES / "conv2d.c", tmp_path / "libconv2d.so")
    with open_session(str(honest)) as session:
        assert not session.arranges
        assert not session.checks_arguments
        assert check(session, load_suite(smoke_folder())).passed
