"""The conformance suite as pytest runs it, in anybody's project and without a clone of this one.

``pytest --pyargs refconv.conformance --refconv-impl mypackage.layers:conv2d``
"""

from __future__ import annotations

import pytest

from refconv.check import Outcome, Report
from refconv.pytest_plugin import check_command
from refconv.report.words import describe_failure, plain, reproduce

pytestmark = pytest.mark.refconv


def test_conv2d(refconv_outcome: Outcome, pytestconfig: pytest.Config) -> None:
    """One operation of one case is right, or is not offered, or fails as its authors know."""
    status = refconv_outcome.status
    if status == "UNSUPPORTED":
        pytest.skip(plain(refconv_outcome.message))
    if status == "XFAIL":
        pytest.xfail(plain(refconv_outcome.message))
    if refconv_outcome.failed or status == "XFAIL":  # pytest --runxfail
        pytest.fail(_told(refconv_outcome, check_command(pytestconfig)), pytrace=False)


def _told(outcome: Outcome, command: str) -> str:
    report = Report(command, "", "", (outcome,))
    lines = describe_failure(outcome, report, reproduce(report, outcome.case_id, command))
    return "\n  ".join([f"{outcome.status}  {plain(outcome.case_id)}  {outcome.operation}", *lines])
