"""The outcomes of a long run lie in a file, and nobody can tell from the reports."""

from __future__ import annotations

import gc
import os
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from refconv import check, load_suite
from refconv.check import Xfail, expect, spool, write_xfails
from refconv.check.spool import Spooled, kept, taken
from refconv.diagnosis import causes, models, with_causes
from refconv.errors import ReportError
from refconv.judge.closeup import Closeup
from refconv.report import html_text, json_text, junit_text, markdown_text, print_report
from refconv.suite.embedded import smoke_folder

FAULTY = "refconv.example.faulty_conv2d:conv2d"
KNOWN = [Xfail("grouped-*", "groups are ignored", "https://example.org/7", where="known.toml, entry 1")]


def timeless(report):
    return replace(report, outcomes=kept(replace(outcome, seconds=0.25) for outcome in report.outcomes))


def told(report):
    stream = StringIO()
    print_report(report, Console(file=stream, width=150))
    return [stream.getvalue(), *(form(report) for form in (html_text, json_text, junit_text, markdown_text))]


@pytest.fixture(scope="module")
def suite():
    return load_suite(smoke_folder())


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_report_over_a_file_says_what_one_in_memory_says(suite, monkeypatch, tmp_path, jobs):
    def reported():
        report = timeless(expect(check(FAULTY, suite, thorough=False, jobs=jobs), KNOWN))
        return with_causes(report, suite, seconds=60)

    short = reported()
    monkeypatch.setattr(spool, "KEPT", 3)
    long = reported()
    assert isinstance(long.outcomes, Spooled)
    assert isinstance(long.failures, Spooled)
    assert short.failures
    assert list(long.outcomes) == list(short.outcomes)
    assert told(long) == told(short)
    assert write_xfails(long, tmp_path / "long.toml") == write_xfails(short, tmp_path / "short.toml")
    assert (tmp_path / "long.toml").read_text() == (tmp_path / "short.toml").read_text()


def test_pictures_of_errors_stay_in_the_file_while_bugs_are_looked_for(suite, monkeypatch):
    monkeypatch.setattr(spool, "KEPT", 3)
    report, ask, alive = check(FAULTY, suite, thorough=False), models.suspected, []

    def count():
        return sum(type(item) is Closeup for item in gc.get_objects())

    gc.collect()
    before = count()
    monkeypatch.setattr(models, "suspected", lambda *given: (alive.append(count()), ask(*given))[1])
    with_causes(report, suite, seconds=0.03)
    assert len(report.failures) > spool.KEPT
    assert set(alive) == {before}


def test_what_is_chosen_of_a_file_is_read_from_it_in_any_order():
    many = kept(range(100, 110), most=3)
    assert list(taken(many, [7, 0, 7])) == [107, 100, 107] == list(taken(tuple(range(100, 110)), [7, 0, 7]))
    assert list(many[2:9:3]) == [102, 105, 108]
    assert list(many[::-4][:2]) == [109, 105]
    assert (many[-10], len(many), len(taken(many, []))) == (100, 10, 0)
    with pytest.raises(IndexError):
        many[10]
    assert kept(iter(range(3)), most=3) == (0, 1, 2)


def test_the_file_goes_with_its_last_reader():
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("descriptors are counted on Linux")
    before = os.listdir("/proc/self/fd")
    many = kept(range(10), most=3)[2:]
    assert len(os.listdir("/proc/self/fd")) == len(before) + 1
    assert list(many) == list(range(2, 10))
    del many
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_full_disk_is_one_sentence(monkeypatch):
    class Full:
        def write(self, record):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", lambda prefix: Full())
    with pytest.raises(ReportError, match=r"^.* must have room for .*: No space left on device; TMPDIR names another"):
        kept(range(10), most=3)


def test_of_very_many_failures_those_of_the_smallest_problems_are_looked_at(suite, monkeypatch):
    report = check(FAULTY, suite, operations=["forward"], thorough=False)
    monkeypatch.setattr(causes, "MOST", 2)
    found = with_causes(report, suite, seconds=60)
    assert len(report.failures) > 2
    assert sum(len(cause.failures) for cause in found.causes) + found.not_looked_at == len(report.failures)
    assert found.not_looked_at == len(report.failures) - 2
