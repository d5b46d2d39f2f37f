from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from refconv.errors import SuiteError
from refconv.suite import Expected, Group, Judge
from refconv.suite.index import group_files


def _walk(value: Any) -> Iterator[Any]:
    yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walk(item)


def _references(document: Any) -> list[dict[str, Any]]:
    return [value for value in _walk(document) if isinstance(value, dict) and "offset" in value]


@pytest.fixture
def document(group: Group) -> Any:
    return json.loads(group_files(group)["grouped.json"])


def test_a_group_is_two_files_with_one_stem(group: Group) -> None:
    assert set(group_files(group)) == {"grouped.json", "grouped.safetensors"}


def test_equal_groups_give_equal_bytes_whatever_the_order_of_their_dictionaries(
    group: Group, new_group: Callable[..., Group]
) -> None:
    cases = tuple(
        dataclasses.replace(
            case,
            inputs=dict(reversed(case.inputs.items())),
            expected=dict(reversed(case.expected.items())),
        )
        for case in group.cases
    )
    turned = dataclasses.replace(group, cases=cases, notes=dict(reversed(group.notes.items())))
    assert group_files(turned) == group_files(group) == group_files(new_group())


def test_the_index_is_ascii_with_one_space_of_indent_and_a_newline(group: Group) -> None:
    text = group_files(group)["grouped.json"].decode("ascii")
    assert text.startswith('{\n "schema": ')
    assert text.endswith("\n}\n")
    assert '"input_size": [7, 9],\n' in text


def test_the_index_holds_no_floats(document: Any) -> None:
    assert {type(value) for value in _walk(document)} == {dict, list, str, int}


def test_the_keys_stand_in_the_order_of_the_schema(document: Any) -> None:
    assert list(document) == [
        "schema", "suite", "group", "license", "header", "notes", "payload", "numberOfCases", "cases",
    ]  # fmt: skip
    case = document["cases"][0]
    assert list(case) == ["id", "comment", "flags", "result", "problem", "inputs", "expected"]
    assert list(case["inputs"]) == ["x", "weight", "bias", "grad_output"]
    assert list(case["expected"]) == ["y", "grad_input", "grad_weight", "grad_bias"]
    assert list(case["expected"]["y"]["tensor"]) == ["name", "offset", "nbytes", "dtype", "shape", "sha256"]
    assert list(document["cases"][1]["expected"]["y"]) == ["tensor", "judge", "lo", "hi", "magnitude"]


def test_the_problem_is_complete_and_states_the_output_size(document: Any) -> None:
    assert list(document["cases"][0]["problem"].items()) == [
        ("batch", 2), ("in_channels", 4), ("out_channels", 6), ("groups", 2), ("input_size", [7, 9]),
        ("kernel_size", [3, 2]), ("output_size", [3, 10]), ("stride", [2, 1]), ("dilation", [1, 2]),
        ("padding", [[1, 0], [2, 1]]), ("layout", "NCHW"),
    ]  # fmt: skip


def test_an_absolute_offset_finds_the_bytes_without_any_library(group: Group, document: Any) -> None:
    payload = group_files(group)["grouped.safetensors"]
    reference = document["cases"][0]["inputs"]["x"]
    data = payload[reference["offset"] : reference["offset"] + reference["nbytes"]]
    assert np.array_equal(np.frombuffer(data, "<i1").reshape(reference["shape"]), group.cases[0].inputs["x"])


def test_every_reference_states_the_hash_of_its_bytes(group: Group, document: Any) -> None:
    payload = group_files(group)["grouped.safetensors"]
    references = _references(document)
    assert len(references) == 14
    stated = [reference["sha256"] for reference in references]
    places = [slice(item["offset"], item["offset"] + item["nbytes"]) for item in references]
    assert stated == [hashlib.sha256(payload[place]).hexdigest() for place in places]


def test_the_payload_opens_under_the_names_of_the_references(group: Group, document: Any) -> None:
    payload = group_files(group)["grouped.safetensors"]
    flat = dict(safetensors.deserialize(payload))
    assert set(flat) == {reference["name"] for reference in _references(document)}
    assert {"g2-s21/x", "bf16-2x3/y", "bf16-2x3/y.lo", "bf16-2x3/y.magnitude"} <= set(flat)


def _changed(group: Group, **changes: Any) -> Group:
    return dataclasses.replace(group, cases=(dataclasses.replace(group.cases[0], **changes), *group.cases[1:]))


@pytest.mark.parametrize("case_id", ["grouped/../x", "other/x", "grouped", "grouped/X", "grouped/x/y", "/x"])
def test_an_id_that_is_not_the_group_and_a_slug_is_not_written(group: Group, case_id: str) -> None:
    with pytest.raises(SuiteError, match="the id of a case must be"):
        group_files(_changed(group, id=case_id))


@pytest.mark.parametrize("name", ["../grouped", "", "A", "a/b"])
def test_a_group_whose_name_is_no_slug_is_not_written(group: Group, name: str) -> None:
    with pytest.raises(SuiteError, match="name of a group must be a slug"):
        group_files(dataclasses.replace(group, name=name))


def test_two_cases_with_one_id_are_not_written(group: Group) -> None:
    with pytest.raises(SuiteError, match="must be unique, got 'grouped/g2-s21' 2 times"):
        group_files(dataclasses.replace(group, cases=(group.cases[0], group.cases[0])))


@pytest.mark.parametrize(
    "changes",
    [
        {"flags": ()},
        {"flags": ("Grouped", "Grouped")},
        {"result": "maybe"},
        {"inputs": {"filter": np.ones(1, np.float32)}},
        {"expected": {"z": Expected(np.ones(1, np.float32), Judge("exact"))}},
        {"expected": {"y": Expected(np.ones(1, np.float32), Judge("close"))}},  # type: ignore[arg-type]
        {"expected": {"y": Expected(np.ones(1, np.float32), Judge("standard", "float32", 3))}},
        {"expected": {"y": Expected(np.ones(1, np.float32), Judge("exact", terms=3))}},
        {"expected": {"y": Expected(np.ones(1, np.float32), Judge("exact"), lo=np.ones(1, np.float32))}},
    ],
)
def test_what_breaks_the_schema_is_not_written(group: Group, changes: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=r"grouped\.json: \$\.cases\[0\].* breaks rule"):
        group_files(_changed(group, **changes))


def test_a_float_is_not_written(group: Group) -> None:
    with pytest.raises(SuiteError, match=r"^grouped\.json: .* must be an integer or a text, got 1\.5"):
        group_files(_changed(group, comment=1.5))
