"""Checking: an implementation, a suite, and what became of every case."""

from refconv.check.causes import Cause
from refconv.check.expect import expect, expected, idle_warning
from refconv.check.fresh import FreshSuite
from refconv.check.outcomes import FAILURES, STATUSES, Outcome, Report
from refconv.check.rules import RuleSummary
from refconv.check.run import check
from refconv.check.stepwise import Plan, Stepwise
from refconv.check.write_xfails import may_write_xfails, write_xfails
from refconv.check.xfails import Xfail, read_xfails

__all__ = [
    "FAILURES",
    "STATUSES",
    "Cause",
    "FreshSuite",
    "Outcome",
    "Plan",
    "Report",
    "RuleSummary",
    "Stepwise",
    "Xfail",
    "check",
    "expect",
    "expected",
    "idle_warning",
    "may_write_xfails",
    "read_xfails",
    "write_xfails",
]
