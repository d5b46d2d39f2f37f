"""The flags: which bug a case hunts, and what a failure usually means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from refconv.errors import SuiteError
from refconv.suite.flags_geometry import BASIC, EXACT, INDEXING, LAYOUT
from refconv.suite.flags_known import KNOWN_BUG
from refconv.suite.flags_values import CHOICE, DTYPE, INVALID, NONFINITE, NUMERIC
from refconv.suite.model import Note

BUG_TYPES = ("BASIC", "EXACT", "INDEXING", "LAYOUT", "NUMERIC", "NONFINITE", "DTYPE", "CHOICE", "INVALID", "KNOWN_BUG")

_TABLE = {
    "BASIC": BASIC,
    "EXACT": EXACT,
    "INDEXING": INDEXING,
    "LAYOUT": LAYOUT,
    "NUMERIC": NUMERIC,
    "NONFINITE": NONFINITE,
    "DTYPE": DTYPE,
    "CHOICE": CHOICE,
    "INVALID": INVALID,
}

FLAGS: dict[str, Note] = {
    name: Note(bug_type, description, f"A failure usually means that {meaning}")
    for bug_type, rows in _TABLE.items()
    for name, (description, meaning) in rows.items()
} | {
    name: Note("KNOWN_BUG", description, f"A failure usually means that {meaning}", (), links)
    for name, (description, meaning, links) in KNOWN_BUG.items()
}


def flag_of(policy: str) -> str:
    """Return the flag that explains a policy.

    Examples
    --------
    >>> flag_of("padding-is-absent")
    'PaddingIsAbsent'
    """
    return "".join(word.capitalize() for word in policy.split("-"))


def _policy(flag: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", flag).lower()


REFUSED = "oversized-kernel-is-refused"  # the policy that expects an error instead of a result
POLICIES: dict[str, str] = {_policy(flag): FLAGS[flag].description.removeprefix("Policy: ") for flag in CHOICE}


def note_for(flag: str, defects: Mapping[str, Iterable[str]] | None = None) -> Note:
    """Return the note that explains a flag.

    Parameters
    ----------
    flag : str
    defects : mapping, optional
        For each flag, the defect models that a case with it must catch.

    Raises
    ------
    SuiteError
        If there is no such flag.

    Examples
    --------
    >>> note = note_for("Grouped", {"Grouped": ["groups-ignored"]})
    >>> note.bug_type, note.defects
    ('INDEXING', ('groups-ignored',))
    """
    if flag not in FLAGS:
        raise SuiteError(f"a flag must be one of {', '.join(FLAGS)}, got {flag!r}.")
    note = FLAGS[flag]
    return Note(note.bug_type, note.description, note.effect, tuple((defects or {}).get(flag, ())), note.links)
