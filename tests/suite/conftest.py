"""A small suite that uses every part of the format, as objects and on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from refconv.problem import ConvProblem
from refconv.suite import Case, Expected, Group, Judge, note_for, write_group, write_manifest

PROBLEM = ConvProblem(
    batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9), kernel_size=(3, 2), stride=(2, 1),
    dilation=(1, 2), padding=((1, 0), (2, 1)),
)  # fmt: skip
SMALL = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(3, 4), kernel_size=(2, 3))


def _counting(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return (np.arange(int(np.prod(shape))) % 7 + 1).reshape(shape).astype(dtype)


def _interval(tensor: np.ndarray) -> Expected:
    wide = tensor.astype(np.float64)
    lo, hi = (wide * 0.5).astype(tensor.dtype), (wide * 2).astype(tensor.dtype)
    return Expected(tensor, Judge("standard", "float32", 27), lo, hi, wide)


def make_exact_case(group: str = "grouped") -> Case:
    shapes = {name: PROBLEM.shape_of(name) for name in ("x", "weight", "bias", "grad_output")}
    names = ("y", "grad_input", "grad_weight", "grad_bias")
    return Case(
        id=f"{group}/g2-s21",
        comment="2 groups",
        flags=("Grouped", "ExactInteger"),
        result="valid",
        problem=PROBLEM,
        inputs={name: _counting(shape, np.int8) for name, shape in shapes.items()},
        expected={name: Expected(_counting(PROBLEM.shape_of(name), np.int32), Judge("exact")) for name in names},
    )


def make_interval_case(group: str = "grouped") -> Case:
    return Case(
        id=f"{group}/bf16-2x3",
        comment="",
        flags=("RealValued",),
        result="valid",
        problem=SMALL,
        inputs={name: _counting(SMALL.shape_of(name), ml_dtypes.bfloat16) for name in ("x", "weight")},
        expected={"y": _interval(_counting(SMALL.y_shape, ml_dtypes.bfloat16))},
    )


def make_group(name: str = "grouped", suite: str = "core") -> Group:
    cases = (make_exact_case(name), make_interval_case(name))
    flags = sorted({flag for case in cases for flag in case.flags})
    return Group(name, suite, ("Two cases.",), {flag: note_for(flag) for flag in flags}, cases)


def write_suite(folder: Path, names: tuple[str, ...] = ("grouped", "strided"), version: str = "2026.1.31") -> Path:
    folder.mkdir(exist_ok=True)
    records = [write_group(folder, make_group(name)) for name in names]
    write_manifest(folder, "core", version, records, {"host": "here", "deviation": 0.25})
    return folder


@pytest.fixture
def group() -> Group:
    return make_group()


@pytest.fixture
def suite_folder(tmp_path: Path) -> Path:
    return write_suite(tmp_path / "core")


@pytest.fixture(scope="session")
def new_suite() -> Callable[..., Path]:
    return write_suite


@pytest.fixture(scope="session")
def new_group() -> Callable[..., Group]:
    return make_group
