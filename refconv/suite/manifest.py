"""The list of what a suite holds: ``MANIFEST.json`` for programs, ``SHA256SUMS`` for ``sha256sum -c``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from refconv.errors import SuiteError
from refconv.suite.files import MANIFEST, PROVENANCE, SUMS, sha256
from refconv.suite.names import is_file_name, is_slug
from refconv.suite.schemas import MANIFEST as MANIFEST_SCHEMA
from refconv.suite.schemas import validate
from refconv.suite.strict_json import dumps, loads, shorten

FORMAT = 1
SCHEMA = "refconv.manifest.v1"
LICENSE = "CC0-1.0"
_SUM = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class FileRecord:
    """A hashed file: its name, its size in bytes, and the SHA-256 of its contents."""

    path: str
    nbytes: int
    sha256: str

    @classmethod
    def of(cls, path: str, data: bytes) -> FileRecord:
        """Describe some bytes under a name."""
        return cls(path, len(data), sha256(data))


@dataclass(frozen=True)
class GroupRecord:
    """A written group: its name, how many cases and tensors it holds, and its two files."""

    name: str
    cases: int
    tensors: int
    files: tuple[FileRecord, ...]


@dataclass(frozen=True)
class Manifest:
    """What a suite holds.

    Attributes
    ----------
    suite : str
    version : str
        The date of the vectors.
    groups : tuple of GroupRecord
        By name.
    files : tuple of FileRecord
        Every hashed file except the manifest itself, by name.
    """

    suite: str
    version: str
    groups: tuple[GroupRecord, ...]
    files: tuple[FileRecord, ...]


def build_manifest(suite: str, version: str, records: Iterable[GroupRecord], others: Iterable[FileRecord]) -> Manifest:
    """Put records into a manifest, whatever their order.

    Raises
    ------
    SuiteError
        If two groups or two files share a name.
    """
    groups = sorted(records, key=lambda record: record.name)
    files = sorted([*others, *(file for group in groups for file in group.files)], key=lambda file: file.path)
    _refuse_twins([group.name for group in groups], "group")
    _refuse_twins([file.path for file in files], "file")
    return Manifest(suite, version, tuple(groups), tuple(files))


def manifest_text(manifest: Manifest) -> str:
    """Write a manifest as JSON.

    Raises
    ------
    SuiteError
        If the suite's name is not a slug, or the version is not a date such as 2026.1.31.
    """
    document = {
        "schema": SCHEMA,
        "format": FORMAT,
        "suite": manifest.suite,
        "version": manifest.version,
        "license": LICENSE,
        "numberOfGroups": len(manifest.groups),
        "numberOfCases": sum(group.cases for group in manifest.groups),
        "numberOfTensors": sum(group.tensors for group in manifest.groups),
        "groups": [
            {"name": group.name, "numberOfCases": group.cases, "numberOfTensors": group.tensors}
            for group in manifest.groups
        ],
        "files": [{"path": file.path, "nbytes": file.nbytes, "sha256": file.sha256} for file in manifest.files],
    }
    validate(document, MANIFEST_SCHEMA, MANIFEST)
    return dumps(document, MANIFEST)


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest and hold it against its schema and its own counts.

    Raises
    ------
    SuiteError
        If it is not a manifest in format 1.
    """
    document = loads(data, where)
    stated = document.get("format") if isinstance(document, dict) else None
    if type(stated) is int and stated != FORMAT:
        raise SuiteError(f"{where}: format must be {FORMAT}, got {shorten(str(stated))}; upgrade refconv to read it.")
    validate(document, MANIFEST_SCHEMA, where)
    files = {file["path"]: FileRecord(file["path"], file["nbytes"], file["sha256"]) for file in document["files"]}
    _check_files(document, files, where)
    groups = tuple(_group(group, files, where) for group in document["groups"])
    manifest = Manifest(document["suite"], document["version"], groups, tuple(files.values()))
    _check_counts(document, manifest, where)
    return manifest


def sums_text(manifest: Manifest, text: str) -> str:
    """Write the lines of ``SHA256SUMS``: the files of a manifest and the manifest itself.

    Parameters
    ----------
    manifest : Manifest
    text : str
        The manifest as :func:`manifest_text` writes it.
    """
    files = [*manifest.files, FileRecord.of(MANIFEST, text.encode("ascii"))]
    return "".join(f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path))


def parse_sums(data: bytes, where: str) -> dict[str, str]:
    """Read ``SHA256SUMS`` as a mapping from file name to SHA-256.

    Raises
    ------
    SuiteError
        If a line is not 64 hexadecimal digits, two spaces and a file name.
    """
    lines = data.decode("latin-1").split("\n")
    if lines.pop() != "":
        raise SuiteError(f"{where}: the last line must end with a newline; fetch or generate the file again.")
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _SUM.fullmatch(line)
        if match is None or match[2] in sums:
            raise SuiteError(f"{where}: line {number} must be 'sha256  file', each file once, got {shorten(line)!r}.")
        sums[match[2]] = match[1]
    return sums


def _refuse_twins(names: list[str], kind: str) -> None:
    clash = _clash(names)
    if clash:
        raise SuiteError(f"the name of a {kind} must be unique in a suite, got {clash!r} twice; case does not count.")


def _clash(names: Iterable[str]) -> str | None:
    """Return a name that another one is where case does not count, as on most disks of Windows and macOS."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            return name
        seen.add(name.lower())
    return None


def _check_files(document: dict[str, Any], files: dict[str, FileRecord], where: str) -> None:
    names = [group["name"] for group in document["groups"]]
    if len(files) != len(document["files"]) or len(set(names)) != len(names):
        raise SuiteError(f"{where}: every group and every file must be listed once; generate the suite again.")
    clash = _clash([MANIFEST, SUMS, PROVENANCE, *files])
    if clash:
        raise SuiteError(f"{where}: files must have names that differ by more than case, got {clash!r} beside another.")
    wrong = [name for name in files if not is_file_name(name)] + [name for name in names if not is_slug(name)]
    if wrong:
        raise SuiteError(
            f"{where}: a file must have a name that every system can hold in the suite's folder, got {wrong[0]!r}."
        )


def _group(group: dict[str, Any], files: dict[str, FileRecord], where: str) -> GroupRecord:
    names = [f"{group['name']}.json", f"{group['name']}.safetensors"]
    missing = [name for name in names if name not in files]
    if missing:
        raise SuiteError(f"{where}: files must list both files of group {group['name']!r}, {missing[0]!r} is missing.")
    pair = tuple(files[name] for name in names)
    return GroupRecord(group["name"], group["numberOfCases"], group["numberOfTensors"], pair)


def _check_counts(document: dict[str, Any], manifest: Manifest, where: str) -> None:
    counts = {
        "numberOfGroups": len(manifest.groups),
        "numberOfCases": sum(group.cases for group in manifest.groups),
        "numberOfTensors": sum(group.tensors for group in manifest.groups),
    }
    for name, count in counts.items():
        if document[name] != count:
            raise SuiteError(f"{where}: {name} must be {count}, the sum over the groups, got {document[name]}.")
