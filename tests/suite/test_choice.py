"""Choices in the files: written, read, refused when damaged, and linted."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from refconv.errors import SuiteError
from refconv.problem import ConvProblem, OversizedProblem
from refconv.suite import Case, Expected, Group, Judge, lint_case, lint_group, note_for
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.index import group_files

PROBLEM = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(1, 3), kernel_size=(1, 2))
POLICIES = ("padding-is-zero", "padding-is-absent")  # in this order, which is not the alphabet's
FLAGS = ("PaddingIsZero", "PaddingIsAbsent")


def golden(value: float, channels: int = 2) -> dict[str, Expected]:
    return {"y": Expected(np.full((1, channels, 1, 2), value, np.float32), Judge("exact"))}


def make_case(**change: Any) -> Case:
    inputs = {name: np.ones(PROBLEM.shape_of(name), np.float32) for name in ("x", "weight")}
    alternatives = {POLICIES[0]: golden(1), POLICIES[1]: golden(2, channels=0)}
    case = Case("choices/one", "Two right results.", FLAGS, "choice", PROBLEM, inputs, {}, alternatives)
    return replace(case, **change)


@pytest.fixture
def files() -> tuple[Any, bytes]:
    group = Group("choices", "core", (), {flag: note_for(flag) for flag in FLAGS}, (make_case(),))
    assert lint_group(group) == []
    contents = group_files(group)
    return json.loads(contents["choices.json"]), contents["choices.safetensors"]


def read(document: Any, payload: bytes) -> Group:
    return build_group(parse_index(json.dumps(document).encode(), "c.json"), payload, "c.safetensors")


def test_a_choice_comes_back_with_its_policies_in_order(files: tuple[Any, bytes]) -> None:
    group = read(*files)
    [case] = group.cases
    assert (case.result, case.expected, tuple(case.alternatives)) == ("choice", {}, POLICIES)
    assert case.alternatives[POLICIES[0]]["y"].tensor.tolist() == [[[[1, 1]], [[1, 1]]]]
    assert case.alternatives[POLICIES[1]]["y"].tensor.shape == (1, 0, 1, 2)
    assert json.loads(group_files(group)["choices.json"]) == files[0]


def test_a_kernel_above_the_input_comes_back_as_an_oversized_problem() -> None:
    problem = OversizedProblem(batch=1, in_channels=1, out_channels=2, input_size=(1, 1), kernel_size=(1, 2))
    inputs = {name: np.ones(problem.shape_of(name), np.float32) for name in ("x", "weight")}
    empty = {"y": Expected(np.zeros(problem.y_shape, np.float32), Judge("exact"))}
    case = make_case(problem=problem, inputs=inputs, alternatives=dict.fromkeys(POLICIES, empty))
    contents = group_files(Group("choices", "core", (), {flag: note_for(flag) for flag in FLAGS}, (case,)))
    [again] = read(json.loads(contents["choices.json"]), contents["choices.safetensors"]).cases
    assert again.problem == problem
    assert type(again.problem) is OversizedProblem


def test_the_tensors_of_a_policy_are_named_by_it(files: tuple[Any, bytes]) -> None:
    assert sorted(make_case().payload_tensors()) == [
        "one/padding-is-absent/y", "one/padding-is-zero/y", "one/weight", "one/x",
    ]  # fmt: skip
    assert files[0]["cases"][0]["alternatives"][POLICIES[0]]["y"]["tensor"]["name"] == "one/padding-is-zero/y"


def test_only_a_choice_has_the_key_alternatives(group: Group) -> None:
    document = json.loads(group_files(group)["grouped.json"])
    assert all("alternatives" not in case for case in document["cases"])


DAMAGE: dict[str, Callable[[Any], Any]] = {
    "no-alternatives": lambda case: case.pop("alternatives"),
    "one-alternative": lambda case: case["alternatives"].pop(POLICIES[0]),
    "valid-with-alternatives": lambda case: case.update(result="valid"),
    "expected-beside": lambda case: case["expected"].update(case["alternatives"][POLICIES[0]]),
    "unknown-operation": lambda case: case["alternatives"][POLICIES[0]].update(z={}),
    "a-name-that-is-no-slug": lambda case: case["alternatives"].update({"Zero": {}}),
    "the-tensor-of-the-other": lambda case: case["alternatives"].update(
        {POLICIES[0]: case["alternatives"][POLICIES[1]]}
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_choice_is_refused(damage: str, files: tuple[Any, bytes]) -> None:
    document = copy.deepcopy(files[0])
    DAMAGE[damage](document["cases"][0])
    with pytest.raises(SuiteError, match=r"c\.(json|safetensors)"):
        read(document, files[1])


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "valid": ({"result": "valid"}, "a choice, and nothing else, must have two or more alternatives"),
    "single": ({"alternatives": {POLICIES[0]: golden(1)}, "flags": FLAGS[:1]}, "must have two or more alternatives"),
    "expected": ({"expected": golden(1)}, "nothing that is expected of all"),
    "flag": ({"flags": FLAGS[:1]}, "the alternatives must be the policies of the flags"),
    "same": ({"alternatives": dict.fromkeys(POLICIES, golden(1))}, "y must stand in every alternative and differ"),
    "missing": ({"alternatives": {POLICIES[0]: golden(1), POLICIES[1]: {}}}, "y must stand in every alternative"),
    "input": ({"inputs": {"x": np.ones((1, 1, 1, 3), np.float32)}}, "weight is missing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_lint_finds_what_is_wrong_with_a_choice(fault: str) -> None:
    change, finding = FAULTS[fault]
    assert any(finding in found for found in lint_case(make_case(**change)))


def test_lint_has_nothing_against_a_good_choice() -> None:
    assert list(lint_case(make_case())) == []
