"""Expected failures in every form of a report."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.console import Console

from refconv.check import Xfail, expect
from refconv.report import html_text, json_text, junit_text, markdown_text, print_report
from refconv.report.known import known_failures
from refconv.report.words import headline

LINK = "https://example.org/issues/7"
KNOWN = Xfail("grouped/*", "groups are ignored", LINK, where="known.toml, entry 1")
IDLE = Xfail("nowhere/*", "gone", LINK, where="known.toml, entry 2")


@pytest.fixture
def known(report_of, outcome, failure):
    """Two expected failures, a right result, and an entry that matches nothing."""
    report = report_of(failure("grouped/a"), failure("grouped/b"), outcome("basic/one"))
    return expect(report, [KNOWN, IDLE])


@pytest.fixture
def unexpected(report_of, outcome):
    """A right result that was expected to fail."""
    return expect(report_of(outcome("grouped/a")), [KNOWN])


def terminal(report):
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=200))
    return stream.getvalue()


def test_the_entries_that_explain_most_come_first(known, failure):
    report = expect(replace(known, outcomes=(*known.outcomes, failure("odd/x"))), [replace(KNOWN, match="odd/*")])
    assert [(row.match, row.count) for row in known_failures(report)] == [("grouped/*", 2), ("odd/*", 1)]


def test_the_headline_counts_them(known):
    assert headline(known) == "Passed, with 2 expected failures"


def test_the_terminal_tells_reason_link_and_warning(known):
    text = terminal(known)
    assert f"XFAIL  grouped/*\n  2 expected: groups are ignored ({LINK})" in text
    assert "warning: this entry matches nothing that was executed: known.toml, entry 2 (nowhere/*)." in text
    assert re.search(r"operation +pass +xfail +fail", text)
    assert "1 pass, 2 xfail" in text


def test_the_terminal_shows_an_unexpected_pass_as_a_failure(unexpected):
    text = terminal(unexpected)
    assert "XPASS  forward: the result is right, but known.toml" in text
    assert "known.toml, entry 1 expects a failure: remove that entry" in text


def test_markdown_has_a_row_for_each_entry_and_the_warning(known):
    text = markdown_text(known).replace("\\", "")
    assert f"| grouped/* | 2 | groups are ignored | {LINK} |" in text
    assert "Warning: this entry matches nothing" in text


def test_junit_skips_expected_failures_with_their_reason_and_fails_unexpected_passes(known, unexpected):
    root = ElementTree.fromstring(junit_text(known).encode("utf-8"))
    assert [suite.get("skipped") for suite in root] == ["2", "0"]
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert all("groups are ignored" in element.get("message") for element in root.iter("skipped"))
    root = ElementTree.fromstring(junit_text(unexpected).encode("utf-8"))
    assert [element.get("type") for element in root.iter("failure")] == ["XPASS"]


def test_json_names_the_entry_of_an_outcome(known):
    document = json.loads(json_text(known))
    entry = {"match": "grouped/*", "reason": "groups are ignored", "issue": LINK, "where": "known.toml, entry 1"}
    assert [outcome["xfail"] for outcome in document["outcomes"]] == [entry, entry, None]
    assert document["counts"]["XFAIL"] == 2
    assert document["passed"] is True
    assert len(document["warnings"]) == 1


def test_html_lists_the_entries_with_their_links_and_the_warning(known):
    text = html_text(known)
    assert f'<td>2<td>groups are ignored<td><a href="{LINK}" rel="noreferrer">{LINK}</a>' in text
    assert "Warning: this entry matches nothing" in text
    assert '<div class="doubt"><dt><span aria-hidden="true">x</span> xfail</dt><dd>2</dd></div>' in text


def test_html_makes_no_link_of_what_is_none(known):
    outcomes = tuple(replace(o, xfail=replace(KNOWN, issue="javascript:alert(1)")) for o in known.outcomes)
    assert 'href="javascript' not in html_text(replace(known, outcomes=outcomes))
