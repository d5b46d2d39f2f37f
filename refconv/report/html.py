"""The report for a browser: one file that needs no network, no server and no script to be read."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from refconv.check import Outcome, Report
from refconv.check.spool import taken
from refconv.report import distribution
from refconv.report.geometry import Grid, draw
from refconv.report.heat import Heat, Patch, heat_maps, patch, pattern
from refconv.report.kinds import Kind, kinds_of
from refconv.report.known import known_failures
from refconv.report.overview import closest, family_of, holes, matrix_of
from refconv.report.rule_rows import HEADINGS, MODEL, rule_rows, suspicions
from refconv.report.words import MARKS, compare, describe_problem, facts, headline, not_looked_at, plain, reproduce

SHOWN = 60  # kinds of failures in full; the others stand in the list of all operations
LISTED = 20  # failures of one kind beside the smallest
ROWS = 20_000  # of the list of all operations, which a browser has to lay out and to filter

SHORT = {"forward": "y", "grad_input": "∂x", "grad_weight": "∂w", "grad_bias": "∂b"}


@dataclass(frozen=True)
class Section:
    """One kind of failures, ready to be shown."""

    anchor: str
    kind: Kind
    again: str
    grids: list[Grid]
    heats: list[Heat]
    pattern: str
    patch: Patch | None


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
    kinds = kinds_of(report)
    sections = [_section(position, kind, report, command) for position, kind in enumerate(kinds[:SHOWN], start=1)]
    text: str = _environment().get_template("report.html.j2").render(
        report=report,
        title=title or f"Convolution check: {report.implementation}",
        headline=headline(report),
        diagnosis=diagnosis,
        kinds=kinds,
        sections=sections,
        listed=LISTED,
        rows=rows_of(report),
        told={(outcome.case_id, outcome.operation): section.anchor
              for section in sections for outcome in section.kind.outcomes},
        matrix=matrix_of(report, ((section.anchor, section.kind.outcomes) for section in sections)),
        headings=HEADINGS,
        rules=rule_rows(report),
        bins=distribution.HEADINGS,
        distributions=distribution.distributions(report),
        closest=closest(report),
        model=MODEL if suspicions(report) else "",
        statuses=report.occurring(),
        known=known_failures(report),
        holes=holes(report),
    )  # fmt: skip
    return text


def rows_of(report: Report, most: int = ROWS) -> Sequence[Outcome]:
    """Return what is listed of all operations: if they are too many, first what did not pass, then what did."""
    if len(report.outcomes) <= most:
        return report.outcomes
    passed = [(outcome.status == "PASS", number) for number, outcome in enumerate(report.outcomes)]
    return taken(report.outcomes, sorted(number for _, number in heapq.nsmallest(most, passed)))


def _section(position: int, kind: Kind, report: Report, command: str | None) -> Section:
    from refconv.report.predicted import draw_predicted  # and with it all that predicts

    outcome = kind.smallest
    grids = [draw(outcome), draw_predicted(outcome, kind.cause.defect) if kind.cause else None]
    return Section(
        f"kind-{position}", kind, reproduce(report, outcome.case_id, command),
        [grid for grid in grids if grid], heat_maps(outcome), pattern(outcome), patch(outcome),
    )  # fmt: skip


def _use(outcome: Outcome) -> str:
    """Say how much of its bound a result uses; nothing where there is no bound."""
    return "" if outcome.verdict is None or outcome.rule == "exact" else f"{outcome.verdict.interval_use:.3g}"


@cache
def _environment() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(lambda name: resources.files(__package__).joinpath(name).read_text("utf-8")),
        autoescape=True,
        finalize=lambda value: plain(value) if type(value) is str else value,  # Markup is a str of another type
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        marks=MARKS, short=SHORT, compare=compare, describe_problem=describe_problem, facts=facts, use=_use,
        family_of=family_of, not_looked_at=not_looked_at,
    )  # fmt: skip
    return environment
