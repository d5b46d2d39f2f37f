"""Vector suites on disk: the model, the two files of a group, the manifest, the reader, lint and verification."""

from refconv.suite.flags import BUG_TYPES, FLAGS, POLICIES, REFUSED, flag_of, note_for
from refconv.suite.index import problem_document
from refconv.suite.lint import lint_case, lint_group
from refconv.suite.manifest import FileRecord, GroupRecord, Manifest
from refconv.suite.model import EXPECTED, INPUTS, RESULTS, Case, Expected, Group, Judge, Note
from refconv.suite.reader import Suite, chosen, load_suite, matches
from refconv.suite.staging import staged
from refconv.suite.verify import verify_files
from refconv.suite.writer import write_group, write_manifest

__all__ = [
    "BUG_TYPES",
    "EXPECTED",
    "FLAGS",
    "INPUTS",
    "POLICIES",
    "REFUSED",
    "RESULTS",
    "Case",
    "Expected",
    "FileRecord",
    "Group",
    "GroupRecord",
    "Judge",
    "Manifest",
    "Note",
    "Suite",
    "chosen",
    "flag_of",
    "lint_case",
    "lint_group",
    "load_suite",
    "matches",
    "note_for",
    "problem_document",
    "staged",
    "verify_files",
    "write_group",
    "write_manifest",
]
