"""Checking: an implementation, a suite, and what became of every case."""

from refconv.check.assertion import assert_conv2d
from refconv.check.outcomes import FAILURES, STATUSES, Outcome, Report
from refconv.check.rules import RuleSummary
from refconv.check.run import check

__all__ = ["FAILURES", "STATUSES", "Outcome", "Report", "RuleSummary", "assert_conv2d", "check"]
