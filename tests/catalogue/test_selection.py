"""The frozen kill matrix is that of the vectors, and what is frozen beside it is what it implies."""

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from refconv import load_suite
from refconv.catalogue.kills import Kills, frozen_kills
from refconv.catalogue.selection import Costs, cover
from refconv.catalogue.tiers import SMOKE, VERSION
from refconv.diagnosis.defects import Defect, every_defect
from refconv.diagnosis.faults import all_faults
from refconv.diagnosis.kills import catches, judge, predicted, rounded
from refconv.implementations import RESULT_NAMES

ROOT = Path(__file__).parents[2]
CORE = ROOT / "vectors" / "core"
ENOUGH_OF_SMOKE = 0.97
SAMPLE = 300


@pytest.fixture(scope="module")
def core():
    return load_suite(CORE)


@pytest.fixture(scope="module")
def select_core():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import select_core
    finally:
        sys.path.pop(0)
    return select_core


def test_the_matrix_is_that_of_the_vectors(core):
    kills = frozen_kills()
    assert list(kills.cases) == list(core.ids)
    assert (kills.version, core.version) == (VERSION, VERSION)
    assert set(kills.by_values) == set(every_defect())
    assert set(kills.by_check) >= set(all_faults())


def test_a_sample_of_the_matrix_is_measured_again(core):
    kills, draw = frozen_kills(), random.Random(20261125)
    for _ in range(SAMPLE):
        slug, case_id = draw.choice(list(every_defect())), draw.choice(kills.cases)
        caught = bool(catches(core.case(case_id), every_defect()[slug]))
        assert caught == (case_id in kills.by_values[slug]), (slug, case_id)


def test_core_catches_every_model_twice():
    assert {slug: ids for slug in every_defect() if len(ids := frozen_kills().all[slug]) < 2} == {}


class NothingWrong(Defect):
    """Nothing is wrong."""

    operations = tuple(RESULT_NAMES)


def test_no_case_catches_a_layer_that_is_right(core):
    assert [(case.id, found) for case in core if (found := catches(case, NothingWrong))] == []


def test_two_sums_that_are_one_number_in_the_format_of_the_result_are_no_catch(core):
    case, model = core.case("asymmetric-bfloat16-exact/s21-d12-p1021"), every_defect()["windows-centred"]
    got, expected = predicted(case, model, "forward"), case.expected["y"]
    assert not judge(got, expected).passed
    assert judge(rounded(got, expected), expected).passed
    assert "forward" not in catches(case, model)


def test_smoke_catches_nearly_all_of_them():
    caught = [slug for slug in every_defect() if set(SMOKE) & set(frozen_kills().all[slug])]
    assert len(caught) >= ENOUGH_OF_SMOKE * len(every_defect())


def test_smoke_is_what_the_matrix_implies(select_core):
    kills, costs = frozen_kills(), select_core.costs_of(str(CORE))
    assert tuple(select_core.smoke_of(kills, costs)) == SMOKE
    missing = next(case_id for case_id in SMOKE if case_id.startswith("compact-"))
    without = {slug: [one for one in ids if one != missing] for slug, ids in kills.by_values.items()}
    assert tuple(select_core.smoke_of(replace(kills, by_values=without), costs)) != SMOKE


def test_the_promises_are_what_the_matrix_implies(select_core):
    from refconv.catalogue.promises import promises

    assert select_core.promises(frozen_kills().by_values, str(CORE)) == promises()


def test_the_file_reads_back():
    kills = Kills("1", ("a/1", "a/2", "b/1"), {"one": ["a/1", "b/1"], "none": []}, {"fault": ["a/2"]})
    assert Kills.parse(kills.text()) == kills
    assert kills.all == {"one": ["a/1", "b/1"], "none": [], "fault": ["a/2"]}


def test_a_cover_is_small_keeps_what_it_must_and_fits():
    matrix = {"p": ["a/1", "a/2"], "q": ["a/2", "b/3"], "r": ["b/3"], "nowhere": []}
    costs = Costs({"a/1": 10, "a/2": 10, "b/3": 10}, group=5)
    assert cover(matrix, costs) == ["a/2", "b/3"]
    assert cover(matrix, costs, times=2) == ["a/1", "a/2", "b/3"]
    assert cover(matrix, costs, always=["a/1"]) == ["a/1", "b/3"]
    assert cover(matrix, costs, room=15) == ["a/2"]
