"""One line in anybody's test suite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from refconv.check import check
from refconv.diagnosis.bugs import bugs
from refconv.implementations.command import named
from refconv.problem import OPERATIONS
from refconv.suite import Suite, load_suite
from refconv.suite.embedded import smoke_folder


def assert_conv2d(
    implementation: Any, suite: Suite | None = None, select: Iterable[str] = ("*",),
    operations: Iterable[str] = OPERATIONS, policies: Iterable[str] = (),
) -> None:  # fmt: skip
    """Assert that a convolution is right on every case of a suite that it supports.

    Parameters
    ----------
    implementation : callable or object
        A function with PyTorch's signature, or an object with forward, grad_input, grad_weight, grad_bias.
    suite : Suite, optional
        By default the one that comes with refconv; ``refconv.load_suite("vectors/core")`` holds more.
    select : iterable of str
        Shell patterns over case ids, such as ``"*-float32-*"``.
    operations : iterable of str
    policies : iterable of str
        Those that the convolution claims to follow where several results are right.

    Raises
    ------
    AssertionError
        With the first failures and the bugs behind them, or if nothing could be executed.

    Examples
    --------
    >>> import refconv
    >>> refconv.assert_conv2d(refconv.conv2d, select=["*-float32-*"])
    """
    suite = suite or load_suite(smoke_folder())
    report = check(implementation, suite, select, operations, policies=policies)
    if report.passed:
        return
    lines = [f"{failure.case_id} {failure.operation}: {failure.message}" for failure in report.failures[:5]]
    address = isinstance(implementation, str)
    closer = f"refconv diagnose {named(implementation)}" if address else "refconv.diagnose(implementation)"
    raise AssertionError("\n".join([report.summary(), *lines, *bugs(report, suite, closer)]))
