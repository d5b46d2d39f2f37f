from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from refconv.problem import ConvProblem
from refconv.suite import REFUSED, Case, Expected, Group, Judge, Note, lint_case, lint_group

EMPTY = ConvProblem(batch=0, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
NO_CHANNELS = ConvProblem(batch=1, in_channels=0, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))


def with_case(group: Group, number: int, **changes: Any) -> Group:
    cases = list(group.cases)
    cases[number] = dataclasses.replace(cases[number], **changes)
    return dataclasses.replace(group, cases=tuple(cases))


def with_expected(group: Group, number: int, name: str, **changes: Any) -> Group:
    expected = group.cases[number].expected
    return with_case(group, number, expected=expected | {name: dataclasses.replace(expected[name], **changes)})


def with_input(group: Group, name: str, array: np.ndarray) -> Group:
    return with_case(group, 0, inputs=group.cases[0].inputs | {name: array})


def without_input(group: Group, name: str) -> Group:
    return with_case(group, 0, inputs={key: array for key, array in group.cases[0].inputs.items() if key != name})


def y_of(group: Group) -> Expected:
    return group.cases[1].expected["y"]


def bumped(array: np.ndarray, value: float) -> np.ndarray:
    copy = array.copy()
    copy.reshape(-1)[3] = value
    return copy


