from __future__ import annotations

import os
from dataclasses import replace

import pytest

from refconv.errors import ReportError
from refconv.report import html_text, json_text, junit_text, markdown_text, write_report

FORMS = {".json": json_text, ".xml": junit_text, ".html": html_text, ".md": markdown_text}


@pytest.mark.parametrize("suffix", FORMS)
def test_the_suffix_names_the_form(mixed, tmp_path, suffix):
    path = write_report(mixed, tmp_path / f"report{suffix}")
    assert path.read_bytes().decode("utf-8") == FORMS[suffix](mixed)


@pytest.mark.parametrize("suffix", [".xml", ".html", ".md"])
def test_the_command_reaches_every_form_that_shows_it(mixed, tmp_path, suffix):
    path = write_report(mixed, tmp_path / f"r{suffix}", command="refconv check me", title="A title", diagnosis=None)
    assert "refconv check me --select grouped/small" in path.read_text("utf-8")


def test_capital_letters_in_a_suffix_are_the_same(mixed, tmp_path):
    assert write_report(mixed, tmp_path / "R.JSON").read_text("utf-8") == json_text(mixed)


@pytest.mark.parametrize("name", ["report.txt", "report", ".json"])
def test_another_suffix_is_refused_in_one_sentence(mixed, tmp_path, name):
    with pytest.raises(ReportError, match=r"^a report must end in \.json, \.xml, \.html, \.md, got '.*'\.$"):
        write_report(mixed, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(mixed, tmp_path):
    with pytest.raises(ReportError, match=r"the folder of a report must exist.*create .*nowhere"):
        write_report(mixed, tmp_path / "nowhere" / "report.json")


def test_a_folder_in_its_place_is_an_error_in_one_sentence(mixed, tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(ReportError, match=r"report\.json' cannot be written: "):
        write_report(mixed, tmp_path / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_failing_write_leaves_the_old_file(mixed, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.json"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_report(mixed, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", FORMS)
def test_a_hostile_report_can_be_written(hostile, tmp_path, suffix):
    assert write_report(hostile, tmp_path / f"r{suffix}").stat().st_size > 0


@pytest.mark.parametrize("suffix", [".html", ".md"])
@pytest.mark.parametrize(("count", "words"), [(1, "one wrong result"), (41, "41 wrong results")])
def test_what_there_was_no_time_for_is_said(mixed, tmp_path, suffix, count, words):
    written = write_report(replace(mixed, not_looked_at=count), tmp_path / f"r{suffix}").read_text("utf-8")
    assert f"There was no time to look for a known defect behind {words}" in written
    assert "no time" not in write_report(mixed, tmp_path / f"all{suffix}").read_text("utf-8")
