from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import jsonschema
import numpy as np
import pytest

from refconv.check import STATUSES
from refconv.judge import judge_tensor
from refconv.problem import OPERATIONS
from refconv.report import json_text

SCHEMA = json.loads(resources.files("refconv.report").joinpath("report.v1.schema.json").read_text("ascii"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def parsed(report):
    return json.loads(json_text(report), parse_constant=refuse)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["passing", "mixed", "hostile"])
def test_a_report_fits_its_schema(request, name):
    VALIDATOR.validate(parsed(request.getfixturevalue(name)))


def test_a_report_of_nothing_fits_its_schema(report_of):
    VALIDATOR.validate(parsed(report_of()))


def test_the_schema_knows_every_status_and_operation():
    assert SCHEMA["$defs"]["status"]["enum"] == list(STATUSES)
    assert SCHEMA["$defs"]["outcome"]["properties"]["operation"]["enum"] == list(OPERATIONS)


def objects(schema):
    if isinstance(schema, dict):
        yield from [schema] if schema.get("type") == "object" else []
        schema = schema.values()
    if not isinstance(schema, str):
        for part in schema if not isinstance(schema, bool | int) else ():
            yield from objects(part)


def test_every_object_of_the_schema_is_closed_and_complete():
    closed = [part for part in objects(SCHEMA) if part["additionalProperties"] is False]
    assert len(closed) == len(list(objects(SCHEMA))) - 1  # counts: any status, its name is checked instead
    assert all(set(part["required"]) == set(part["properties"]) for part in closed)


def test_an_unknown_key_is_refused(passing):
    document = parsed(passing)
    document["outcomes"][0]["extra"] = 1
    assert not VALIDATOR.is_valid(document)


def test_numbers_that_json_lacks_are_strings(report_of, outcome):
    got = np.array([np.nan, np.inf, -np.inf])
    verdict = judge_tensor(got, np.array([-np.inf, 0.1, 0.1]))
    document = parsed(report_of(outcome(status="FAIL", verdict=verdict)))
    VALIDATOR.validate(document)
    first = document["outcomes"][0]["verdict"]["first"]
    assert (first["expected"], first["got"], first["error"]) == ("-inf", "nan", "inf")


def test_floats_are_numbers_that_read_back_exactly(report_of, failure):
    outcome = failure(interval=True)
    first = replace(outcome.first, got=0.1 + 0.2, expected=5e-324)
    document = parsed(report_of(replace(outcome, verdict=replace(outcome.verdict, first=first))))
    assert document["outcomes"][0]["verdict"]["first"]["got"] == 0.1 + 0.2
    assert document["outcomes"][0]["verdict"]["first"]["expected"] == 5e-324


def test_the_counts_are_those_of_the_report(mixed):
    document = parsed(mixed)
    assert (document["passed"], document["executed"], document["total"]) == (False, 5, 6)
    assert document["counts"] == dict.fromkeys(STATUSES, 0) | {
        "PASS": 1, "FAIL": 2, "UNSUPPORTED": 1, "REJECTED": 1, "ERROR": 1,
    }  # fmt: skip


def test_a_hostile_text_is_carried_unchanged(hostile):
    assert parsed(hostile)["outcomes"][0]["message"] == hostile.outcomes[0].message


def test_the_same_report_gives_the_same_text(mixed):
    assert json_text(mixed) == json_text(mixed)
