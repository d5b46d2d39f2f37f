"""Small reports, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from refconv.check import Outcome, Report
from refconv.judge import Verdict, judge_tensor
from refconv.problem import ConvProblem

PROBLEM = ConvProblem(
    batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9), kernel_size=(3, 2), stride=(2, 1),
    dilation=(1, 2), padding=((1, 0), (2, 1)),
)  # fmt: skip
SMALL = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(3, 4), kernel_size=(2, 3))
HOSTILE = "</script><script>alert('x')</script>\x1b[31m [red]`a|b` \x00\ud800\n## &lt;"


def wrong_verdict(problem: ConvProblem = PROBLEM, operation: str = "forward", interval: bool = False) -> Verdict:
    """Judge a result that is wrong by 0.75 at position 5 and by 1.5 at position 7, where 0.5 is allowed at most."""
    expected = np.full(problem.shape_of(operation), 2.0)
    got = expected.copy()
    got.flat[5] += 0.75
    got.flat[7] += 1.5
    return judge_tensor(got, expected, expected - 0.5, expected + 0.5) if interval else judge_tensor(got, expected)


def make_outcome(
    case_id: str = "grouped/g2", operation: str = "forward", status: str = "PASS", **fields: Any
) -> Outcome:
    plain = {
        "flags": ("Basic", "RealValued", "Grouped"),
        "comment": "2 groups",
        "descriptor": PROBLEM.descriptor,
        "element": "float32",
        "rule": "exact",
        "seconds": 0.25,
    }
    return Outcome(case_id, operation, status, **{**plain, **fields})


def make_failure(case_id: str = "grouped/g2", problem: ConvProblem = PROBLEM, interval: bool = False) -> Outcome:
    verdict, rule = wrong_verdict(problem, interval=interval), "standard:float32, n <= 13" if interval else "exact"
    return make_outcome(case_id, status="FAIL", descriptor=problem.descriptor, verdict=verdict, rule=rule)


def make_report(*outcomes: Outcome, implementation: str = "mine.py:conv") -> Report:
    return Report(implementation, "core", "2026.1.31", outcomes)


@pytest.fixture(scope="session")
def outcome() -> Callable[..., Outcome]:
    return make_outcome


@pytest.fixture(scope="session")
def failure() -> Callable[..., Outcome]:
    return make_failure


@pytest.fixture(scope="session")
def report_of() -> Callable[..., Report]:
    return make_report


@pytest.fixture(scope="session")
def passing() -> Report:
    return make_report(make_outcome(), make_outcome(operation="grad_bias"))


@pytest.fixture(scope="session")
def mixed() -> Report:
    """One outcome of each status, in two groups, and two failures that are alike, the larger problem first."""
    return make_report(
        make_outcome("basic/one", "forward"),
        make_outcome("basic/one", "grad_bias", "UNSUPPORTED", message="no gradients"),
        make_failure("grouped/large", interval=True),
        make_failure("grouped/small", SMALL, interval=True),
        make_outcome("grouped/large", "grad_input", "REJECTED", message="raised ValueError on a legal problem: no"),
        make_outcome("grouped/large", "grad_weight", "ERROR", message="broke down with IndexError: 7"),
    )


@pytest.fixture(scope="session")
def hostile() -> Report:
    """Every text that an implementation or a suite brings along wants to be something else than text."""
    fields = {"message": HOSTILE, "comment": HOSTILE, "flags": (HOSTILE,), "rule": HOSTILE, "element": HOSTILE}
    broken = make_outcome(f"grouped/{HOSTILE}", status="ERROR", descriptor=HOSTILE, **fields)
    wrong = make_outcome(f"grouped/{HOSTILE}", status="FAIL", verdict=wrong_verdict(), **fields)
    return make_report(broken, wrong, implementation=HOSTILE)
