from __future__ import annotations

from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema

from refconv.report.junit import junit_text

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


@pytest.mark.parametrize("name", ["passing", "mixed", "hostile"])
def test_a_report_fits_the_schema(request, name):
    SCHEMA.validate(junit_text(request.getfixturevalue(name)))


def test_a_report_of_nothing_fits_the_schema(report_of):
    SCHEMA.validate(junit_text(report_of()))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('tests="6"', 'tests="six"'),
        ("testcase", "case"),
        (' type="FAIL"', ""),
        ("<testsuites ", '<testsuites skipped="1" '),
    ],
)
def test_the_schema_refuses_what_is_not_written(mixed, right, wrong):
    changed = junit_text(mixed).replace(right, wrong)
    assert changed != junit_text(mixed)
    assert not SCHEMA.is_valid(changed)


def parsed(report, command=None):
    return ElementTree.fromstring(junit_text(report, command).encode("utf-8"))


def test_a_suite_per_group_and_a_test_per_case_and_operation(mixed):
    root = parsed(mixed)
    names = [(suite.get("name"), [test.get("name") for test in suite]) for suite in root]
    assert names == [
        ("basic", ["one forward", "one grad_bias"]),
        ("grouped", ["large forward", "small forward", "large grad_input", "large grad_weight"]),
    ]
    assert {test.get("classname") for test in root.iter("testcase")} == {"basic", "grouped"}


@pytest.mark.parametrize(
    ("scope", "name"),
    [*product([".", "testsuite[1]", "testsuite[2]"], ["failure", "error"]), ("testsuite[1]", "skipped")],
)
def test_the_totals_count_the_elements(mixed, scope, name):
    suite = parsed(mixed).find(scope)
    assert int(suite.get(name if name == "skipped" else f"{name}s")) == len(list(suite.iter(name)))
    assert int(suite.get("tests")) == len(list(suite.iter("testcase")))


def test_wrong_and_rejected_are_failures_and_a_breakdown_is_an_error(mixed):
    root = parsed(mixed)
    assert [element.get("type") for element in root.iter("failure")] == ["FAIL", "FAIL", "REJECTED"]
    assert [element.get("type") for element in root.iter("error")] == ["ERROR"]
    assert [element.get("message") for element in root.iter("skipped")] == ["no gradients"]


def test_the_body_tells_the_failure_and_how_to_reproduce_it(mixed):
    body = next(parsed(mixed, "refconv check me").iter("failure")).text
    assert "y[0, 0, 0, 5]: expected 2, got 2.75" in body
    assert "refconv check me --select grouped/large" in body


def test_times_are_in_seconds_and_add_up(mixed):
    root = parsed(mixed)
    assert root.get("time") == "1.500000"
    assert next(root.iter("testcase")).get("time") == "0.250000"


def test_characters_that_xml_cannot_hold_are_escaped(hostile):
    message = next(parsed(hostile).iter("error")).get("message")
    assert "<script>" in message
    assert "\\x00\\ud800" in message


def test_the_same_report_gives_the_same_text(mixed):
    assert junit_text(mixed) == junit_text(mixed)
