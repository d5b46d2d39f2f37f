"""A child process that has ended, or that answers what nobody asked."""

import contextlib
import sys

import pytest

from refconv.implementations.child_process import ChildProcess, StrangeAnswerError


@contextlib.contextmanager
def child(code):
    process = ChildProcess([sys.executable, "-c", code], {})
    try:
        yield process
    finally:
        process.end()


def test_a_request_to_a_process_that_has_ended_has_no_answer():
    with child("") as process:
        process.popen.wait()
        token = process.send({"call": "x" * 100_000})
        with pytest.raises(EOFError):
            process.receive(token, 5)


@pytest.mark.parametrize("line", ['[{}, "another"]', "[1, 2, 3]", "null", "{"])
def test_a_line_that_does_not_answer_the_request_is_told_from_an_end(line):
    with child(f"print('{line}', flush=True); input()") as process, pytest.raises(StrangeAnswerError):
        process.receive("mine", 5)
