"""Whether a suite on disk is whole: every hash, every file, every schema, every lint rule."""

from __future__ import annotations

from pathlib import Path

from refconv.errors import SuiteError
from refconv.suite.files import LARGEST, MANIFEST, PROVENANCE, SUMS, list_folder, read_file, sha256
from refconv.suite.lint import lint_group
from refconv.suite.manifest import FileRecord, parse_sums
from refconv.suite.reader import Suite, load_suite


def verify_files(folder: str | Path) -> list[str]:
    """List what is wrong with a suite; an empty list is a whole one.

    Damage is never raised, however bad: it is collected.

    Parameters
    ----------
    folder : path
        The folder that holds ``MANIFEST.json``.

    Returns
    -------
    list of str
        One sentence for each finding.
    """
    folder = Path(folder)
    try:
        suite = load_suite(folder)
    except SuiteError as error:
        return [str(error)]
    hashed = [finding for record in suite.manifest.files for finding in _verify_file(folder, record)]
    found = [*_verify_listing(suite), *_verify_sums(suite), *hashed, *_verify_groups(suite)]
    return list(dict.fromkeys(found))  # what damages a file is found again where its group is read


def _verify_listing(suite: Suite) -> list[str]:
    """Find the files that nothing vouches for; missing ones show when they are read."""
    known = {record.path for record in suite.manifest.files} | {MANIFEST, SUMS, PROVENANCE}
    try:
        extra = [name for name in list_folder(suite.folder) if name not in known]
    except SuiteError as error:
        return [str(error)]
    return [f"{suite.folder / name}: the file must be listed in {MANIFEST}, or removed." for name in extra]


def _verify_file(folder: Path, record: FileRecord) -> list[str]:
    try:
        actual = sha256(read_file(folder, record.path, record.nbytes))
    except SuiteError as error:
        return [str(error)]
    return _compare(folder / record.path, record.sha256, actual, MANIFEST)


def _verify_sums(suite: Suite) -> list[str]:
    try:
        sums = parse_sums(read_file(suite.folder, SUMS, most=LARGEST), str(suite.folder / SUMS))
        manifest = sha256(read_file(suite.folder, MANIFEST, most=LARGEST))
    except SuiteError as error:
        return [str(error)]
    stated = {record.path: record.sha256 for record in suite.manifest.files} | {MANIFEST: manifest}
    findings = [f"{suite.folder / SUMS}: {name!r} must be listed, and is not." for name in stated if name not in sums]
    for name, value in sums.items():
        if name not in stated:
            findings.append(f"{suite.folder / SUMS}: {name!r} must not be listed, since {MANIFEST} does not list it.")
        else:
            findings += _compare(suite.folder / name, value, stated[name], SUMS)
    return findings


def _compare(path: Path, stated: str, actual: str, where: str) -> list[str]:
    if stated == actual:
        return []
    return [f"{path}: the file must have sha256 {stated} as {where} states, got {actual}; fetch or generate it again."]


def _verify_groups(suite: Suite) -> list[str]:
    """Load and lint every group; ids are unique in the suite, since each begins with the name of its group."""
    findings: list[str] = []
    for name in suite.group_names:
        try:
            group = suite.group(name)
        except SuiteError as error:
            findings.append(str(error))
            continue
        findings += [f"{suite.folder}: {finding}" for finding in lint_group(group)]
    return findings
