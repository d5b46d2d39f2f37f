"""Where in the user's file an exception was raised, in this process and in another one."""

import pytest

from refconv.check import check
from refconv.diagnosis import diagnose
from refconv.implementations import SessionRunner, open_session
from refconv.suite import load_suite
from refconv.suite.embedded import smoke_folder

FILE = """
import json
import os
import signal

import numpy as np


def rows(x):
    return [][0]


def outside(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return rows(x)


def inside(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    json.loads("no JSON")


def in_numpy(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    np.linalg.inv(np.zeros((2, 3)))


def noargs():
    return None


def crash(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    os.kill(os.getpid(), signal.SIGSEGV)
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize("isolate", [True, False])
@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("outside", "ERROR", "broke down with IndexError at own.py:10: list index out of range"),
        ("inside", "REJECTED", "raised JSONDecodeError at own.py:18 on a legal problem: Expecting value"),
        ("in_numpy", "REJECTED", "raised LinAlgError at own.py:22 on a legal problem: "),
        ("noargs", "REJECTED", "raised TypeError on a legal problem: noargs() takes 0 positional arguments"),
    ],
)
def test_a_message_names_the_innermost_line_of_the_users_file(own, isolate, name, status, words):
    suite = load_suite(smoke_folder())
    (outcome,) = check(f"{own}:{name}", suite, ["worked-*/x3x3-w2x2"], ["forward"], isolate=isolate).outcomes
    assert (outcome.status, outcome.message[: len(words)]) == (status, words)


def test_diagnose_says_that_a_process_crashed_and_not_that_it_refused(own):
    with open_session(f"{own}:crash", isolate=True) as session:
        diagnosis = diagnose(SessionRunner(session))
    assert "Crashed: forward on 8 problems (its process died of SIGSEGV)." in diagnosis.description
    assert "efused" not in diagnosis.description
