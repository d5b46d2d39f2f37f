"""The families of special values: complete, compact, and every policy has a vector, a flag and a sentence."""

import re
from pathlib import Path

import numpy as np
import pytest

from refconv.catalogue import cases
from refconv.catalogue.planting import Planted, flags_of, plant
from refconv.catalogue.tiers import SPECIAL
from refconv.formats import get_format
from refconv.generate.consensus import golden_case
from refconv.generate.tasks import POLICIES as TASKS
from refconv.suite import FLAGS, POLICIES, REFUSED, flag_of, lint_case

SPECS = [spec for spec in cases("core") if any(spec.group.startswith(f"{name}-") for name in SPECIAL)]
CHOICES = [spec for spec in cases("core") if spec.row.policies]
PAGE = Path(__file__).parents[2] / "docs" / "semantics.md"
ELEMENTS = ["float64", "float32", "float16", "bfloat16"]


def test_the_special_families_stay_compact():
    assert 40 < len(SPECS) <= 80


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("tensor", ["x", "weight", "bias", "grad_output"])
def test_nan_and_infinities_stand_in_every_tensor_of_every_format(tensor, element):
    values = {item.value for spec in SPECS if spec.element == element for item in spec.row.planted
              if item.tensor == tensor}  # fmt: skip
    assert values >= {"nan", "inf", "-inf"}
    assert values & {"largest", "-largest"}


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("tensor", ["x", "weight", "grad_output"])
def test_subnormal_numbers_stand_in_every_factor_of_every_format(tensor, element):
    assert any(tensor in spec.row.subnormal for spec in SPECS if spec.element == element)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_the_golden_values_are_computed_and_clean(spec):
    case = golden_case(spec)
    assert list(lint_case(case)) == []
    assert case.result == ("choice" if spec in CHOICES else "valid")


@pytest.mark.parametrize("spec", [s for s in SPECS if "NanPropagation" in s.flags], ids=lambda spec: spec.id)
def test_special_values_leave_some_results_finite(spec):
    for _, name, expected in golden_case(spec).all_expected():
        if name != "grad_bias":
            assert np.isfinite(expected.tensor.astype(np.float64)).any(), name


def test_infinities_of_both_signs_meet():
    [spec] = cases("core", ["special-places-float32-exact/inf-minus-inf"])
    y = golden_case(spec).expected["y"].tensor
    assert np.isnan(y).any()
    assert np.isposinf(y).any()
    assert np.isneginf(y).any()


@pytest.mark.parametrize("slug", ["leftover", "other-group", "other-image"])
def test_unread_values_do_not_spread(slug):
    [spec] = cases("core", [f"special-places-float32-exact/{slug}"])
    expected = golden_case(spec).expected
    apart = {"leftover": np.s_[:], "other-group": np.s_[:, :3], "other-image": np.s_[[0, 2]]}[slug]
    assert np.isfinite(expected["y"].tensor[apart]).all()
    assert slug == "leftover" or not np.isfinite(expected["y"].tensor).all()


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_has_a_vector_a_flag_a_sentence_and_a_row_in_the_docs(policy):
    flag = flag_of(policy)
    assert FLAGS[flag].bug_type == "CHOICE"
    assert re.fullmatch(r"Policy: [a-z][^\n]*\.", FLAGS[flag].description)
    assert any(policy in spec.row.policies and flag in spec.flags for spec in CHOICES)
    assert policy in TASKS or policy == REFUSED  # which nothing computes
    assert f"`{policy}`" in PAGE.read_text(encoding="utf-8")


def test_the_page_names_nothing_that_does_not_exist():
    text = PAGE.read_text(encoding="utf-8")
    patterns = re.findall(r"`([a-z0-9-]+-(?:exact|narrow|zero-mean|bytes)/[a-z0-9-]+)`", text)
    assert len(patterns) > 10
    assert all(cases("core", [pattern]) for pattern in patterns)
    assert set(re.findall(r"`([A-Z][a-z]+[A-Za-z]+)`", text)) - {"ConvProblem"} <= set(FLAGS)


def test_planting_leaves_the_fill_as_it_was():
    made = {"x": np.ones((2, 3))}
    planted = plant(made, [Planted("x", (0, 1), "-0"), Planted("x", (1,), "largest")], (), get_format("bfloat16"))
    assert made["x"].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert np.signbit(planted["x"][0]).tolist() == [False, True, False]
    assert planted["x"][1].tolist() == [get_format("bfloat16").largest] * 3


def test_a_subnormal_tensor_is_in_units_of_the_smallest():
    tensors = plant({"x": np.array([1.0, -3.0])}, (), ["x"], get_format("float32"))
    assert tensors["x"].tolist() == [2.0**-149, -3 * 2.0**-149]
    assert flags_of((), ["x"]) == ("Subnormal",)
