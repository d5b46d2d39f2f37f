"""Expected failures: what the authors of an implementation know of, in a file of their own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refconv.errors import XfailError
from refconv.problem import OPERATIONS
from refconv.suite import matches

EXPECTABLE = ("FAIL", "REJECTED", "ERROR", "CRASH", "TIMEOUT")
_TYPES: dict[str, type] = {
    "match": str, "reason": str, "issue": str, "operations": list, "status": str, "strict": bool,
}  # fmt: skip
_REQUIRED = ("match", "reason", "issue")
_NAMES = {str: "a text", list: "a list of operations", bool: "true or false"}


@dataclass(frozen=True)
class Xfail:
    """One entry of a file of expected failures.

    Attributes
    ----------
    match : str
        A shell pattern over case ids, or the name of a group, as ``--select`` takes it.
    reason : str
    issue : str
        A link.
    operations : tuple of str
        Those that it is about.
    status : str
        What is expected to come of them; empty if any failure is.
    strict : bool
        Whether a result that is right is a failure too, since the entry has had its day.
    where : str
        The file and the number of the entry, for messages.
    """

    match: str
    reason: str
    issue: str
    operations: tuple[str, ...] = OPERATIONS
    status: str = ""
    strict: bool = True
    where: str = ""

    def covers(self, case_id: str, operation: str) -> bool:
        """Tell whether the entry is about an operation of a case.

        Examples
        --------
        >>> known = Xfail("grouped-*", "groups are ignored", "https://example.org/7", ("forward",))
        >>> known.covers("grouped-float32-exact/g2", "forward"), known.covers("grouped-float32-exact/g2", "grad_bias")
        (True, False)
        """
        return operation in self.operations and matches(case_id, self.match)

    @property
    def words(self) -> str:
        """The reason, with its link."""
        return f"{self.reason} ({self.issue})"


def read_xfails(path: str | Path) -> tuple[Xfail, ...]:
    """Read a file of expected failures.

    Parameters
    ----------
    path : path
        TOML: a table ``[[xfail]]`` for each entry, with ``match``, ``reason`` and ``issue``, and perhaps
        ``operations``, ``status`` and ``strict``; nothing else.

    Raises
    ------
    XfailError
        If it cannot be read, or an entry breaks a rule; the message names the file and the entry.
    """
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise XfailError(f"{path} must be a file of expected failures: {error.strerror or error}.") from error
    except ValueError as error:  # of TOML or of UTF-8
        raise XfailError(f"{path} must be TOML: {str(error).rstrip('.')}.") from error
    except RecursionError:
        raise XfailError(
            f"{path} must be TOML that is not nested so deeply; an entry needs one pair of brackets."
        ) from None
    unknown = sorted(document.keys() - {"xfail"})
    if unknown:
        raise XfailError(f"{path} must hold tables [[xfail]] alone, got {', '.join(unknown)}.")
    entries = document.get("xfail", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise XfailError(f"{path} must begin each entry with [[xfail]], in two pairs of brackets.")
    return tuple(_entry(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, start=1))


def _entry(table: dict[str, Any], where: str) -> Xfail:
    unknown, missing = sorted(table.keys() - _TYPES), [name for name in _REQUIRED if name not in table]
    if unknown:
        raise XfailError(f"{where}: the keys must be among {', '.join(_TYPES)}, got {', '.join(unknown)}.")
    if missing:
        raise XfailError(f"{where}: {', '.join(missing)} must be given.")
    for name, value in table.items():
        if type(value) is not _TYPES[name]:
            raise XfailError(f"{where}: {name} must be {_NAMES[_TYPES[name]]}, got {value!r}.")
    for name in ("match", "reason"):
        if not table[name].strip():
            raise XfailError(f"{where}: {name} must not be empty.")
    _check_issue(table["issue"], where)
    status = table.get("status", "")
    if "status" in table and status not in EXPECTABLE:
        raise XfailError(f"{where}: status must be one of {', '.join(EXPECTABLE)}, got {status!r}.")
    operations = _operations(table.get("operations", list(OPERATIONS)), where)
    strict = table.get("strict", True)
    return Xfail(table["match"], table["reason"].strip(), table["issue"], operations, status, strict, where)


def _check_issue(issue: str, where: str) -> None:
    if not re.fullmatch(r"https?://\w\S*", issue) or not issue.isprintable():
        raise XfailError(f"{where}: issue must be a link to where this failure is tracked, such as "
                         f"https://github.com/you/yours/issues/7, got {issue!r}.")  # fmt: skip


def _operations(names: Iterable[Any], where: str) -> tuple[str, ...]:
    listed = list(names)
    if not listed or any(name not in OPERATIONS for name in listed):
        raise XfailError(f"{where}: operations must be some of {', '.join(OPERATIONS)}, got {listed!r}.")
    return tuple(name for name in OPERATIONS if name in listed)
