"""The report for a browser: one file that needs no network, no server and no script to be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from refconv.check import Outcome, Report
from refconv.report.geometry import Grid, draw
from refconv.report.kinds import Kind, kinds_of
from refconv.report.known import known_failures
from refconv.report.rule_rows import HEADINGS, MODEL, rule_rows, suspicions
from refconv.report.words import MARKS, compare, describe_problem, facts, headline, plain, reproduce

SHOWN = 200  # kinds of failures in full; the others stand in the list of all operations
LISTED = 20  # failures of one kind beside the smallest


@dataclass(frozen=True)
class Section:
    """One kind of failures, ready to be shown."""

    anchor: str
    kind: Kind
    again: str
    grids: list[Grid]


@dataclass(frozen=True)
class Cell:
    """The outcomes of one operation in one group of cases."""

    anchor: str | None
    failed: int
    executed: int
    total: int


def html_text(report: Report, title: str | None = None, diagnosis: Any = None, command: str | None = None) -> str:
    """Write a report as one self-contained HTML file.

    Parameters
    ----------
    report : Report
    title : str, optional
    diagnosis : object, optional
        Has ``.defect`` (a slug or None) and ``.description``; shown before everything else.
    command : str, optional
        The command line to which ``--select CASE`` is appended, so that a failure can be reproduced.
    """
    sections = [_section(position, kind, report, command) for position, kind in enumerate(kinds_of(report), start=1)]
    return _environment().get_template("report.html.j2").render(
        report=report,
        title=title or f"Convolution check: {report.implementation}",
        headline=headline(report),
        diagnosis=diagnosis,
        sections=sections,
        shown=SHOWN,
        listed=LISTED,
        operations=list(report.by_operation()),
        matrix=_matrix(report, sections),
        headings=HEADINGS,
        rules=rule_rows(report),
        model=MODEL if suspicions(report) else "",
        statuses=report.occurring(),
        known=known_failures(report),
    )  # fmt: skip


def _section(position: int, kind: Kind, report: Report, command: str | None) -> Section:
    outcome = kind.smallest
    if position > SHOWN:
        return Section(f"kind-{position}", kind, "", [])
    again = reproduce(report, outcome.case_id, command)
    return Section(f"kind-{position}", kind, again, draw(outcome))


def _matrix(report: Report, sections: list[Section]) -> dict[str, dict[str, Cell]]:
    """Count by group and operation, and point from each failing cell to its first section."""
    tallies: dict[tuple[str, str], Counter[str]] = {}
    for outcome in report.outcomes:
        tally = tallies.setdefault((outcome.family, outcome.operation), Counter())
        tally.update(total=1, executed=int(outcome.status != "UNSUPPORTED"), failed=int(outcome.failed))
    anchors: dict[tuple[str, str], str] = {}
    for section in sections[:SHOWN]:
        anchors.setdefault((section.kind.smallest.family, section.kind.smallest.operation), section.anchor)
    matrix: dict[str, dict[str, Cell]] = {}
    for (group, operation), tally in tallies.items():
        cell = Cell(anchors.get((group, operation)), tally["failed"], tally["executed"], tally["total"])
        matrix.setdefault(group, {})[operation] = cell
    return matrix


def _use(outcome: Outcome) -> str:
    """Say how much of its bound a result uses; nothing where there is no bound."""
    return "" if outcome.verdict is None or outcome.rule == "exact" else f"{outcome.verdict.interval_use:.3g}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: resources.files(__package__).joinpath(name).read_text("utf-8")),
        autoescape=True,
        finalize=lambda value: plain(value) if type(value) is str else value,  # Markup is a str of another type
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(marks=MARKS, compare=compare, describe_problem=describe_problem, facts=facts, use=_use)
    return environment
