"""An implementation that was started, here in this process."""

import sys

import numpy as np
import pytest

from refconv.implementations import Call, SessionRunner, as_runner
from refconv.implementations.in_process import InProcess
from refconv.implementations.process import how_it_ended
from refconv.implementations.session import answers_of
from refconv.problem import ConvProblem

PROBLEM = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 2), kernel_size=(1, 2))
TENSORS = {"x": np.ones(PROBLEM.x_shape, np.float32), "weight": np.ones(PROBLEM.weight_shape, np.float32)}


class Counting:
    """Returns how often it was called; refuses the first call of each three."""

    def __init__(self):
        self.calls = 0

    def forward(self, x, weight, bias, problem):
        self.calls += 1
        if self.calls % 3 == 1:
            raise ValueError("not the first one")
        return np.full(problem.y_shape, self.calls, x.dtype)


def test_nothing_is_asked_after_a_first_call_that_failed():
    session = InProcess(as_runner(Counting))
    call = Call("a/b", "forward", TENSORS, PROBLEM)
    assert [answer.status for answer in answers_of(session, [call] * 3)] == ["REJECTED"]
    assert [answer.status for answer in answers_of(session, [call] * 3)] == ["RETURNED", "RETURNED", "REJECTED"]


@pytest.mark.parametrize(("remake", "first"), [(lambda: as_runner(Counting), "REJECTED"), (None, "RETURNED")])
def test_an_implementation_is_made_anew_where_it_is_known_how(remake, first):
    session = InProcess(as_runner(Counting), remake)
    call = Call("a/b", "forward", TENSORS, PROBLEM)
    session.call(call)
    assert SessionRunner(session).renewed().session is session
    assert session.call(call).status == first


def test_a_session_that_cannot_be_renewed_stays_as_it_is():
    class Fixed:
        name = "fixed"

    assert SessionRunner(Fixed()).renewed().name == "fixed"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with code 0"), (-9, "was killed by SIGKILL"), (-40, "was killed by signal 40"),
        (None, "closed its stdout and went on"),
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_end_of_a_program_is_put_in_words(code, words):
    assert how_it_ended(code) == words
