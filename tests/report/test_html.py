from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from refconv.report import html_text
from refconv.report.html import SHOWN, rows_of


class Page(HTMLParser):
    """The tags of a page with their attributes, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def find(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def large_report(report_of, outcome, failure, count=3000):
    ids = [f"group-{i % 95}-float32-zero-mean/s21-d12-p1021-{i}" for i in range(count)]
    return report_of(*(outcome(name) if i % 2 else failure(name, interval=True) for i, name in enumerate(ids)))


def test_the_page_needs_nothing_from_elsewhere(mixed):
    text = html_text(mixed)
    assert not re.search(r"""(src|href)=(?!"#)""", text)
    assert not re.search(r"https?://|@import|url\((?!\"#)", text)


def test_a_hostile_text_is_only_text(hostile):
    hostile_diagnosis = SimpleNamespace(defect="<b>", description="<script>")
    page = Page(html_text(hostile, title="<script>", diagnosis=hostile_diagnosis))
    assert len(page.find("script")) == 1
    assert page.find("b") == []
    assert "alert('x')" in "".join(page.text)


def test_the_text_of_a_hostile_report_can_be_encoded(hostile):
    assert "\\ud800" in html_text(hostile).encode("utf-8").decode("utf-8")


@pytest.mark.parametrize(
    ("name", "words"), [("passing", "✓</span> Passed"), ("mixed", "✗</span> 4 of 5 operations failed")]
)
def test_the_verdict_is_a_sign_and_a_word(request, name, words):
    assert words in html_text(request.getfixturevalue(name))


def test_executed_unsupported_and_total_are_said(mixed):
    text = html_text(mixed)
    numbers = re.findall(r"<dt>([a-z ]+)</dt><dd>(\d+)</dd>", text)
    assert numbers[:3] == [("executed", "5"), ("unsupported", "1"), ("operations in total", "6")]


def test_a_failing_cell_leads_to_its_first_failure(mixed):
    page = Page(html_text(mixed))
    targets = [attributes["href"][1:] for attributes in page.find("a")]
    anchors = [attributes["id"] for attributes in page.find("details") if attributes.get("class") == "failure"]
    assert targets == anchors == ["kind-1", "kind-2", "kind-3"]


def test_a_failure_is_shown_with_its_numbers_its_picture_and_its_command(mixed):
    text = html_text(mixed, command="refconv check me")
    assert '<td>2<td class="bad">2.75<td>1.5 to 2.5<td>1.5 times the bound' in text
    assert 'aria-label="Input 3 × 4. Numbered: what y[0, 1, 0, 1] must read' in text
    assert 'aria-label="Heat map. Positions: 2 × 2 rows and columns; largest error in units of the bound"' in text
    assert "Wrong: output channel 1 of 2; all 2 rows; column 1 of 2." in text
    assert "<code>refconv check me --select grouped/small</code>" in text


def test_a_failure_says_what_it_may_mean(report_of, failure, outcome):
    text = html_text(report_of(failure(), outcome(flags=("Basic",))))
    assert "<dt>may mean</dt><dd>channels are interleaved instead of blocked" in text


def test_the_diagnosis_is_shown_where_there_is_one(mixed):
    known = SimpleNamespace(defect="groups-ignored", description="The groups are ignored.")
    unknown = SimpleNamespace(defect=None, description="Something is off.")
    assert "Diagnosis: <code>groups-ignored</code>" in html_text(mixed, diagnosis=known)
    assert "Diagnosis: no known defect" in html_text(mixed, diagnosis=unknown)
    assert "Diagnosis" not in html_text(mixed)


def test_tables_are_readable_without_seeing_them(mixed):
    page = Page(html_text(mixed))
    assert all("scope" in attributes for attributes in page.find("th"))
    assert len(page.find("caption")) == len(page.find("table"))
    assert page.find("html") == [{"lang": "en"}]
    assert len(page.find("h1")) == 1


def test_ids_are_unique(mixed):
    ids = [attributes["id"] for _, attributes in Page(html_text(mixed)).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_operation_has_a_row_that_can_be_filtered(mixed):
    rows = [attributes for attributes in Page(html_text(mixed)).find("tr") if "data-status" in attributes]
    assert [row["data-status"] for row in rows] == [outcome.status for outcome in mixed.outcomes]


def test_three_thousand_outcomes_stay_below_five_megabytes(report_of, outcome, failure):
    text = html_text(large_report(report_of, outcome, failure))
    assert text.count("<tr data-status=") == 3000
    assert len(text.encode()) < 5_000_000


def test_three_thousand_kinds_of_failures_stay_below_five_megabytes(report_of, failure, outcome):
    wrong = [replace(failure(f"group-{i}/case", interval=True), flags=(f"Flag{i}",)) for i in range(3000)]
    text = html_text(report_of(*wrong, outcome()))
    assert text.count('<details class="failure"') == SHOWN
    assert f"… and {3000 - SHOWN} more kinds of failures" in text
    assert len(text.encode()) < 5_000_000


def test_a_report_of_nothing_is_a_page(report_of):
    assert "Nothing was executed" in html_text(report_of())


def test_the_same_report_gives_the_same_text(mixed):
    assert html_text(mixed) == html_text(mixed)


def test_a_cell_counts_failures_even_if_there_is_one_only(report_of, failure):
    assert "✗1/1" in html_text(report_of(failure()))


def test_what_passed_is_left_out_first_where_there_are_too_many_rows(report_of, outcome, failure, monkeypatch):
    report = report_of(*(failure(f"group/{i}") if i % 4 == 3 else outcome(f"group/{i}") for i in range(12)))
    monkeypatch.setattr("refconv.report.html.rows_of", partial(rows_of, most=5))
    page = html_text(report)
    listed = page.partition('<details id="list">')[2]
    assert re.findall(r'<th scope="row">group/(\d+)', listed) == ["0", "1", "3", "7", "11"]
    assert "… and 7 more, which are too many for a page" in page
    assert "too many for a page" not in html_text(report_of(outcome()))
