"""Quantised cases in the files: written, read, refused when damaged, and linted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from refconv.errors import SuiteError
from refconv.problem import ConvProblem
from refconv.quantization import Quantization
from refconv.suite import Case, Expected, Group, Judge, lint_case, note_for
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.index import group_files

PROBLEM = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(1, 3), kernel_size=(1, 2))
QUANTIZATION = Quantization(0.5, 200, (0.25, 1.5), (-3,), 2.0, 7, "int8")


def make_case(**change: Any) -> Case:
    dtypes = {"x": np.uint8, "weight": np.int8, "bias": np.int32}
    inputs = {name: np.ones(PROBLEM.shape_of(name), dtype) for name, dtype in dtypes.items()}
    expected = {"y": Expected(np.full(PROBLEM.y_shape, 5, np.int8), Judge("exact"))}
    case = Case("q/one", "", ("ZeroPoint",), "valid", PROBLEM, inputs, expected, {}, QUANTIZATION)
    return replace(case, **change)


@pytest.fixture
def files() -> tuple[Any, bytes]:
    contents = group_files(Group("q", "core", (), {"ZeroPoint": note_for("ZeroPoint")}, (make_case(),)))
    return json.loads(contents["q.json"]), contents["q.safetensors"]


def read(document: Any, payload: bytes) -> Group:
    return build_group(parse_index(json.dumps(document).encode(), "q.json"), payload, "q.safetensors")


def test_a_quantization_comes_back(files: tuple[Any, bytes]) -> None:
    [case] = read(*files).cases
    assert case.quantization == QUANTIZATION


def test_a_case_without_one_has_none() -> None:
    contents = group_files(
        Group("q", "core", (), {"ZeroPoint": note_for("ZeroPoint")}, (make_case(quantization=None),))
    )
    document = json.loads(contents["q.json"])
    assert "quantization" not in document["cases"][0]
    assert read(document, contents["q.safetensors"]).cases[0].quantization is None


@pytest.mark.parametrize(
    ("tensor", "key", "value", "message"),
    [
        ("x", "scale", 0.5, "JSON must hold integers, never floats, got 0.5"),
        ("x", "scale", "0.5", "breaks rule 'pattern'"),
        ("x", "scale", "0x1.0000000000001p-1", "impossible quantization: a scale must be a positive finite float32"),
        ("x", "zero_point", 256, "breaks rule 'maximum'"),
        ("weight", "scale", [], "breaks rule 'minItems'"),
        ("y", "dtype", "int32", "breaks rule 'enum'"),
        ("y", "rounding", "up", "breaks rule 'additionalProperties'"),
    ],
)
def test_a_damaged_quantization_is_one_sentence(
    files: tuple[Any, bytes], tensor: str, key: str, value: Any, message: str
) -> None:
    document, payload = files
    document["cases"][0]["quantization"][tensor][key] = value
    with pytest.raises(SuiteError, match=message):
        read(document, payload)


Y32 = {"y": Expected(np.ones(PROBLEM.y_shape, np.int32), Judge("exact"))}
FLOAT_X = make_case().inputs | {"x": np.ones(PROBLEM.x_shape, np.float32)}
BYTE_BIAS = make_case().inputs | {"bias": np.ones(2, np.int8)}
GRADIENT = {"grad_bias": Expected(np.ones(2, np.int8), Judge("exact"))}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (dict(quantization=replace(QUANTIZATION, weight_scale=(1.0,) * 3)), "one scale or one for each of 2 channels"),
        (dict(quantization=replace(QUANTIZATION, weight_zero_point=())), "one zero_point or one for each of 2"),
        (dict(quantization=replace(QUANTIZATION, x_zero_point=-1)), "zero points of x must be numbers of uint8"),
        (dict(quantization=replace(QUANTIZATION, weight_zero_point=(128,))), "of weight must be numbers of int8"),
        (dict(quantization=replace(QUANTIZATION, y_zero_point=200)), "of y must be numbers of int8"),
        (dict(quantization=replace(QUANTIZATION, out_format="uint8")), "y must be uint8 as the quantization states"),
        (dict(expected=Y32), "y must be int8 as the quantization states, got int32"),
        (dict(inputs=FLOAT_X), "x of a quantised case must be int8 or uint8, got float32"),
        (dict(inputs=BYTE_BIAS), "the bias of a quantised case must be int32, got int8"),
        (dict(expected=make_case().expected | GRADIENT), "must expect y alone"),
    ],
)
def test_the_lint_finds_what_does_not_fit(change: dict[str, Any], finding: str) -> None:
    assert any(finding in text for text in lint_case(make_case(**change)))


def test_the_lint_finds_nothing_in_a_sound_case() -> None:
    assert list(lint_case(make_case())) == []