NOTE = Note("BASIC", "", "")
DEFECTS: dict[str, tuple[Callable[[Group], Group], list[str]]] = {
    "no-flags": (
        lambda g: with_case(g, 0, flags=()),
        ["of a case, 'ExactInteger' does not", "of a case, 'Grouped' does not", "flags must name at least one"],
    ),
    "unknown-flag": (
        lambda g: dataclasses.replace(with_case(g, 1, flags=("RealValued", "Odd")), notes=g.notes | {"Odd": NOTE}),
        ["every flag must stand in the table of flags, 'Odd' does not"],
    ),
    "flag-without-note": (
        lambda g: with_case(g, 1, flags=("RealValued", "Basic")),
        ["case 'grouped/bf16-2x3': every flag must be explained in notes, 'Basic' is not"],
    ),
    "note-without-flag": (
        lambda g: dataclasses.replace(g, notes=g.notes | {"Basic": NOTE}),
        ["every note must belong to a flag of a case, 'Basic' does not"],
    ),
    "no-cases": (lambda g: dataclasses.replace(g, cases=(), notes={}), ["at least one case"]),
    "group-is-no-slug": (
        lambda g: dataclasses.replace(g, name="Grouped"),
        ["the name must be a slug", "the id must be 'Grouped/'", "the id must be 'Grouped/'"],
    ),
    "id-of-another-group": (lambda g: with_case(g, 0, id="other/a"), ["the id must be 'grouped/' and a slug"]),
    "id-is-no-slug": (lambda g: with_case(g, 0, id="grouped/_a"), ["the id must be 'grouped/' and a slug"]),
    "id-twice": (lambda g: with_case(g, 0, id=g.cases[1].id), ["the id must be unique, got it 2 times"]),
    "unknown-result": (lambda g: with_case(g, 0, result="maybe"), ["result must be one of valid, choice, invalid"]),
    "nothing-expected": (lambda g: with_case(g, 0, expected={}), ["expected must hold at least one result"]),
    "unknown-input": (lambda g: with_input(g, "filter", np.ones(1)), ["an input must be one of x, .*, got 'filter'"]),
    "unknown-operation": (
        lambda g: with_case(g, 0, expected={"z": g.cases[0].expected["y"]}),
        ["an expected result must be one of y, .*, got 'z'"],
    ),
    "missing-weight": (
        lambda g: without_input(g, "weight"),
        ["y must have the inputs x, weight, weight is missing", "grad_input must have .* weight is missing"],
    ),
    "missing-grad-output": (
        lambda g: without_input(g, "grad_output"),
        ["grad_input must have", "grad_weight must have", "grad_bias must have the inputs grad_output"],
    ),
    "missing-x": (lambda g: without_input(g, "x"), ["y must have .* x is missing", "grad_weight must have"]),
    "wrong-input-shape": (
        lambda g: with_input(g, "x", np.ones((2, 4, 9, 7), np.int8)),
        [r"x must have the shape \(2, 4, 7, 9\) that the problem gives it, got \(2, 4, 9, 7\)"],
    ),
    "wrong-bias-shape": (
        lambda g: with_input(g, "bias", np.ones((6, 1), np.int8)),
        [r"bias must have the shape \(6,\)"],
    ),
    "wrong-expected-shape": (
        lambda g: with_expected(g, 0, "y", tensor=np.ones((2, 6, 3, 7), np.int32)),
        [r"y must have the shape \(2, 6, 3, 10\)"],
    ),
    "wrong-gradient-shape": (
        lambda g: with_expected(g, 0, "grad_weight", tensor=np.ones((2, 6, 3, 2), np.int32)),
        [r"grad_weight must have the shape \(6, 2, 3, 2\)"],
    ),
    "unknown-input-dtype": (
        lambda g: with_input(g, "bias", np.ones(6, np.int64)),
        ["bias: format must be one of .*, got 'int64'"],
    ),
    "unknown-expected-dtype": (
        lambda g: with_expected(g, 0, "grad_bias", tensor=np.ones(6, np.complex64)),
        ["grad_bias: format must be one of"],
    ),
    "unknown-class": (
        lambda g: with_expected(g, 0, "y", judge=Judge("close")),
        ["must be exact or standard, got 'close'"],
    ),
    "exact-with-terms": (
        lambda g: with_expected(g, 0, "y", judge=Judge("exact", terms=3)),
        ["an exact judge must have no"],
    ),
    "exact-with-interval": (
        lambda g: with_expected(g, 1, "y", judge=Judge("exact")),
        ["an exact judge must have no interval"],
    ),
    "standard-without-terms": (
        lambda g: with_expected(g, 1, "y", judge=Judge("standard", "float32")),
        ["a standard judge must have accumulator and terms, got 'float32' and None"],
    ),
    "standard-with-odd-accumulator": (
        lambda g: with_expected(g, 1, "y", judge=Judge("standard", "float80", 3)),
        ["a standard judge must have accumulator and terms, got 'float80' and 3"],
    ),
    "standard-without-lo": (lambda g: with_expected(g, 1, "y", lo=None), ["lo, hi and magnitude, lo is missing"]),
    "lo-of-another-dtype": (
        lambda g: with_expected(g, 1, "y", lo=y_of(g).lo.astype(np.float32)),  # type: ignore[union-attr]
        [r"y\.lo must be bfloat16 \(1, 2, 2, 2\), got float32"],
    ),
    "magnitude-of-another-dtype": (
        lambda g: with_expected(g, 1, "y", magnitude=y_of(g).tensor),
        [r"y\.magnitude must be float64"],
    ),
    "hi-of-another-shape": (
        lambda g: with_expected(g, 1, "y", hi=y_of(g).hi[0]),  # type: ignore[index]
        [r"y\.hi must have the shape", r"y\.hi must be bfloat16 \(1, 2, 2, 2\), got bfloat16 \(2, 2, 2\)"],
    ),
    "below-lo": (
        lambda g: with_expected(g, 1, "y", tensor=bumped(y_of(g).tensor, 0.01)),
        ["y must lie between lo and hi, 1 elements do not, first number 3"],
    ),
    "above-hi": (
        lambda g: with_expected(g, 1, "y", tensor=bumped(y_of(g).tensor, 100)),
        ["y must lie between lo and hi, 1 elements do not, first number 3"],
    ),
    "nan-inside-an-interval": (
        lambda g: with_expected(g, 1, "y", tensor=bumped(y_of(g).tensor, np.nan)),
        ["y must lie between lo and hi"],
    ),
    "zero-forward": (
        lambda g: with_expected(g, 0, "y", tensor=np.zeros((2, 6, 3, 10), np.int32)),
        ["y must have elements other than zero, or it sees nothing, got 360 zeros"],
    ),
    "zero-gradient": (
        lambda g: with_expected(g, 0, "grad_bias", tensor=np.zeros(6, np.int32)),
        ["grad_bias must have elements other than zero"],
    ),
}  # fmt: skip


