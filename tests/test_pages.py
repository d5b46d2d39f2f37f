"""What the pages show is what happens: their files are written, their commands run, their outputs compared."""

from __future__ import annotations

import importlib.util
import re

import pytest
from snippets import DOCS, NOT_HERE, ROOT, RUN, Block, blocks_of, commands, compare, run, run_page, tools

ELSEWHERE = {  # pages whose commands another test runs
    "accumulated.md": "tests/test_pages.py",
    "ci.md": "tests/test_docs.py",
    "clients.md": "tests/clients/test_page.py",
    "performance.md": "tests/generate/test_device.py",  # the marker gpu
    "protocol.md": "tests/test_cli_foreign.py",
}


@pytest.mark.pages
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page, tmp_path):
    run_page(page, tmp_path)


@pytest.mark.pages
def test_the_commands_about_accumulated_cases_run_with_smaller_counts(tmp_path):
    (tmp_path / "mine.py").write_text("from refconv import conv2d\n", "utf-8")
    lines = [
        line for block in blocks_of(DOCS / "accumulated.md") for line in commands(block.body) if block.language == "sh"
    ]
    environment = tools(tmp_path)
    for line in lines:
        run(line, tmp_path, environment, "accumulated.md")
    assert len(lines) == 3


def test_no_page_has_commands_that_no_test_runs():
    pages = {page.name for page in DOCS.rglob("*.md") if any(block.language == "sh" for block in blocks_of(page))}
    assert pages - {page.name for page in RUN} - set(ELSEWHERE) == set()
    assert all((ROOT / test).exists() for name, test in ELSEWHERE.items() if (DOCS / name).exists())


def engines_of(page):
    """Return {engine: {column: cell}} of the table of engines in a page."""
    _, head, rest = page.read_text("utf-8").partition("| engine | version |")
    lines = (head + rest).partition("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}


def test_the_table_of_engines_is_that_of_the_league():
    shown, league = engines_of(ROOT / "README.md"), engines_of(DOCS / "league.md")
    assert len(shown) > 5
    assert shown == {name: {column: league[name][column] for column in row} for name, row in shown.items()}


def test_what_is_not_run_is_the_installation_alone():
    assert {word.split()[0] for word in NOT_HERE} == {"python3", ".", "source", "pip"}
    assert commands("pip install x\nrefconv list \\\n  --select a\n# words\n") == ["refconv list    --select a"]


@pytest.mark.parametrize(
    ("shown", "fits"),
    [("a\nc", True), ("a\n...\nc ...", True), ("c\na", False), ("a b", False), ("b", False), ("...\nb x ...", True)],
)
def test_shown_lines_must_occur_in_their_order(shown, fits):
    output = "a\nb x y\nc 1\n" if "c ..." in shown else "a\nb x y\nc\n"
    if fits:
        compare(shown, output, "here")
    else:
        with pytest.raises(AssertionError, match="no line of the output reads"):
            compare(shown, output, "here")


def test_the_first_line_names_the_file_of_a_block():
    assert Block("cpp", "// src/kernel.cpp\nint x;\n", 1).file == "src/kernel.cpp"
    assert Block("python", "# a comment about mine.py\n", 1).file == ""


def test_the_pictures_are_those_that_the_code_draws():
    spec = importlib.util.spec_from_file_location("teaching_pictures", ROOT / "scripts" / "teaching_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = module.pictures()
    assert {path.name: path.read_text("utf-8") for path in module.FOLDER.glob("*.svg")} == drawn


def test_every_picture_of_a_page_is_there_and_has_words():
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for words, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text("utf-8")):
            assert words, f"{page.name}: {target} has no words for those who do not see it"
            assert (page.parent / target).is_file()
