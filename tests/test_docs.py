"""The Python in README and docs is run, as it stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}", marks=[pytest.mark.oracle] if "import torch" in block else [])
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
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
