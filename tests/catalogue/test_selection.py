"""The frozen kill matrix is that of the vectors, and what is frozen beside it is what it implies."""

import random
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from refconv import load_suite
from refconv.catalogue.kills import Kills, frozen_kills
from refconv.catalogue.selection import Costs, cover
from refconv.catalogue.tiers import SMOKE, VERSION
from refconv.diagnosis.defects import every_defect
from refconv.diagnosis.faults import all_faults
from refconv.diagnosis.kills import catches, judge, predicted

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


def test_without_the_formats_whose_predictions_are_not_rounded_one_model_is_not_caught_twice():
    wide = {case_id for case_id in frozen_kills().cases if not re.search("float16|float8", case_id.partition("/")[0])}
    rare = [slug for slug in every_defect() if len(wide & set(frozen_kills().all[slug])) < 2]
    assert rare == ["winograd-grid-without-groups"]  # which shows in float16 alone


@pytest.mark.parametrize("case_id", ["depthwise-float16-exact/c5", "many-groups-float16-exact/g2-9to5"])
def test_the_model_of_float16_alone_is_caught_with_rounded_predictions(core, case_id):
    case = core.case(case_id)
    got = predicted(case, every_defect()["winograd-grid-without-groups"], "forward").astype(np.float16)
    assert not judge(got, case.expected["y"]).passed


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
