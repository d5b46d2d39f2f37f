"""Convolutions that want to pass without computing, or to learn which case they are asked about."""

import gc
import json
import sys
from functools import cache
from importlib import import_module

import numpy as np

import refconv
from refconv.implementations.session import Call
from refconv.suite.embedded import smoke_folder

TELLING = ("worked-example", "asymmetric-float32")


def _zeros(x, weight, stride, padding, dilation, groups):
    return np.zeros_like(refconv.conv2d(x, weight, None, stride, padding, dilation, groups))


def _frames():
    frame = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def patches_the_judge(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Replace what would judge, had it been in this process."""
    judging, ways = map(import_module, ("refconv.check.case_judge", "refconv.judge"))
    allowed = ways.judge_tensor(np.zeros(1), np.zeros(1))
    for module in (judging, ways):
        module.judge_tensor = lambda *ignored: allowed
    judging.CaseJudge.find = lambda *ignored: judging.Finding("PASS")
    return _zeros(x, weight, stride, padding, dilation, groups)


def patches_numpy(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Make every comparison true."""
    y = _zeros(x, weight, stride, padding, dilation, groups)
    np.array_equal = np.all = lambda *ignored, **named: True
    return y


def answers_from_the_frames(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Say that the call has passed already, to whoever called."""
    for frame in _frames():
        answer = frame.f_globals.get("Answer")
        if answer is not None:
            answer.status = "PASS"
    return _zeros(x, weight, stride, padding, dilation, groups)


def forges_its_answer(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Write the line that its process would write, with the token that it finds there: that it has passed."""
    here = next(frame.f_locals for frame in _frames() if {"token", "answers"} <= set(frame.f_locals))
    said = {"status": "PASS", "message": "", "seconds": 0.0, "changed": [], "overwrote": False, "result": None}
    here["answers"].write(json.dumps([said, here["token"]]).encode() + b"\n")
    here["answers"].flush()
    return _zeros(x, weight, stride, padding, dilation, groups)


def looks_for_the_case(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Compute what is right, unless a call or a frame of this process says which case it is."""
    y = refconv.conv2d(x, weight, bias, stride, padding, dilation, groups)
    calls = [found for found in gc.get_objects() if isinstance(found, Call)]
    texts = [value for frame in _frames() for value in frame.f_locals.values() if isinstance(value, str | dict)]
    told = [*(call.case_id for call in calls), *map(repr, texts)]
    return y * 0 if any(word in text for word in TELLING for text in told) else y


@cache
def _golden():
    cases = refconv.load_suite(smoke_folder())
    asked = [(case, [case.inputs.get(name) for name in ("x", "weight", "bias")]) for case in cases]
    return {_bytes(given): case.expected["y"].tensor for case, given in asked if "y" in case.expected}


def _bytes(tensors):
    return b"".join(tensor.tobytes() for tensor in tensors if tensor is not None)


def reads_the_golden_values(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Look the inputs up in the suite, and return what is expected of them."""
    found = _golden().get(_bytes((x, weight, bias)))
    return _zeros(x, weight, stride, padding, dilation, groups) if found is None else found.copy()
