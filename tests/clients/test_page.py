"""The page for clients: every command and every snippet is run, as it stands."""

import re

import pytest
from clients import ROOT, run

PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
SECTIONS = {title: text for title, text in re.findall(r"(?ms)^## (.+?)$(.*?)(?=^## |\Z)", PAGE)}
TOOLCHAINS = {
    "C": ["cc"], "C++": ["cc", "c++"], "Rust": ["rustc"], "JavaScript": ["node"], "Go": ["go"],
    "Verilog": ["iverilog"], "MATLAB and Octave": ["octave"], "ONNX": [], "NumPy": [],
}  # fmt: skip


def test_every_section_is_tested():
    assert list(SECTIONS) == list(TOOLCHAINS)


@pytest.mark.client
@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=pytest.mark.toolchain(*programs)) for title, programs in TOOLCHAINS.items()]
)
def test_the_commands_of_a_section_run(title, tmp_path, monkeypatch):
    monkeypatch.setenv("GOCACHE", str(tmp_path / "cache"))
    for name in ("docs", "vectors"):
        (tmp_path / name).symlink_to(ROOT / name)
    blocks = re.findall(r"(?ms)^```(\w+)\n(.*?)^```", SECTIONS[title])
    for language, block in blocks:
        if language != "sh":
            name = re.match(r"(?://|#) (\S+)\n", block)[1]
            (tmp_path / name).write_text(block, "utf-8")
    commands = [block for language, block in blocks if language == "sh"]
    assert commands
    for command in commands:
        said = run(tmp_path, "bash", "-euc", command)
        assert "FAIL" not in said


def test_the_table_of_formats_is_whole():
    from refconv.export import FORMATS

    assert set(re.findall(r"(?m)^\| `([a-z][a-z-]*)` \| ", PAGE.split("| | float32")[0])) == set(FORMATS)
