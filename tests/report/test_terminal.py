from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from refconv.check.causes import Cause
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
    assert "reproduce  refconv check me --select grouped/small\n" in printed(mixed, width=width)


def test_the_table_counts_statuses_by_operation(mixed):
    (row,) = [line.split() for line in printed(mixed).splitlines() if line.startswith(" forward")]
    assert row == ["forward", "1", "2", "-", "-", "-"]


def test_the_smallest_failure_speaks_for_its_kind(mixed):
    text = printed(mixed)
    assert (
        "FAIL  forward: wrong on some Grouped cases  (2 failures: forward 2)\n  smallest   grouped/small  forward\n"
        in text
    )
    assert "grouped/large  forward" not in text


def test_the_only_kind_is_told_whole(report_of, failure):
    text = printed(report_of(failure()))
    assert "  case           grouped/g2  forward\n" in text
    assert "  flags          Grouped, RealValued, Basic\n" in text


def test_a_kind_with_a_cause_is_told_by_it(report_of, failure, outcome):
    explained = frozenset([("grouped/g2", "forward")])
    cause = Cause("kernel-flipped", (), "It is flipped.", "a true convolution", explained, (), 2)
    report = replace(report_of(failure(), outcome("odd/x", status="CRASH", message="died")), causes=(cause,))
    text = printed(report)
    assert "FAIL  kernel-flipped\n  It is flipped. Usually means: a true convolution\n" in text
    (told,) = [part for part in text.split("\n\n") if part.startswith("FAIL")]
    assert "may mean" not in told


def test_families_with_failures_are_counted_by_operation(mixed, failure):
    report = replace(mixed, outcomes=(*mixed.outcomes, failure("basic-float32-exact/two")))
    rows = [line.split() for line in printed(report).splitlines()]
    assert ["grouped", "2/2", "-", "1/1", "1/1"] in rows
    assert ["basic", "1/2", "-", "-", "-"] in rows


def test_why_operations_were_not_executed_is_said(report_of, outcome):
    reasons = {"no gradients": 3, "takes no argument dilation": 2, "takes no argument pad": 1, "no float16": 1}
    messages = [reason for reason, count in reasons.items() for _ in range(count)]
    holes = [outcome(f"a{i}/a", status="UNSUPPORTED", message=message) for i, message in enumerate(messages)]
    text = printed(report_of(outcome(), *holes))
    rows = [line.rsplit(maxsplit=1) for line in text.splitlines()]
    assert [" no gradients", "3"] in rows
    assert " 1 more reason, which a report has" in text
    assert "not executed, because" not in printed(report_of(outcome()))


def test_a_table_keeps_its_columns_beside_a_long_line_below(mixed, failure):
    families = [failure(f"family{i}-float32-exact/two") for i in range(15)]
    lines = printed(replace(mixed, outcomes=(*mixed.outcomes, *families))).splitlines()
    assert ["failed", "of", "executed", *mixed.by_operation()] in [line.split() for line in lines]
    assert " 6 more families with failures, 1 family without failures" in lines


def test_prose_is_broken_at_words_on_a_terminal_alone_and_a_command_never(report_of, failure, outcome):
    explained = frozenset([("grouped/g2", "forward")])
    cause = Cause("kernel-flipped", (), "word " * 30, "a true convolution", explained, (), 2)
    report = replace(report_of(failure(), outcome("odd/x", status="CRASH", message="died")), causes=(cause,))
    plain, seen = printed(report, width=60), printed(report, width=60, force_terminal=True, color_system=None)
    assert max(len(line) for line in plain.splitlines() if "word" in line) > 60
    assert max(len(line) for line in seen.splitlines() if "word" in line) <= 60
    assert "  reproduce  refconv check me --select grouped/g2\n" in printed(report, width=20, force_terminal=True)


def test_the_summary_of_many_failures_fits_on_a_screen(report_of, failure, outcome):
    wrong = [replace(failure(f"f{i}-float32-exact/a"), flags=(f"Flag{i}",)) for i in range(50)]
    broken = [outcome(f"g{i}/a", status="ERROR", message=f"broke down with {'E' * (i + 1)}") for i in range(30)]
    right = [outcome("h/a", flags=(f"Flag{i}",)) for i in range(50)]
    assert len(printed(report_of(*wrong, *broken, *right)).splitlines()) <= 60


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


def test_what_there_was_no_time_for_is_said(mixed):
    assert "no time" not in printed(mixed)
    assert "no time to look for a known defect behind 41 wrong results" in printed(replace(mixed, not_looked_at=41))
