"""Reading a suite: the manifest at once, each group when it is asked for."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from refconv.errors import CatalogueError, SuiteError
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.files import LARGEST, MANIFEST, read_file, sha256
from refconv.suite.manifest import GroupRecord, Manifest, parse_manifest
from refconv.suite.model import Case, Group


class Suite:
    """A vector suite on disk; iterating over it gives its cases.

    Groups are loaded when they are asked for, and only the last one is kept in memory.

    Attributes
    ----------
    folder : pathlib.Path
    manifest : Manifest
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._records = {record.name: record for record in manifest.groups}
        self.validated: set[str] = set()  # the SHA-256 of every index that was held against the schema
        self._last: Group | None = None
        self._ids: dict[str, tuple[str, ...]] = {}

    @property
    def name(self) -> str:
        """The name of the suite, such as ``"core"``."""
        return self.manifest.suite

    @property
    def version(self) -> str:
        """The date of the vectors."""
        return self.manifest.version

    @property
    def group_names(self) -> tuple[str, ...]:
        """The names of the groups, sorted."""
        return tuple(self._records)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all cases, in the order of the suite; no payload is read."""
        return tuple(name for group in self._records for name in self._ids_of(group))

    def group(self, name: str) -> Group:
        """Load one group and check all of its hashes.

        Raises
        ------
        SuiteError
            If there is no such group, or its files are damaged.
        """
        if name not in self._records:
            raise SuiteError(f"{self.folder}: there is no group {name!r}{_similar(name, self._records)}")
        if self._last is None or self._last.name != name:
            self._last = _read_group(self, self._records[name])
        return self._last

    def groups(self) -> Iterator[Group]:
        """Load the groups one after the other."""
        return map(self.group, self._records)

    def case(self, case_id: str) -> Case:
        """Load one case by its id.

        Raises
        ------
        SuiteError
            If there is no such case, or the files of its group are damaged.
        """
        name = case_id.partition("/")[0]
        found = [case for case in self.group(name).cases if case.id == case_id] if name in self._records else []
        if not found:
            raise SuiteError(f"{self.folder}: there is no case {case_id!r}{_similar(case_id, self.ids)}")
        return found[0]

    def select(self, patterns: str | Iterable[str]) -> list[str]:
        """Return the ids that match a glob, or one of several, in the order of the suite.

        A pattern may also name a group.

        Parameters
        ----------
        patterns : str or iterable of str
            Such as ``"grouped-*"`` or ``["*/s2-*", "first-layer"]``.
        """
        globs = [patterns] if isinstance(patterns, str) else list(patterns)
        ids = (name for record in self._may_match(globs) for name in self._ids_of(record.name))
        return [name for name in ids if any(matches(name, glob) for glob in globs)]

    def count_at_most(self, patterns: Iterable[str]) -> int:
        """Return how many cases there are in the groups of which some may match; no index is read."""
        return sum(record.cases for record in self._may_match(patterns))

    def _may_match(self, globs: Iterable[str]) -> list[GroupRecord]:
        return [record for name, record in self._records.items() if any(_may_match(name, glob) for glob in globs)]

    def _ids_of(self, group: str) -> tuple[str, ...]:
        if group not in self._ids:
            document = read_index(self, self._records[group])
            self._ids[group] = tuple(case["id"] for case in document["cases"])
        return self._ids[group]

    def __iter__(self) -> Iterator[Case]:
        return (case for group in self.groups() for case in group.cases)

    def __len__(self) -> int:
        return sum(record.cases for record in self._records.values())

    def __repr__(self) -> str:
        return f"<Suite {self.name!r} {self.version}, {len(self)} cases in {self.folder}>"


def load_suite(folder: str | Path) -> Suite:
    """Open a suite; each group is read, and its hashes are checked, when it is asked for.

    Parameters
    ----------
    folder : path
        The folder that holds ``MANIFEST.json``.

    Raises
    ------
    SuiteError
        If the folder is not a suite, or its manifest is damaged.
    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise SuiteError(f"{folder}: a suite must be a folder, and there is none; make one with 'refconv generate'.")
    if not os.path.exists(folder / MANIFEST):
        raise SuiteError(f"{folder}: a suite must hold {MANIFEST}, which is missing; make one with 'refconv generate'.")
    return Suite(folder, parse_manifest(read_file(folder, MANIFEST, most=LARGEST), str(folder / MANIFEST)))


def read_index(suite: Suite, record: GroupRecord) -> dict[str, Any]:
    """Read the index of one group, check its hash, and that it is the group of this name in this suite.

    Raises
    ------
    SuiteError
        If the file is damaged or belongs elsewhere.
    """
    file, payload = record.files
    where = str(suite.folder / file.path)
    data = read_file(suite.folder, file.path, file.nbytes)
    actual = sha256(data)
    if actual != file.sha256:
        raise SuiteError(f"{where}: the file must have sha256 {file.sha256}, got {actual}; fetch or generate it again.")
    document = parse_index(data, where, validated=actual in suite.validated)
    suite.validated.add(actual)
    stated = (document["suite"], document["group"], document["numberOfCases"])
    if stated != (suite.name, record.name, record.cases):
        raise SuiteError(f"{where}: suite, group and numberOfCases must be as in {MANIFEST}, got {stated}.")
    if (document["payload"]["nbytes"], document["payload"]["sha256"]) != (payload.nbytes, payload.sha256):
        raise SuiteError(f"{where}: the payload must be as in {MANIFEST}, with sha256 {payload.sha256}, "
                         f"got {document['payload']['sha256']}.")  # fmt: skip
    return document


def _read_group(suite: Suite, record: GroupRecord) -> Group:
    document = read_index(suite, record)
    payload = record.files[1]
    where = str(suite.folder / payload.path)
    group = build_group(document, read_file(suite.folder, payload.path, payload.nbytes), where)
    tensors = sum(len(case.payload_tensors()) for case in group.cases)
    if tensors != record.tensors:
        raise SuiteError(
            f"{where}: the payload must hold {record.tensors} tensors as {MANIFEST} states, got {tensors}."
        )
    return group


def matches(case_id: str, glob: str) -> bool:
    """Tell whether a case is selected by a shell pattern over ids, or by the name of its group."""
    return fnmatchcase(case_id, glob) or case_id.partition("/")[0] == glob


def chosen(suite: Suite, patterns: Iterable[str]) -> list[str]:
    """Return the ids that match one of several patterns.

    Raises
    ------
    CatalogueError
        If there are none; it says whether parts of ids would match.
    """
    globs = list(patterns)
    ids = suite.select(globs)
    if not ids:
        meant = next((f"*{glob}*" for glob in globs if suite.select(f"*{glob}*")), "")
        hint = f": a pattern is about a whole id, did you mean {meant!r}?" if meant else "."
        raise CatalogueError(f"no case of suite {suite.name!r} matches {', '.join(globs)}{hint}")
    return ids


def _may_match(group: str, glob: str) -> bool:
    """Tell whether ids of a group could be selected, by what stands before the first sign that is not literal."""
    literal = re.split(r"[*?[]", glob, maxsplit=1)[0]
    return f"{group}/".startswith(literal) or literal.startswith(f"{group}/") or glob == group


def _similar(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return (
        f", did you mean {close[0]!r}?"
        if close
        else "; refconv list prints the names, with --vectors those of another suite."
    )
