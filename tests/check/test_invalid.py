"""Cases that must be refused."""

import numpy as np
import pytest

import refconv
from refconv import check, load_suite
from refconv.generate import generate
from refconv.reference import im2col


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("invalid") / "suite"
    generate(folder, select=["illegal-*", "mismatched-*"])
    return load_suite(folder)


def statuses(implementation, suite):
    report = check(implementation, suite)
    return {outcome.case_id.partition("/")[2]: (outcome.status, outcome.message) for outcome in report.outcomes}


def test_a_function_that_checks_its_arguments_passes(suite):
    report = check(refconv.conv2d, suite)
    assert report.passed
    assert report.executed == len(suite) == 16


def test_whoever_answers_fails(suite):
    def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return np.zeros((1, 1, 1, 1), x.dtype)

    found = statuses(conv2d, suite)
    assert {status for status, _ in found.values()} == {"FAIL"}
    assert found["stride-zero"][1] == "must be refused by an error, got a result"


def test_a_breakdown_is_a_refusal_that_is_named(suite):
    def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        raise ZeroDivisionError("by zero")

    place = f"test_invalid.py:{conv2d.__code__.co_firstlineno + 1}"
    assert statuses(conv2d, suite)["stride-zero"] == ("PASS", f"broke down with ZeroDivisionError at {place}: by zero")


def test_returning_nothing_is_no_refusal(suite):
    def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return None

    assert {status for status, _ in statuses(conv2d, suite).values()} == {"ERROR"}


def test_illegal_problems_do_not_reach_who_is_given_problems(suite):
    found = statuses(refconv.implementations.references.Reference(im2col), suite)
    assert found["stride-zero"][0] == "UNSUPPORTED"
    assert found["weight-axes"][0] == "PASS"
