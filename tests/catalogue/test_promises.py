"""Every flag keeps its promise: its exact cases catch the defect models that the files name beside it."""

from pathlib import Path

import pytest

from refconv import load_suite
from refconv.catalogue.promises import promises
from refconv.diagnosis import all_defects
from refconv.diagnosis.kills import catches

CORE = Path(__file__).parents[2] / "vectors" / "core"


@pytest.fixture(scope="module")
def exact():
    """Return the exact cases with all four results, smallest first."""
    cases = [case for case in load_suite(CORE) if case.result == "valid" and len(case.expected) == 4]
    kept = [case for case in cases if all(expected.judge.rule == "exact" for expected in case.expected.values())]
    return sorted(kept, key=lambda case: sum(tensor.size for tensor in case.inputs.values()))


@pytest.mark.parametrize("flag", promises())
def test_a_flag_promises_models_that_exist(flag):
    assert set(promises()[flag]) <= set(all_defects())


@pytest.mark.parametrize(("flag", "slug"), [(flag, slug) for flag, slugs in promises().items() for slug in slugs])
def test_its_cases_catch_the_model(exact, flag, slug):
    having = [case for case in exact if flag in case.flags]
    assert len(having) > 5
    assert [case.id for case in having[:25] if not catches(case, all_defects()[slug])] == []


def test_the_files_state_the_promises():
    notes = load_suite(CORE).group("grouped-float32-exact").notes
    assert list(notes["Grouped"].defects) == promises()["Grouped"]
