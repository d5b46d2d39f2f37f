"""Convolutions that misbehave on one case, the one with a 2x2 kernel, and are right on all others."""

import ctypes
import os
import signal
import sys
import time

import numpy as np

from refconv import conv2d


def _misbehaving(misdeed):
    def layer(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        y = conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
        return misdeed(y) if weight.shape[2:] == (2, 2) else y

    layer.__name__ = misdeed.__name__
    return layer


@_misbehaving
def segfault(y):
    ctypes.string_at(0)


@_misbehaving
def divides_by_zero(y):
    os.kill(os.getpid(), signal.SIGFPE)


@_misbehaving
def aborts(y):
    os.abort()


@_misbehaving
def exits(y):
    os._exit(0)


@_misbehaving
def exits_politely(y):
    sys.exit(0)


@_misbehaving
def hangs(y):
    while True:
        pass


@_misbehaving
def sleeps(y):
    time.sleep(1000)


@_misbehaving
def wants_memory(y):
    return np.ones(2**30)  # 8 GiB


@_misbehaving
def prints(y):
    print("x" * 80 * 50_000, flush=True)
    os.write(1, b'[{"status": "RETURNED"}, "0123456789abcdef"]\n' * 10_000)
    return y


@_misbehaving
def reads_input(y):
    assert sys.stdin.read() == ""
    return y


@_misbehaving
def leaves_children(y):
    if os.fork() == 0:
        time.sleep(1000)
    return y


@_misbehaving
def not_a_number(y):
    return np.full_like(y, np.nan)


@_misbehaving
def wrong_shape(y):
    return y[..., :-1]


@_misbehaving
def wrong_dtype(y):
    return y.astype(np.float64)


@_misbehaving
def a_text(y):
    return "y"


@_misbehaving
def leaves_unwritten(y):
    unwritten = np.empty_like(y)
    unwritten[..., 0] = y[..., 0]
    return unwritten


_buffer = np.zeros((1, 1, 2, 2), np.float32)


@_misbehaving
def returns_its_buffer(y):
    _buffer[...] = y
    return _buffer


def writes_its_input(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    if weight.shape[2:] == (2, 2):
        x[:, :, -1, -1] += 1
    return y


@_misbehaving
def huge(y):
    return np.zeros((5000, 5000), np.float32)


@_misbehaving
def closes_its_pipes(y):
    os.closerange(0, 256)
    time.sleep(1000)


def refuses_to_start():
    raise AssertionError("never called")


class Refusing:
    """Cannot be made."""

    def __init__(self):
        os._exit(3)

    def forward(self, x, weight, bias, problem):
        """Never called."""


class Counting:
    """Returns how often it was called."""

    def __init__(self):
        self.calls = 0

    def forward(self, x, weight, bias, problem):
        self.calls += 1
        return np.full(problem.y_shape, self.calls, x.dtype)
