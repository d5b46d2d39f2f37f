"""What a terminal sees while a command works, and what everything else does not."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

import refconv
from refconv.cli.output import console, progress_bar, waiting
from refconv.show import print_case
from refconv.suite.embedded import smoke_folder


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def usual_environment(monkeypatch):
    for name in ("NO_COLOR", "CI", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def work(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("cases") as progress:
        for done in range(1, 6):
            progress(done, 5)
    with waiting("looking for the defect"):
        pass
    return stream.getvalue()


def test_a_terminal_sees_how_far_it_is_how_fast_and_how_long_it_will_take(monkeypatch):
    text = work(monkeypatch, Terminal())
    assert "5/5" in text
    assert "cases" in text
    assert "left" in text
    assert "looking for the defect" in text


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("NO_COLOR", "1")])
def test_the_environment_asks_for_silence(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert work(monkeypatch, Terminal()) == ""
    assert not console(stderr=True).is_terminal


def test_a_variable_that_is_empty_asks_for_nothing(monkeypatch):
    monkeypatch.setenv("CI", "")
    assert "5/5" in work(monkeypatch, Terminal())


def test_no_terminal_sees_nothing(monkeypatch):
    assert work(monkeypatch, io.StringIO()) == ""


@pytest.mark.parametrize(
    ("stream", "columns", "whole"), [(io.StringIO, "", True), (io.StringIO, "80", False), (Terminal, "80", False)]
)
def test_a_table_is_as_wide_as_it_must_where_nobody_has_a_window(monkeypatch, stream, columns, whole):
    monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", stream())
    table = Table(*(f"a column of {place}" for place in range(9)))
    table.add_row(*"x" * 9)
    console().print(table)
    assert ("a column of 8" in sys.stdout.getvalue()) == whole


def test_a_comment_cannot_speak_to_the_terminal():
    shown = Console(file=io.StringIO())
    print_case(replace(next(iter(refconv.load_suite(smoke_folder()))), comment="see\n \x1b[31m[bold]"), shown)
    assert "see \\x1b[31m[bold]" in shown.file.getvalue()
