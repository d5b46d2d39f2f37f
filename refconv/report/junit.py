"""The report for CI servers: JUnit XML as GitLab, Jenkins and the GitHub actions read it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from refconv.check import Outcome, Report
from refconv.report.words import describe_failure, plain, reproduce

_FAILURES = ("FAIL", "XPASS", "REJECTED")  # what was asserted does not hold; every other failure is an error


def junit_text(report: Report, command: str | None = None) -> str:
    r"""Write a report as JUnit XML: a suite for each group, a test for each operation of each case.

    Characters that XML cannot hold are written as escapes, ``\x00``.

    Parameters
    ----------
    report : Report
    command : str, optional
        The command line to which ``--select CASE`` is appended, so that a failure can be reproduced.
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in report.outcomes:
        groups.setdefault(outcome.family, []).append(outcome)
    title = plain(f"{report.implementation} on {report.suite} {report.version}")
    totals = _totals(report.outcomes)
    del totals["skipped"]  # which the schema of Jenkins knows of a suite alone
    root = ElementTree.Element("testsuites", {"name": title, **totals})
    for name, outcomes in groups.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": plain(name), **_totals(outcomes)})
        suite.extend(_testcase(outcome, report, command) for outcome in outcomes)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _totals(outcomes: Sequence[Outcome]) -> dict[str, str]:
    elements = [_element_name(outcome) for outcome in outcomes]
    counts = {f"{name}s": elements.count(name) for name in ("failure", "error")}
    totals = {"tests": len(outcomes), **counts, "skipped": elements.count("skipped")}
    seconds = sum(outcome.seconds for outcome in outcomes)
    return {name: str(total) for name, total in totals.items()} | {"time": f"{seconds:.6f}"}


def _element_name(outcome: Outcome) -> str | None:
    if outcome.failed:
        return "failure" if outcome.status in _FAILURES else "error"
    return "skipped" if outcome.status in ("UNSUPPORTED", "XFAIL") else None


def _testcase(outcome: Outcome, report: Report, command: str | None) -> ElementTree.Element:
    slug = outcome.case_id.partition("/")[2]
    test = ElementTree.Element("testcase", {
        "classname": plain(outcome.family), "name": plain(f"{slug} {outcome.operation}"),
        "time": f"{outcome.seconds:.6f}",
    })  # fmt: skip
    name = _element_name(outcome)
    if name:
        attributes = {} if name == "skipped" else {"type": outcome.status}
        element = ElementTree.SubElement(test, name, {"message": plain(outcome.message), **attributes})
    if outcome.failed:
        element.text = "\n".join(describe_failure(outcome, report, reproduce(report, outcome.case_id, command)))
    return test
