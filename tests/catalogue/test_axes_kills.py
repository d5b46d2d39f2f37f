"""The cases of axes catch every defect model of every operator, and what is frozen about it is what they measure."""

import random
import re
from pathlib import Path

import pytest

from refconv import load_suite
from refconv.catalogue import cases
from refconv.catalogue.kills import AXES, frozen_kills
from refconv.catalogue.operators import operator_of
from refconv.catalogue.tiers import VERSION
from refconv.diagnosis.defects import all_defects, transposed_defects
from refconv.diagnosis.kills import catches

ROOT = Path(__file__).parents[2]
OPERATORS = {"conv1d": all_defects, "conv3d": all_defects, "conv_transpose1d": transposed_defects,
             "conv_transpose2d": transposed_defects, "conv_transpose3d": transposed_defects}  # fmt: skip
SAMPLE = 250

# Along one axis these are the right layer, or have no rows and columns to exchange.
IDLE_IN_1D = {
    "kernel-columns-flipped", "kernel-transposed", "input-transposed", "output-transposed", "stride-axes-swapped",
    "stride-of-height-for-both", "stride-of-width-for-both", "dilation-axes-swapped", "dilation-of-height-for-both",
    "dilation-of-width-for-both", "padding-axes-swapped", "padding-of-height-for-both", "padding-of-width-for-both",
    "columns-not-checked", "kernel-taken-for-square", "grad-weight-transposed", "transposed-stride-axes-swapped",
    "transposed-padding-axes-swapped", "transposed-kernel-axes-swapped",
}  # fmt: skip


@pytest.fixture(scope="module")
def suite():
    return load_suite(ROOT / "vectors" / "axes")


def test_the_matrix_is_that_of_the_vectors(suite):
    kills = frozen_kills(AXES)
    assert list(kills.cases) == list(suite.ids)
    assert kills.version == suite.version == VERSION
    assert set(kills.all) == {f"{operator}/{slug}" for operator, models in OPERATORS.items() for slug in models()}


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_model_of_an_operator_is_caught_by_two_cases_of_its_own(operator):
    all_of_them = frozen_kills(AXES).all
    rare = {slug: len(ids) for slug in OPERATORS[operator]() if len(ids := all_of_them[f"{operator}/{slug}"]) < 2}
    assert rare == {slug: 0 for slug in OPERATORS[operator]() if operator.endswith("1d") and slug in IDLE_IN_1D}
    exact = sum(operator_of(spec.problem) == operator and spec.rule == "exact" for spec in cases("axes"))
    assert [name for name in all_of_them if name.startswith(f"{operator}/") and len(all_of_them[name]) >= exact] == []


def test_a_sample_of_the_matrix_is_measured_again(suite):
    kills, draw = frozen_kills(AXES), random.Random(20261125)
    for _ in range(SAMPLE):
        case = suite.case(draw.choice(kills.cases))
        operator = operator_of(case.problem)
        if operator == "conv2d" or any(expected.judge.rule != "exact" for expected in case.expected.values()):
            continue
        slug = draw.choice(list(OPERATORS[operator]()))
        caught = bool(catches(case, OPERATORS[operator]()[slug]))
        assert caught == (case.id in kills.by_values[f"{operator}/{slug}"]), (slug, case.id)


def test_the_page_states_the_figures_of_the_matrix():
    text = (ROOT / "docs" / "axes.md").read_text(encoding="utf-8")
    for operator, models in OPERATORS.items():
        idle = len(IDLE_IN_1D & set(models())) if operator.endswith("1d") else 0
        some = len(models()) - idle
        assert re.search(rf"\| `{operator}` \| {len(models())} \| {some} \| {some} \|", text)
