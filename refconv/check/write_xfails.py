"""Write down what fails today, so that a project can begin to check itself before all is mended."""

from __future__ import annotations

import glob
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from refconv.atomic import replace_file
from refconv.check.expect import RIGHT, idle
from refconv.check.outcomes import Outcome, Report
from refconv.check.xfails import EXPECTABLE, Xfail
from refconv.errors import XfailError
from refconv.problem import OPERATIONS
from refconv.suite import matches
from refconv.suite.strict_json import visible

FILL_IN = "FILL IN: a link to where this failure is tracked"
LONGEST = 200  # characters of a reason
HEAD = """\
# What is known to fail: refconv check {implementation} --xfails THIS_FILE
# Every entry needs a link in `issue`.  An entry whose cases pass makes the check fail, until it is removed.
"""


def may_write_xfails(path: str | Path, force: bool = False) -> Path:
    """Return the path, if a file of expected failures may be written there.

    Raises
    ------
    XfailError
        If there is a file and ``force`` does not say that it may be replaced, or there is no such folder.
    """
    target = Path(path)
    if target.exists() and not force:
        raise XfailError(f"{target} must not exist yet: choose another name with --write-xfails, or say --force.")
    if not target.parent.is_dir():
        raise XfailError(f"the folder of {target} must exist: create {target.parent} first.")
    return target


def write_xfails(
    report: Report, path: str | Path, known: Sequence[Xfail] = (), force: bool = False, impl: str = ""
) -> int:
    """Write an entry for everything that failed, in as few patterns as match nothing that is right.

    Parameters
    ----------
    report : Report
        What was already expected keeps its reason and its link.
    path : path
    known : sequence of Xfail
        The entries that the run was given; those that it says nothing about, since they match nothing that
        was executed or are not strict, are written again as they are.
    force : bool
        Replace a file.
    impl : str
        What a user typed to name the implementation, for the command in the first line.

    Returns
    -------
    int
        The number of entries that wait for a link: the file is refused until each has one.

    Raises
    ------
    XfailError
        If the file may not or cannot be written; what stood there before is unharmed.
    """
    target = may_write_xfails(path, force)
    executed = ((o.case_id, o.operation) for o in report.outcomes if o.status != "UNSUPPORTED")
    silent = idle(known, executed)
    kept = [entry for entry in known if not entry.strict or entry in silent]
    failed = [o for o in report.outcomes if o.status in (*EXPECTABLE, "XFAIL") and o.xfail not in kept]
    entries = kept + _entries(failed, report.outcomes)
    text = "\n".join([HEAD.format(implementation=visible(impl or report.implementation)), *map(_table, entries)])
    try:
        replace_file(target, text.encode("utf-8"))
    except OSError as error:
        raise XfailError(f"{target} cannot be written: {error.strerror or error}.") from error
    return sum(entry.issue == FILL_IN for entry in entries)


def _entries(failed: Sequence[Outcome], outcomes: Iterable[Outcome]) -> list[Xfail]:
    """Make one entry for each group and status, and operations whose cases are the same share it."""
    right = [outcome for outcome in outcomes if outcome.status in (*RIGHT, "XPASS")]
    found: dict[Xfail, list[str]] = {}
    for _, kind in itertools.groupby(sorted(failed, key=_kind), key=_kind):
        alike = list(kind)
        smallest = min(alike, key=_elements)
        for pattern in _patterns(alike, [outcome for outcome in right if outcome.operation == smallest.operation]):
            entry = smallest.xfail or Xfail("", visible(smallest.message)[:LONGEST] or smallest.status, FILL_IN)
            key = Xfail(pattern, entry.reason, entry.issue, (), entry.status if smallest.xfail else smallest.status)
            twin = next((k for k in found if (k.match, k.status, k.issue) == (pattern, key.status, key.issue)), key)
            found.setdefault(twin, []).append(smallest.operation)
    return [
        Xfail(entry.match, entry.reason, entry.issue, tuple(operations), entry.status)
        for entry, operations in found.items()
    ]


def _kind(outcome: Outcome) -> tuple[str, int, str, str]:
    status, known = (outcome.xfail.status, outcome.xfail.words) if outcome.xfail else (outcome.status, "")
    return outcome.family, OPERATIONS.index(outcome.operation), status, known


def _patterns(alike: Sequence[Outcome], right: Iterable[Outcome]) -> list[str]:
    """Say failing cases of one group by one pattern, if one matches nothing right, or else one by one."""
    ids, others = [outcome.case_id for outcome in alike], [outcome.case_id for outcome in right]
    family = alike[0].family
    first = _common(ids)
    last = _common([name[len(first) :][::-1] for name in ids])[::-1]
    for pattern in (f"{glob.escape(family)}/*", f"{glob.escape(first)}*{glob.escape(last)}"):
        if len(ids) > 1 and not any(matches(name, pattern) for name in others):
            return [pattern]
    return [glob.escape(name) for name in ids]


def _common(texts: Sequence[str]) -> str:
    """Return what all texts begin with."""
    signs = itertools.takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(sign for sign, *_ in signs)


def _elements(outcome: Outcome) -> float:
    return outcome.verdict.elements if outcome.verdict else math.inf


def _table(entry: Xfail) -> str:
    rows = {"match": entry.match, "reason": entry.reason, "issue": entry.issue}
    lines = ["[[xfail]]", *(f"{name} = {_quoted(text)}" for name, text in rows.items())]
    if entry.operations != OPERATIONS:
        lines.append(f"operations = [{', '.join(map(_quoted, entry.operations))}]")
    if entry.status:
        lines.append(f"status = {_quoted(entry.status)}")
    if not entry.strict:
        lines.append("strict = false")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(visible(text), ensure_ascii=False)  # of what JSON escapes, quotes and backslashes are left
