"""Writing a suite: two files for each group, then the manifest, the sums and the provenance."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from refconv.errors import SuiteError
from refconv.suite.files import MANIFEST, PROVENANCE, SUMS, list_folder, read_file
from refconv.suite.index import group_files, tensors_of
from refconv.suite.manifest import FileRecord, GroupRecord, build_manifest, manifest_text, sums_text
from refconv.suite.model import Group
from refconv.suite.staging import staged

__all__ = ["FileRecord", "GroupRecord", "staged", "write_group", "write_manifest"]

OWN_FILES = (MANIFEST, SUMS, PROVENANCE)


def write_group(folder: str | Path, group: Group) -> GroupRecord:
    """Write the index and the payload of a group.

    Parameters
    ----------
    folder : path
        Usually the one that :func:`staged` yields.
    group : Group

    Returns
    -------
    GroupRecord
        Small and picklable: it travels from a worker to whoever writes the manifest.

    Raises
    ------
    SuiteError
        If a name is not a slug, two cases share an id, or something does not fit the schema.
    """
    contents = group_files(group)
    for name, data in contents.items():
        (Path(folder) / name).write_bytes(data)
    files = tuple(FileRecord.of(name, data) for name, data in contents.items())
    return GroupRecord(group.name, len(group.cases), len(tensors_of(group)), files)


def write_manifest(
    folder: str | Path, suite_name: str, version: str, records: Iterable[GroupRecord], provenance: dict[str, Any]
) -> None:
    """Write ``MANIFEST.json``, ``SHA256SUMS`` and ``PROVENANCE.json``; the groups may come in any order.

    Other files that lie in the folder, such as a README or a licence, are hashed too.

    Parameters
    ----------
    folder : path
    suite_name : str
    version : str
        The date of the vectors, such as ``"2026.1.31"``.
    records : iterable of GroupRecord
        What :func:`write_group` returned.
    provenance : dict
        What depends on the machine; outside of the hashed set.

    Raises
    ------
    SuiteError
        If a recorded file is missing or has changed, or the folder holds a folder.
    """
    folder, records = Path(folder), list(records)
    written = {file.path: file for record in records for file in record.files}
    present = {record.path: record for record in _records_of(folder)}
    for path, file in written.items():
        if present.pop(path, None) != file:
            raise SuiteError(f"{folder / path}: must be as it was written, got another or none; generate it again.")
    manifest = build_manifest(suite_name, version, records, present.values())
    text = manifest_text(manifest)
    _write_text(folder / MANIFEST, text)
    _write_text(folder / SUMS, sums_text(manifest, text))
    _write_text(folder / PROVENANCE, json.dumps(provenance, indent=1) + "\n")


def _records_of(folder: Path) -> list[FileRecord]:
    names = [name for name in list_folder(folder) if name not in OWN_FILES]
    return [FileRecord.of(name, read_file(folder, name)) for name in names]


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("ascii"))
