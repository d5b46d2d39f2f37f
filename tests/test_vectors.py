"""The committed vectors: in order, small enough, and passed by everything that computes rightly."""

from pathlib import Path

import pytest

from refconv import check, load_suite
from refconv.catalogue import VERSION, cases
from refconv.implementations import load_implementation
from refconv.suite import verify_files
from refconv.suite.embedded import smoke_folder

CORE = Path(__file__).parents[1] / "vectors" / "core"
AXES, REGRESS = CORE.parent / "axes", CORE.parent / "regress"
FOLDERS = {"core": CORE, "smoke": smoke_folder(), "axes": AXES, "regress": REGRESS}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_the_files_are_in_order(folder):
    assert verify_files(folder) == []


@pytest.mark.parametrize("tier", FOLDERS)
def test_the_cases_are_those_of_the_catalogue(tier):
    suite = load_suite(FOLDERS[tier])
    assert sorted(suite.ids) == sorted(spec.id for spec in cases(tier))
    assert (suite.name, suite.version) == (tier, VERSION)


def test_smoke_holds_the_bytes_of_core():
    core = load_suite(CORE)
    for case in load_suite(smoke_folder()):
        twin = core.case(case.id).payload_tensors()
        for name, tensor in case.payload_tensors().items():
            assert tensor.tobytes() == twin[name].tobytes()


@pytest.mark.parametrize(
    ("folder", "limit"),
    [(CORE, 16 * 2**20), (smoke_folder(), 256 * 2**10), (AXES, 4 * 2**20)],
    ids=["core", "smoke", "axes"],
)
def test_the_suites_stay_small(folder, limit):
    assert sum(path.stat().st_size for path in folder.iterdir()) <= limit


@pytest.mark.slow
@pytest.mark.parametrize("name", ["direct", "sparse", "im2col", pytest.param("torch", marks=pytest.mark.oracle)])
def test_right_implementations_pass_core_without_a_failure(name):
    thorough = name != "direct"  # whose seven loops take a minute for each further look; smoke has them all
    report = check(load_implementation(name), load_suite(CORE), thorough=thorough)
    assert report.passed, [f"{o.case_id} {o.operation}: {o.message}" for o in report.failures[:3]]
    elements = {
        outcome.element
        for outcome in report.outcomes
        if outcome.status == "UNSUPPORTED" and not outcome.case_id.startswith("illegal-")
    }
    without = {"int8", "uint8", "float8_e4m3fn", "float8_e5m2", "bfloat16", "float16"}  # the last two to float32
    assert elements == (without if name == "torch" else set())


@pytest.mark.parametrize("name", ["sparse", "im2col", pytest.param("torch", marks=pytest.mark.oracle)])
def test_right_implementations_pass_axes_without_a_failure(name):
    report = check(load_implementation(name), load_suite(AXES), thorough=False)
    assert report.passed, [f"{o.case_id} {o.operation}: {o.message}" for o in report.failures[:3]]
    unsupported = {outcome.element for outcome in report.outcomes if outcome.status == "UNSUPPORTED"}
    assert unsupported == ({"int8"} if name == "torch" else set())


def test_layers_whose_output_grows_beyond_what_the_input_reaches_are_looked_at_thoroughly():
    report = check(load_implementation("im2col"), load_suite(AXES), ["conv-transpose*-pairs-float64-exact/*"])
    assert report.passed, [f"{o.case_id} {o.operation}: {o.message}" for o in report.failures[:3]]
