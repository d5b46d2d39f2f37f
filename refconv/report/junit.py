"""The report for CI servers: JUnit XML as GitLab, Jenkins and the GitHub actions read it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from refconv.check import Outcome, Report
from refconv.check.spool import taken
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
    return "".join(junit_parts(report, command))


def junit_parts(report: Report, command: str | None = None) -> Iterator[str]:
    """Yield the text of :func:`junit_text` part by part."""
    groups: dict[str, _Group] = {}
    for number, outcome in enumerate(report.outcomes):
        groups.setdefault(outcome.family, _Group()).add(number, outcome)
    whole = sum((group.counts for group in groups.values()), Counter[str]())
    seconds = sum(group.seconds for group in groups.values())
    title = plain(f"{report.implementation} on {report.suite} {report.version}")
    totals = _totals(whole, seconds)
    del totals["skipped"]  # which the schema of Jenkins knows of a suite alone
    yield f'<?xml version="1.0" encoding="utf-8"?>\n{_opening("testsuites", {"name": title, **totals})}\n'
    for name, group in groups.items():
        attributes = {"name": plain(name), **_totals(group.counts, group.seconds)}
        yield f"  {_opening('testsuite', attributes)}\n"
        for outcome in taken(report.outcomes, group.numbers):
            test = _testcase(outcome, report, command)
            ElementTree.indent(test, level=2)
            yield f"    {ElementTree.tostring(test, 'unicode')}\n"
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


@dataclass
class _Group:
    numbers: array[int] = field(default_factory=lambda: array("q"))
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, number: int, outcome: Outcome) -> None:
        self.numbers.append(number)
        self.counts.update(["tests", *(name for name in [_element_name(outcome)] if name)])
        self.seconds += outcome.seconds


def _opening(tag: str, attributes: dict[str, str]) -> str:
    return ElementTree.tostring(ElementTree.Element(tag, attributes), "unicode").removesuffix(" />") + ">"


def _totals(counts: Counter[str], seconds: float) -> dict[str, str]:
    names = {"tests": "tests", "failures": "failure", "errors": "error", "skipped": "skipped"}
    return {total: str(counts[name]) for total, name in names.items()} | {"time": f"{seconds:.6f}"}


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
