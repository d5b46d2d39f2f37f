"""The installed package is whole, and is the one under test."""

import importlib.metadata
import importlib.resources
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import refconv

CHECK_SKIPS = Path(__file__).parents[1] / "scripts" / "check_skips.py"

under_tox = pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="tox installs the built wheel")


@under_tox
def test_the_installed_wheel_is_tested_and_not_the_checkout():
    assert Path(refconv.__file__).is_relative_to(Path(sys.prefix))
    assert Path(refconv.__file__).parents[1].name == "site-packages"


@under_tox
def test_processes_that_tests_start_find_the_installed_package():
    command = [sys.executable, "-c", "import refconv; print(refconv.__file__)"]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert found == refconv.__file__


@under_tox
def test_the_wheel_installs_nothing_beside_the_package():
    files = importlib.metadata.files("refconv")
    beside = {path.parts[0] for path in files if ".dist-info" not in path.parts[0] and path.parts[-1] != "refconv"}
    assert beside == {"refconv"}


@under_tox
@pytest.mark.parametrize("name", ["LICENSE", "vectors/LICENSE"])
def test_the_wheel_carries_the_license(name):
    assert any(str(path).endswith(f".dist-info/licenses/{name}") for path in importlib.metadata.files("refconv"))


def test_metadata_and_package_state_one_version():
    assert importlib.metadata.version("refconv") == refconv.__version__


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        (".", "py.typed"),
        ("suite/schemas", "*.json"),
        ("implementations", "refconv_impl.h"),
        ("implementations/schemas", "*.json"),
        ("report", "*.html.j2"),
        ("report", "*.css"),
        ("report", "*.js"),
        ("report", "*.json"),
        ("vectors/smoke", "SHA256SUMS"),
        ("vectors/smoke", "*.safetensors"),
    ],
)
def test_the_package_holds_its_data_files(folder, pattern):
    names = [entry.name for entry in importlib.resources.files("refconv").joinpath(folder).iterdir()]
    assert any(Path(name).match(pattern) for name in names), f"no {pattern} in refconv/{folder}: {names}"


@pytest.mark.parametrize("entry", importlib.metadata.entry_points(group="refconv.implementations"), ids=str)
def test_every_entry_point_of_ours_loads_without_its_engine(entry):
    assert entry.load() is not None


def test_the_references_are_entry_points():
    names = importlib.metadata.entry_points(group="refconv.implementations").names
    assert {"direct", "sparse", "im2col", "torch"} <= names


@pytest.mark.parametrize(
    ("reports", "status", "sentence"),
    [
        ({"a": {"t::x": "skipped"}, "b": {"t::x": "skipped"}}, 1, "skipped in every environment: t::x"),
        ({"a": {"t::x": "skipped"}, "b": {"t::x": "passed"}}, 0, "a: 1 skipped"),
        ({"a": {"t::x": "skipped", "u::y": "passed"}, "b": {}}, 1, "skipped in every environment: t::x"),
        ({"a": {"t": "skipped"}, "b": {"t::x": "xfailed"}}, 0, "b: 1 xfailed"),
        ({"a": {"t": "skipped"}, "b": {"t::x": "skipped"}}, 1, "skipped in every environment: t\n"),
        ({"a": {}}, 1, "no environment reported a test"),
        ({}, 1, "no environment reported a test"),
    ],
    ids=["everywhere", "once", "where-it-ran", "module", "module-everywhere", "empty", "none"],
)
def test_a_skip_in_every_environment_fails_the_run(tmp_path, reports, status, sentence):
    for name, report in reports.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(report))
    done = subprocess.run([sys.executable, CHECK_SKIPS, tmp_path], capture_output=True, text=True)
    assert (done.returncode, sentence in done.stdout) == (status, True), done.stdout + done.stderr
