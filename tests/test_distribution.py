"""What `pip` would upload: the wheel and the source archive, built twice, and looked into."""

import os
import re
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.package
ROOT = Path(__file__).parents[1]
EPOCH = 1_700_000_000  # 2023-11-14T22:13:20Z
ELSEWHERE = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
# Marks of what must not be there: tests, and golden files other than the smoke tier.
STRANGE = re.compile(r"(^|/)(tests?|core|axes|regress)/|__pycache__|\.pyc$|(^|/)\.(tox|venv|git)/|\.egg-info")


def built(tree, out, **environment):
    """Build both archives, and return their paths."""
    words = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(tree)]
    words = words if not environment else ["sh", "-c", 'umask 077; exec "$@"', "sh", *words]
    stamped = os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)} | environment
    done = subprocess.run(words, env=stamped, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.suffix: path for path in out.iterdir()}


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def wheel(archives):
    with zipfile.ZipFile(archives[".whl"]) as archive:
        yield archive


@pytest.fixture(scope="module")
def source(archives):
    """Return the files of the source archive by their names, without its folder."""
    with tarfile.open(archives[".gz"]) as archive:
        yield {member.name.partition("/")[2]: member for member in archive.getmembers()}


def test_they_are_built_again_from_the_source_archive_byte_for_byte(archives, tmp_path):
    with tarfile.open(archives[".gz"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    again = built(tree, tmp_path / "second", **ELSEWHERE)
    assert {path.name for path in again.values()} == {path.name for path in archives.values()}
    for suffix, path in archives.items():
        assert path.read_bytes() == again[suffix].read_bytes(), path.name


def test_every_time_in_them_is_the_one_that_was_asked_for(wheel, source):
    assert {entry.date_time for entry in wheel.infolist()} == {(2023, 11, 14, 22, 13, 20)}
    assert {member.mtime for member in source.values()} == {EPOCH}


def test_nothing_in_them_can_be_executed_or_leaves_its_folder(wheel, source):
    assert all(member.isfile() for member in source.values())
    assert not any(member.mode & 0o111 for member in source.values())
    assert not any((entry.external_attr >> 16) & (stat.S_IFLNK ^ stat.S_IFREG | 0o111) for entry in wheel.infolist())
    assert not [name for name in (*wheel.namelist(), *source) if name.startswith("/") or ".." in name.split("/")]


def test_the_wheel_holds_every_file_of_the_package_and_the_recipes(wheel):
    files = [path for path in (ROOT / "refconv").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    recipes = [path for name in ("extended", "accumulated") for path in (ROOT / "vectors" / name).iterdir()]
    package = {path.relative_to(ROOT).as_posix() for path in files}
    brought = {f"refconv/{path.relative_to(ROOT).as_posix()}" for path in recipes}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == package | brought


@pytest.mark.parametrize(
    "name",
    [
        "refconv/py.typed",
        "refconv/implementations/refconv_impl.h",
        "refconv/suite/schemas/group.v1.schema.json",
        "refconv/suite/schemas/manifest.v1.schema.json",
        "refconv/vectors/smoke/SHA256SUMS",
        "refconv/vectors/smoke/MANIFEST.json",
        "refconv/vectors/extended/recipe.json",
        "refconv/vectors/accumulated/hashes.json",
        "INFO/licenses/LICENSE",
        "INFO/licenses/vectors/LICENSE",
        "INFO/entry_points.txt",
    ],
)
def test_the_wheel_holds(wheel, name):
    assert name in {re.sub(r"^refconv-[^/]+\.dist-info/", "INFO/", found) for found in wheel.namelist()}


@pytest.mark.parametrize(
    "name",
    ["LICENSE", "vectors/LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "CITATION.cff", "pyproject.toml",
     "PKG-INFO", "refconv/py.typed", "refconv/vectors/smoke/SHA256SUMS", "vectors/extended/recipe.json",
     "docs/format.md", "docs/examples/conv2d.c"],
)  # fmt: skip
def test_the_source_archive_holds(source, name):
    assert name in source


def test_neither_holds_tests_or_the_large_vectors(wheel, source):
    assert not [name for name in (*wheel.namelist(), *source) if STRANGE.search(name)]


def test_the_smoke_tier_in_the_wheel_is_whole(wheel):
    import hashlib

    prefix = "refconv/vectors/smoke/"
    sums = wheel.read(f"{prefix}SHA256SUMS").decode().splitlines()
    assert len(sums) > 30
    for line in sums:
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(wheel.read(prefix + name)).hexdigest() == digest, name


def test_twine_and_check_wheel_contents_have_nothing_to_say(archives):
    files = [str(path) for path in archives.values()]
    for words in ["twine", "check", "--strict", *files], ["check_wheel_contents", str(archives[".whl"])]:
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_rights_in_every_file_are_stated():
    done = subprocess.run([sys.executable, "-m", "reuse", "lint", "--lines"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_licences_are_the_same_text_wherever_they_lie():
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "LICENSES" / "BSD-3-Clause.txt").read_bytes()
    assert (ROOT / "vectors" / "LICENSE").read_bytes() == (ROOT / "LICENSES" / "CC0-1.0.txt").read_bytes()


def test_the_citation_names_this_version(wheel):
    version = Path(wheel.filename).name.split("-")[1]
    assert re.search(rf"(?m)^version: {re.escape(version)}$", (ROOT / "CITATION.cff").read_text("utf-8"))
