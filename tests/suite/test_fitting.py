"""A suite whose hashes are right, but whose tensors do not fit its problems, is refused when it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from refconv.errors import SuiteError
from refconv.problem import ConvProblem, TransposedProblem
from refconv.quantization import Quantization
from refconv.suite import Case, Group, lint_case
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.fitting import MOST, vast
from refconv.suite.index import group_files

QUANTIZATION = Quantization(0.5, 200, (0.25, 1.5, 1.0), (-3,), 2.0, 7, "int8")


def read_back(group: Group, number: int, **changes: Any) -> Group:
    cases = list(group.cases)
    cases[number] = replace(cases[number], **changes)
    index, payload = group_files(replace(group, cases=tuple(cases))).values()
    return build_group(parse_index(index, "g.json"), payload, "g.safetensors")


def with_x(case: Case, array: np.ndarray) -> dict[str, Any]:
    return {"inputs": case.inputs | {"x": array}}


def with_y(case: Case, **changes: Any) -> dict[str, Any]:
    return {"expected": case.expected | {"y": replace(case.expected["y"], **changes)}}


def without(case: Case, name: str) -> dict[str, Any]:
    return {"inputs": {key: array for key, array in case.inputs.items() if key != name}}


WRONG: dict[str, tuple[int, Callable[[Case], dict[str, Any]], str]] = {
    "x": (0, lambda c: with_x(c, np.ones((2, 4, 9, 7), np.int8)), "x must have the shape (2, 4, 7, 9)"),
    "scalar": (0, lambda c: with_x(c, np.ones((), np.int8)), "x must have the shape (2, 4, 7, 9)"),
    "y": (0, lambda c: with_y(c, tensor=np.ones((2, 6, 1, 1), np.int32)), "y must have the shape (2, 6, 3, 10)"),
    "lo": (1, lambda c: with_y(c, lo=c.expected["y"].lo[..., :1]), "y.lo must have the shape (1, 2, 2, 2)"),
    "weight": (0, lambda c: without(c, "weight"), "y must have the inputs x, weight, weight is missing"),
    "grad_output": (0, lambda c: without(c, "grad_output"), "grad_input must have the inputs grad_output, weight"),
    "problem": (0, lambda c: {"problem": replace(c.problem, batch=3)}, "x must have the shape (3, 4, 7, 9)"),
    "padding": (
        0,
        lambda c: {"problem": replace(c.problem, padding=((1, 2**40), (2, 1)), stride=(2**41, 1))},
        f"its problem must be one of at most {MOST} elements, padding included",
    ),
    "scales": (0, lambda c: {"quantization": QUANTIZATION}, "the weight must have one scale or one for each of 6"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_one_sentence(group: Group, name: str) -> None:
    number, change, sentence = WRONG[name]
    with pytest.raises(SuiteError) as caught:
        read_back(group, number, **change(group.cases[number]))
    assert str(caught.value).startswith(f"g.safetensors: case {group.cases[number].id!r}: ")
    assert sentence in str(caught.value)


def test_an_alternative_whose_bounds_have_another_shape_is_refused(group: Group) -> None:
    case = group.cases[1]
    wrong = replace(case.expected["y"], hi=np.ones((1, 2, 2, 1), case.expected["y"].tensor.dtype))
    choice = {"result": "choice", "expected": {}, "alternatives": {"one": {"y": wrong}, "two": case.expected}}
    with pytest.raises(SuiteError, match="hi must have the shape"):
        read_back(group, 1, **choice)


def test_what_is_to_be_refused_need_not_fit(group: Group) -> None:
    wrong = {"inputs": {"x": np.ones((1, 2), np.int8)}, "expected": {}, "result": "invalid", "refused": ("forward",)}
    assert read_back(group, 0, **wrong).cases[0].inputs["x"].shape == (1, 2)
    far = ConvProblem(batch=0, in_channels=0, out_channels=0, input_size=(2**40,), kernel_size=(1,))
    with pytest.raises(SuiteError, match="at most"):
        read_back(group, 0, **wrong, problem=far)


@pytest.mark.parametrize(
    "extents",
    [
        {"batch": 0, "input_size": (MOST + 1,)},
        {"in_channels": 0, "input_size": (MOST // 2 + 1, 2), "kernel_size": (1, 1)},
        {"padding": ((MOST, 0),), "stride": (MOST + 9,)},
        {"in_channels": 0, "out_channels": 2, "kernel_size": (MOST // 2 + 1,), "input_size": (MOST // 2 + 1,)},
        {"in_channels": 0, "out_channels": 0, "batch": 2**20, "padding": ((100, 0),)},
        {"in_channels": 0, "out_channels": 2**20, "padding": ((100, 0),)},
    ],
    ids=str,
)
def test_a_problem_that_takes_memory_which_no_file_has_is_vast(extents: dict[str, Any]) -> None:
    usual = {"batch": 1, "in_channels": 1, "out_channels": 1, "input_size": (3,), "kernel_size": (2,)}
    problem = ConvProblem(**{**usual, **extents})
    assert len(list(vast(problem))) == 1


def test_no_usual_problem_is_vast(group: Group) -> None:
    assert [found for case in group.cases for found in vast(case.problem)] == []
    wide = ConvProblem(batch=1, in_channels=64, out_channels=64, input_size=(1024, 1020), kernel_size=(3, 3))
    assert list(vast(wide)) == []


def test_a_transposed_problem_is_measured_by_its_output() -> None:
    sizes = {"batch": 1, "in_channels": 0, "out_channels": 1, "input_size": (9,), "kernel_size": (1,)}
    assert list(vast(TransposedProblem(**sizes, stride=(4,)))) == []
    assert len(list(vast(TransposedProblem(**sizes, stride=(MOST,))))) == 1


def test_lint_finds_it_before_it_is_written(group: Group) -> None:
    problem = replace(group.cases[0].problem, padding=((1, 2**40), (2, 1)), stride=(2**41, 1))
    assert "at most" in next(lint_case(replace(group.cases[0], problem=problem)))
