from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mutation import mutate

from refconv.errors import SuiteError
from refconv.formats import FORMATS
from refconv.suite import BUG_TYPES, EXPECTED, INPUTS, RESULTS
from refconv.suite.schemas import GROUP, MANIFEST, load_schema, validate

CORE = Path(__file__).parents[2] / "vectors" / "core"


def _schemas_of_objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from _schemas_of_objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _schemas_of_objects(value)


@pytest.mark.parametrize("name", [GROUP, MANIFEST])
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(load_schema(name))


@pytest.mark.parametrize("name", [GROUP, MANIFEST])
def test_no_object_takes_keys_that_are_not_described(name: str) -> None:
    objects = list(_schemas_of_objects(load_schema(name)))
    assert len(objects) >= 3
    closed = [schema.get("additionalProperties") for schema in objects if "properties" in schema]
    assert set(closed) == {False}
    assert len(objects) - len(closed) == (2 if name == GROUP else 0)  # notes and alternatives: any flag or policy


def test_the_schema_names_what_the_model_names() -> None:
    definitions = load_schema(GROUP)["$defs"]
    case = definitions["case"]["properties"]
    assert tuple(case["inputs"]["properties"]) == INPUTS
    assert tuple(definitions["results"]["properties"]) == EXPECTED
    assert tuple(case["result"]["enum"]) == RESULTS
    assert tuple(definitions["dtype"]["enum"]) == tuple(FORMATS)
    assert tuple(definitions["note"]["properties"]["bugType"]["enum"]) == BUG_TYPES


def test_a_long_value_is_shortened_in_the_sentence() -> None:
    with pytest.raises(SuiteError, match=r"m\.json: \$ breaks rule 'type' of refconv\.manifest\.v1") as caught:
        validate(["x" * 10_000], MANIFEST, "m.json")
    assert len(str(caught.value)) < 300


def test_a_document_that_is_too_deep_to_print_is_one_sentence() -> None:
    document: Any = []
    for _ in range(100_000):
        document = [document]
    with pytest.raises(SuiteError, match="it must be object, got a list of 1"):
        validate(document, MANIFEST, "m.json")
    while document:  # Python frees deep nests without recursion, but pytest would print them
        document = document[0]


@cache
def document_of(path: Path) -> Any:
    return json.loads(path.read_bytes())


def accepts(document: Any) -> bool:
    try:
        validate(document, GROUP, "g.json")
    except SuiteError as error:
        return len(str(error)) > 1000  # which no sentence may have
    return True


@given(st.data())
@settings(max_examples=150)
def test_the_compiled_schema_says_what_the_schema_says(data: st.DataObject) -> None:
    document = document_of(data.draw(st.sampled_from(sorted({*CORE.glob("[ciq]*-*.json"), *CORE.glob("d*.json")}))))
    changed = document | {"cases": [copy.deepcopy(data.draw(st.sampled_from(document["cases"])))]}
    mutate(changed["cases"], data)
    assert accepts(changed) == Draft202012Validator(load_schema(GROUP)).is_valid(changed)
