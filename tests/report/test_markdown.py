from __future__ import annotations

import re

from refconv.report.markdown import markdown_text


def test_the_verdict_is_the_headline(mixed, passing):
    assert markdown_text(mixed).startswith("## ✗ 4 of 5 operations failed\n")
    assert markdown_text(passing).startswith("## ✓ Passed\n")


def test_the_table_counts_statuses_by_operation(mixed):
    text = markdown_text(mixed)
    assert "| operation | pass | fail | unsupported | rejected | error |\n| --- | ---: |" in text
    assert "| forward | 1 | 2 | - | - | - |" in text


def test_a_report_of_nothing_has_no_table(report_of):
    assert "|" not in markdown_text(report_of())


def test_only_the_first_failures_are_told(mixed):
    text = markdown_text(mixed, limit=1, command="refconv check me")
    assert text.count("### ") == 1
    assert "reproduce      refconv check me --select grouped/small\n```\n" in text
    assert (
        "### FAIL: forward: wrong on some Grouped cases \\(2 failures: forward 2\\)\n\nThe smallest: grouped/small"
        in text
    )
    assert text.endswith("... and 2 more failures of 2 more kinds.\n")


def test_a_hostile_text_stays_inside_its_fence(report_of, outcome):
    text = markdown_text(report_of(outcome(status="ERROR", message="```\n```` <img src=x>")))
    fences = re.findall(r"^`{3,}", text, re.MULTILINE)
    assert fences == ["`````", "`````"]


def test_a_hostile_text_outside_of_a_fence_is_escaped(hostile):
    outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", markdown_text(hostile), flags=re.MULTILINE | re.DOTALL)
    assert r"\<script\>" in outside
    assert not re.search(r"(?<!\\)<script", outside)
    assert outside.count("\n## ") == 0


def test_the_same_report_gives_the_same_text(mixed):
    assert markdown_text(mixed) == markdown_text(mixed)
