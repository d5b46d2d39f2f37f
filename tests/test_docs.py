"""The Python in README and docs is run, as it stands."""

import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from snippets import RUN

from refconv.check import read_xfails

ROOT = Path(__file__).parents[1]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}", marks=[pytest.mark.oracle] if "import torch" in block else [])
    for page in sorted({*(ROOT / "docs").glob("*.md")} - {*RUN})  # others are followed as a whole, by test_pages.py
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_snippet_runs(block, monkeypatch):
    monkeypatch.chdir(ROOT)  # snippets read vectors/core
    exec(compile(block, "snippet", "exec"), {"__name__": "snippet"})


def test_the_readme_names_the_number_of_cases():
    from refconv import load_suite

    assert f"`vectors/core` holds {len(load_suite(ROOT / 'vectors' / 'core'))} cases" in (ROOT / "README.md").read_text(
        "utf-8"
    )


def test_the_example_adapter_is_short():
    code = (ROOT / "docs" / "examples" / "tinyml_layer.py").read_text("utf-8").split('"""')[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= 15


CI = (ROOT / "docs" / "ci.md").read_text("utf-8")
PLUGIN = any(point.name == "refconv" for point in importlib.metadata.entry_points(group="pytest11"))


def blocks_of(language):
    return re.findall(rf"^```{language}\n(.*?)^```", CI, re.M | re.S)


@pytest.mark.parametrize("block", [block for block in blocks_of("toml") if "[[xfail]]" in block], ids=["known.toml"])
def test_the_expected_failures_of_the_page_can_be_read(block, tmp_path):
    (tmp_path / "known.toml").write_text(block, "utf-8")
    assert len(read_xfails(tmp_path / "known.toml")) == 2


@pytest.mark.skipif(not PLUGIN, reason="the plugin is found by its entry point")
def test_the_commands_of_the_page_and_of_its_workflow_run_in_a_project(tmp_path):
    folder = shutil.copytree(ROOT / "tests" / "toy_project", tmp_path / "project")
    shown = "".join(blocks_of("sh")) + "\n".join(re.findall(r"- run: (.*)", "".join(blocks_of("yaml"))))
    commands = [line for line in dict.fromkeys(shown.splitlines()) if not line.startswith("pip install")]
    assert len(commands) == 6
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    for command in commands:
        words = shlex.split(command, comments=True)
        script = f"{sys.executable} -m {command}" if words[0] in ("refconv", "pytest") else command
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "Passed" in (tmp_path / "summary.md").read_text("utf-8")
    assert (folder / "refconv.html").is_file()


def test_the_options_of_the_page_are_those_of_the_plugin():
    from refconv.pytest_plugin import OPTIONS

    assert set(re.findall(r"`--refconv-([a-z-]+)[ =][A-Z]+`", CI)) == set(OPTIONS)


def test_the_configuration_of_the_page_is_known_to_the_plugin():
    from refconv.pytest_plugin import OPTIONS

    (block,) = [block for block in blocks_of("toml") if "ini_options" in block]
    stated = tomllib.loads(block)["tool"]["pytest"]["ini_options"]
    assert {name.removeprefix("refconv_").replace("_", "-") for name in stated} <= set(OPTIONS)