def test_a_clean_group_has_no_findings(group: Group) -> None:
    assert lint_group(group) == []


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_one_defect_is_found_and_nothing_else(group: Group, name: str) -> None:
    change, sentences = DEFECTS[name]
    findings = lint_group(change(group))
    assert len(findings) == len(sentences), findings
    pairs = zip(findings, sentences, strict=True)
    assert [finding for finding, sentence in pairs if not re.search(sentence, finding)] == []
    assert all(finding.endswith(".") and "\n" not in finding for finding in findings)


def _case(problem: ConvProblem, **expected: np.ndarray) -> Case:
    names = ("x", "weight", "grad_output")
    inputs = {name: np.ones(problem.shape_of(name), np.float32) for name in names}
    results = {name: Expected(array, Judge("exact")) for name, array in expected.items()}
    return Case("g/a", "", ("ZeroBatch",), "valid", problem, inputs, results)


def test_a_result_without_elements_may_be_zero() -> None:
    assert list(lint_case(_case(EMPTY, y=np.zeros((0, 1, 2, 2), np.float32)))) == []


def test_a_gradient_to_which_nothing_is_added_may_be_zero() -> None:
    assert list(lint_case(_case(EMPTY, grad_weight=np.zeros((1, 1, 2, 2), np.float32)))) == []
    assert list(lint_case(_case(NO_CHANNELS, y=np.zeros((1, 1, 2, 2), np.float32)))) == []


def test_a_refused_case_expects_nothing() -> None:
    found = list(lint_case(dataclasses.replace(_case(EMPTY), result="invalid", refused=("forward",))))
    assert len(found) == 1
    assert "must break a rule" in found[0]
    refused = dataclasses.replace(_case(EMPTY), refused=("forward",))
    assert any("hold no result" in finding for finding in lint_case(refused))


def test_only_what_exceeds_its_input_may_be_refused() -> None:
    case = _case(NO_CHANNELS, y=np.zeros((1, 1, 2, 2), np.float32))
    choice = {"result": "choice", "expected": {}, "alternatives": {"one": case.expected, REFUSED: {}}}
    findings = list(lint_case(dataclasses.replace(case, **choice)))
    assert (
        f"a problem whose kernel exceeds the input must be a choice with {REFUSED}, and no other may be one."
        in findings
    )


def test_nan_and_infinity_lie_in_their_own_intervals() -> None:
    tensor = np.array([np.nan, np.inf, -np.inf, 1], ml_dtypes.bfloat16).reshape(1, 1, 2, 2)
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 3), kernel_size=(2, 2))
    case = _case(problem)
    expected = Expected(tensor, Judge("standard", "float32", 4), tensor, tensor, tensor.astype(np.float64))
    assert list(lint_case(dataclasses.replace(case, expected={"y": expected}))) == []


@pytest.mark.parametrize(
    ("value", "dtype", "overflow", "finding"),
    [
        (np.nan, ml_dtypes.float8_e4m3fn, None, "y must state its overflow mode"),
        (np.nan, ml_dtypes.float8_e4m3fn, "nan", None),
        (1, ml_dtypes.float8_e4m3fn, None, None),
        (1, ml_dtypes.float8_e4m3fn, "infinity", "overflow for float8_e4m3fn must be one of saturate, nan, got 'inf"),
        (1, ml_dtypes.float8_e5m2, "infinity", None),
        (1, np.int32, "saturate", "overflow for int32 must be one of none, got 'saturate'"),
    ],
)
def test_overflow_modes_are_stated_where_they_matter(
    group: Group, value: float, dtype: Any, overflow: str | None, finding: str | None
) -> None:
    tensor = np.full(group.cases[1].problem.y_shape, value, dtype)
    found = lint_group(with_case(group, 1, expected={"y": Expected(tensor, Judge("exact", overflow=overflow))}))
    assert len(found) == bool(finding)
    assert all(str(finding) in text for text in found)
