"""What a harness does right and wrong, step by step, for those who write one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from refconv.implementations.command import BrokenError, Command
from refconv.implementations.protocol import RESULT_NAMES
from refconv.implementations.session import Answer, Call
from refconv.implementations.wanted import result_dtype
from refconv.problem import ConvProblem

PROBLEM = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
TRUTH = {
    "forward": [[37, 47], [67, 77]],
    "grad_input": [[1, 4, 4], [6, 20, 16], [9, 24, 16]],
    "grad_weight": [[37, 47], [67, 77]],
    "grad_bias": [10],
}  # x counts from 1 to 9, weight and grad_output from 1 to 4: by hand

ENOUGH = 5.0  # seconds to end


@dataclass(frozen=True)
class Step:
    """One thing that was tried.

    Attributes
    ----------
    promise : str
        What a harness must do.
    wrong : str
        What it did instead; empty if it kept the promise.
    """

    promise: str
    wrong: str


class _Probe(Command):
    """A command whose messages can be changed on their way."""

    change: Callable[[dict[str, Any]], dict[str, Any]] = staticmethod(lambda message: message)

    def _exchange(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        return super()._exchange(self.change(message), seconds)


def protocol_test(words: Sequence[str], timeout: float = 10.0) -> Iterator[Step]:
    """Try what a harness must be able to do; each step finds it freshly started if it broke before.

    Parameters
    ----------
    words : sequence of str
        The harness and its arguments.
    timeout : float
        For each answer, in seconds.

    Raises
    ------
    ImplementationError
        If it does not start, or greets otherwise than it must.
    """
    with _Probe(words, timeout, start=timeout) as probe:
        yield Step("it starts, greets with status ok and protocol 1, and echoes seq", "")
        for promise, step in STEPS.items():
            probe.change = lambda message: message
            yield Step(promise, step(probe))
    with _Probe(words, timeout, start=timeout) as probe:
        yield Step("it answers stop with status ok, ends with code 0 and writes nothing more", _stops(probe))
    with _Probe(words, timeout, start=timeout) as probe:
        yield Step("it ends when its standard input is closed", _ends(probe))


def call_of(operation: str, dtype: Any = np.float32) -> Call:
    """Return a small call whose result is known.

    Examples
    --------
    >>> call_of("forward").tensors["x"].shape
    (1, 1, 3, 3)
    """
    tensors = {
        "x": np.arange(1, 10).reshape(1, 1, 3, 3).astype(dtype),
        "weight": np.arange(1, 5).reshape(1, 1, 2, 2).astype(dtype),
        "grad_output": np.arange(1, 5).reshape(1, 1, 2, 2).astype(dtype),
    }
    return Call("protocol-test/worked-example", operation, tensors, PROBLEM)


def _judged(answer: Answer, call: Call) -> str:
    """Hold an answer against the truth; not to offer something is right."""
    if answer.status == "UNSUPPORTED":
        return ""
    if answer.result is None:
        return _it(answer.message)
    name = RESULT_NAMES[call.operation]
    truth = np.array(TRUTH[call.operation], result_dtype(call.tensors)).reshape(call.problem.shape_of(name))
    for word, got, due in (("dtype", answer.result.dtype.name, truth.dtype.name),
                           ("shape", answer.result.shape, truth.shape)):  # fmt: skip
        if got != due:
            return f"its {name} has {word} {got}, not {due}"
    wrong = answer.result != truth
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0].tolist())
        return f"its {name}{list(place)} is {answer.result[place]}, not {truth[place]}"
    return ""


def _it(message: str) -> str:
    """Say what a harness did, or what is wrong with its output."""
    return f"its {message}" if message.startswith("output") else f"it {message}"


def _computes(operation: str, dtype: str = "float32") -> Callable[[_Probe], str]:
    def step(probe: _Probe) -> str:
        call = call_of(operation, dtype)
        return _judged(probe.call(call), call)

    return step


def _offers_something(probe: _Probe) -> str:
    answers = [probe.call(call_of(operation, dtype)) for operation in TRUTH for dtype in ("float32", "float64", "int8")]
    if any(answer.status == "RETURNED" for answer in answers):
        return ""
    return f"it returns nothing for {', '.join(TRUTH)} in float32, float64 and int8"


def _ignores_unknown_fields(probe: _Probe) -> str:
    probe.change = lambda message: message | {"a-later-version": {"says": ["more"]}}
    return _computes("forward")(probe)


def _survives_an_unknown_operation(probe: _Probe) -> str:
    probe.change = lambda message: message | {"operation": "sideways"}
    answer = probe.call(call_of("forward"))
    if answer.status in ("UNSUPPORTED", "REJECTED"):
        return ""
    return "it returns a result" if answer.status == "RETURNED" else f"it {answer.message}"


def _echoes_any_seq(probe: _Probe) -> str:
    probe._seq += 2**40
    return _computes("forward")(probe)


def _takes_long_lines(probe: _Probe) -> str:
    problem = replace(PROBLEM, batch=2**15)
    call = call_of("forward")
    tensors = dict(call.tensors)
    tensors["x"] = np.repeat(tensors["x"], problem.batch, axis=0)
    answer = probe.call(replace(call, problem=problem, tensors=tensors))
    return "" if answer.status in ("RETURNED", "UNSUPPORTED") else f"it {answer.message}"


def _takes_empty_tensors(probe: _Probe) -> str:
    problem = replace(PROBLEM, batch=0)
    call = call_of("forward")
    tensors = {**call.tensors, "x": call.tensors["x"][:0]}
    answer = probe.call(replace(call, problem=problem, tensors=tensors))
    if answer.result is not None and answer.result.shape != (0, 1, 2, 2):
        return f"its y has shape {answer.result.shape}, not (0, 1, 2, 2)"
    return "" if answer.status in ("RETURNED", "UNSUPPORTED", "REJECTED") else f"it {answer.message}"


STEPS: dict[str, Callable[[_Probe], str]] = {
    "it offers something": _offers_something,
    **{f"it computes {operation} of the worked example, or says unsupported": _computes(operation)
       for operation in TRUTH},
    "it computes in float64, or says unsupported": _computes("forward", "float64"),
    "it computes int8 into int32, or says unsupported": _computes("forward", "int8"),
    "it says unsupported to a format that it does not know": _computes("forward", "float8_e5m2"),
    "it ignores fields that it does not know": _ignores_unknown_fields,
    "it says unsupported to an operation that it does not know": _survives_an_unknown_operation,
    "it echoes a large seq": _echoes_any_seq,
    "it reads a line of 1.5 MB": _takes_long_lines,
    "it takes a batch of zero": _takes_empty_tensors,
}  # fmt: skip


def _stops(probe: _Probe) -> str:
    program = probe._program
    assert program is not None
    try:
        answer = probe._exchange({"type": "stop", "seq": probe._next()}, probe.timeout)
    except BrokenError as broken:
        return f"it {broken}"
    if answer["status"] != "ok":
        return f"it answers with status {answer['status']}"
    code = program.ended(ENOUGH)
    if code is None:
        return f"it still runs {ENOUGH:g} s later"
    if code != 0:
        return f"it ends with code {code}"
    more = program.next_line(1.0)
    return f"it writes more: {more[:80]!r}" if more else ""


def _ends(probe: _Probe) -> str:
    assert probe._program is not None
    probe._program.finish_input()
    return "" if probe._program.ended(ENOUGH) is not None else f"it still runs {ENOUGH:g} s later"
