from __future__ import annotations

import io

import pytest
from rich.console import Console

from refconv.report import print_report


def printed(report, encoding="utf-8", width=80, **settings):
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding)
    limit = settings.pop("limit", 5)
    print_report(report, Console(file=file, width=width, **settings), limit=limit, command="refconv check me")
    file.flush()
    return buffer.getvalue().decode(encoding)


def test_output_is_plain_where_there_is_no_terminal(mixed, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b" not in printed(mixed)


@pytest.mark.parametrize("width", [20, 80])
def test_ids_and_commands_are_never_wrapped(mixed, width):
    assert "reproduce      refconv check me --select grouped/small\n" in printed(mixed, width=width)


def test_the_table_counts_statuses_by_operation(mixed):
    (row,) = [line.split() for line in printed(mixed).splitlines() if line.startswith(" forward")]
    assert row == ["forward", "1", "2", "-", "-", "-"]


def test_the_smallest_failure_speaks_for_its_kind(mixed):
    text = printed(mixed)
    assert "FAIL  grouped/small  forward" in text
    assert "... and 1 more failure of forward in grouped." in text
    assert "FAIL  grouped/large" not in text


def test_what_exceeds_the_limit_is_counted(mixed):
    text = printed(mixed, limit=1)
    assert "... and 2 more failures of 2 more kinds." in text
    assert "REJECTED  " not in text


def test_the_summary_is_the_last_line(mixed, passing):
    assert printed(mixed).splitlines()[-1] == mixed.summary()
    assert printed(passing).splitlines()[-1] == passing.summary()


@pytest.mark.parametrize(("name", "colour"), [("passing", "\x1b[1;32m"), ("mixed", "\x1b[1;31m")])
def test_the_summary_is_coloured_on_a_terminal(request, name, colour):
    report = request.getfixturevalue(name)
    text = printed(report, force_terminal=True, color_system="standard", no_color=False)
    assert text.splitlines()[-1].startswith(colour)


def test_a_hostile_text_neither_colours_nor_breaks_lines(hostile):
    text = printed(hostile)
    assert "\x1b" not in text
    assert "[red]" in text
    assert "\\x1b[31m" in text


def test_a_terminal_without_unicode_gets_escapes(report_of, outcome):
    text = printed(report_of(outcome(status="ERROR", message="größer")), encoding="ascii")
    assert "gr\\xf6\\xdfer" in text
