"""The report for a pull request: Markdown, as ``$GITHUB_STEP_SUMMARY`` shows it."""

from __future__ import annotations

import re

from refconv.check import Report
from refconv.report.kinds import Kind, kinds_of
from refconv.report.known import known_failures
from refconv.report.rule_rows import HEADINGS, rule_rows
from refconv.report.words import MARKS, describe_failure, headline, not_looked_at, plain, reproduce

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$-])")


def markdown_text(report: Report, limit: int = 10, command: str | None = None) -> str:
    """Write a report as Markdown: the verdict, the counts and the first failures.

    Parameters
    ----------
    report : Report
    limit : int
        How many kinds of failures to show.
    command : str, optional
        The command line to which ``--select CASE`` is appended, so that a failure can be reproduced.
    """
    kinds = kinds_of(report)
    mark = MARKS["PASS" if report.passed else "FAIL"]
    blocks = [f"## {mark} {headline(report)}", _escape(report.summary()), _table(report), _rules(report)]
    blocks += [_section(kind, report, command) for kind in kinds[:limit]]
    if kinds[limit:]:
        failures = sum(len(kind.outcomes) for kind in kinds[limit:])
        blocks.append(f"... and {failures} more failures of {len(kinds) - limit} more kinds.")
    blocks += [
        _escape(not_looked_at(report)),
        _known(report),
        *(f"Warning: {_escape(warning)}" for warning in report.warnings),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _table(report: Report) -> str:
    statuses = report.occurring()
    rows = [["operation", *(status.lower() for status in statuses)], ["---"] + ["---:"] * len(statuses)]
    for operation, counts in report.by_operation().items():
        rows.append([_escape(operation), *(str(counts[status] or "-") for status in statuses)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) if len(rows) > 2 else ""


def _rules(report: Report) -> str:
    rows = rule_rows(report)
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *([_escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _known(report: Report) -> str:
    rows = [(known.match, str(known.count), known.reason, known.issue) for known in known_failures(report)]
    lines = [("expected failures", "operations", "reason", "issue"), ("---", "---:", "---", "---")]
    lines += [(_escape(match), count, _escape(reason), _escape(issue)) for match, count, reason, issue in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _section(kind: Kind, report: Report, command: str | None) -> str:
    """Show the smallest failure of a kind, its facts inside a fence that no text of theirs can close."""
    outcome = kind.smallest
    body = "\n".join(describe_failure(outcome, report, reproduce(report, outcome.case_id, command), kind.flag))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    each = ", ".join(f"{name} {count}" for name, count in kind.operations.items())
    counted = f" ({len(kind.outcomes)} failures: {each})" if kind.others else ""
    title = f"### {outcome.status}: {_escape(kind.title + counted)}"
    smallest = f"{_escape(outcome.case_id)} {_escape(outcome.operation)}"
    return f"{title}\n\n{'The smallest: ' if kind.others else ''}{smallest}\n\n{fence}text\n{body}\n{fence}"


def _escape(text: str) -> str:
    return _MARKUP.sub(r"\\\1", plain(text))
