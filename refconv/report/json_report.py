"""The report for programs: one JSON document in the schema ``refconv.report.v1``, published beside this file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from refconv.check import Cause, Outcome, Report, RuleSummary, Xfail
from refconv.judge import Element, Statistics, Verdict

SCHEMA = "refconv.report.v1"


def json_text(report: Report) -> str:
    """Write a report as JSON.

    Floats are JSON numbers, except that those which JSON cannot say are ``"inf"``, ``"-inf"`` and ``"nan"``.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        ASCII, the same for the same report.

    Examples
    --------
    >>> json.loads(json_text(Report("mine", "core", "2026.1.31", ())))["passed"]
    False
    """
    return "".join(json_parts(report))


def json_parts(report: Report) -> Iterator[str]:
    """Yield the text of :func:`json_text` part by part: each outcome is a line."""
    document = {
        "schema": SCHEMA,
        "implementation": report.implementation,
        "suite": report.suite,
        "version": report.version,
        "passed": report.passed,
        "executed": report.executed,
        "total": len(report.outcomes),
        "counts": report.count(),
        "warnings": list(report.warnings),
        "causes": [_cause(cause) for cause in report.causes],
        "notLookedAt": report.not_looked_at,
        "rules": [_rule(summary) for summary in report.by_rule()],
    }
    yield json.dumps(document, indent=1, allow_nan=False).removesuffix("\n}") + ',\n "outcomes": ['
    for number, outcome in enumerate(report.outcomes):
        yield f"{',' if number else ''}\n  {json.dumps(_outcome(outcome, report.cause_of(outcome)), allow_nan=False)}"
    yield "\n ]\n}\n"


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "defect": cause.defect,
        "equals": list(cause.equals),
        "summary": cause.summary,
        "usually": cause.usually,
        "operations": list(cause.operations),
        "failures": len(cause.failures),
        "problems": cause.problems,
        "contradicted": cause.contradicted,
    }


def _outcome(outcome: Outcome, cause: Cause | None) -> dict[str, Any]:
    return {
        "id": outcome.case_id,
        "operation": outcome.operation,
        "status": outcome.status,
        "flags": list(outcome.flags),
        "comment": outcome.comment,
        "descriptor": outcome.descriptor,
        "element": outcome.element,
        "rule": outcome.rule,
        "policy": outcome.policy,
        "message": outcome.message,
        "verdict": None if outcome.verdict is None else _verdict(outcome.verdict),
        "statistics": None if outcome.statistics is None else _statistics(outcome.statistics),
        "xfail": None if outcome.xfail is None else _xfail(outcome.xfail),
        "diagnosis": None if cause is None else cause.defect,
        "seconds": _float(outcome.seconds),
    }


def _xfail(entry: Xfail) -> dict[str, Any]:
    return {"match": entry.match, "reason": entry.reason, "issue": entry.issue, "where": entry.where}


def _rule(summary: RuleSummary) -> dict[str, Any]:
    return {
        "class": summary.rule,
        "operations": summary.operations,
        "suspicious": summary.suspicious,
        "wrong": summary.wrong,
        "worst": _float(summary.worst),
        "rms": _float(summary.rms),
        "correctlyRounded": _float(summary.correctly_rounded),
        "histogram": list(summary.histogram),
    }


def _statistics(statistics: Statistics) -> dict[str, Any]:
    return {
        "elements": statistics.elements,
        "rms": _float(statistics.rms),
        "largest": _float(statistics.largest),
        "suspicious": statistics.suspicious,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "elements": verdict.elements,
        "wrong": verdict.wrong,
        "first": None if verdict.first is None else _element(verdict.first),
        "worst": None if verdict.worst is None else _element(verdict.worst),
        "intervalUse": _float(verdict.interval_use),
        "intervalRms": _float(verdict.interval_rms),
        "correctlyRounded": _float(verdict.correctly_rounded),
        "violation": verdict.violation,
    }


def _element(element: Element) -> dict[str, Any]:
    values = {name: _float(getattr(element, name)) for name in ("expected", "got", "lo", "hi", "error")}
    return {"index": list(element.index), **values}


def _float(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(float(value))
