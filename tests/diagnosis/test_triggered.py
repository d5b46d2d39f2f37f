"""Every triggered defect is wrong where its trigger holds, right elsewhere, and says what it is."""

import re

import numpy as np
import pytest
from problems import integer_tensors

from refconv import ConvProblem
from refconv.diagnosis import diagnose
from refconv.diagnosis.defects import Triggered, all_defects, every_defect, triggered_defects
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.probes import probes
from refconv.implementations import as_runner
from refconv.problem import OPERATIONS

SLUGS = list(triggered_defects())
SQUARE = ConvProblem.from_descriptor("n1c2i4x4-k2w3x3-s1x1-d1x1-p0+0x0+0-g1-o2x2")

each = pytest.mark.parametrize("slug", SLUGS)


def shows(layer, operation, tensors, problem):
    got, expected = (as_runner(item).run(operation, tensors, problem) for item in (layer, Layer()))
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    return not np.array_equal(got, expected)


@each
def test_a_triggered_defect_shows_on_its_example_in_the_operations_that_it_declares_and_in_no_others(slug):
    defect = triggered_defects()[slug]
    problem = ConvProblem.from_descriptor(defect.example)
    tensors = integer_tensors(problem, seed=3, dtype=np.dtype(defect.dtype))
    assert tuple(name for name in OPERATIONS if shows(defect(), name, tensors, problem)) == defect.operations


def truths(tensors, problem):
    """Return what is right, for all operations."""
    return {name: as_runner(Layer()).run(name, tensors, problem) for name in OPERATIONS}


def assert_right(slug, tensors, problem, truth):
    runner = as_runner(triggered_defects()[slug]())
    for name in OPERATIONS:
        np.testing.assert_array_equal(
            runner.run(name, tensors, problem), truth[name], strict=True, err_msg=f"{slug} {name} {problem}"
        )


@pytest.mark.parametrize("problem", [SQUARE, *(probe.problem for probe in probes())], ids=str)
def test_a_triggered_defect_is_right_where_its_trigger_does_not_hold(problem):
    tensors = integer_tensors(problem, dtype=np.float32)
    truth = truths(tensors, problem)
    for slug, defect in triggered_defects().items():
        if not defect().applies(problem, np.dtype(np.float32)):
            assert_right(slug, tensors, problem, truth)


@each
def test_a_trigger_does_not_hold_everywhere(slug):
    problems = [SQUARE, *(probe.problem for probe in probes())]
    assert not all(triggered_defects()[slug]().applies(problem, np.dtype(np.float32)) for problem in problems)


@pytest.mark.parametrize("extents", [{"batch": 0}, {"in_channels": 0}, {"out_channels": 0}], ids=str)
def test_a_triggered_defect_is_right_about_empty_tensors(extents):
    problem = ConvProblem(**{"batch": 1, "in_channels": 2, "out_channels": 3, **extents},
                          input_size=(4, 5), kernel_size=(3, 3), stride=(2, 1), padding=((0, 1), (1, 0)))  # fmt: skip
    tensors = integer_tensors(problem, dtype=np.float32)
    truth = truths(tensors, problem)
    assert all(np.isfinite(tensor).all() for tensor in truth.values())
    for slug in SLUGS:
        assert_right(slug, tensors, problem, truth)


@pytest.mark.parametrize("axes", [1, 3])
def test_a_triggered_defect_is_right_along_one_axis_and_three(axes):
    problem = ConvProblem(batch=1, in_channels=2, out_channels=2, input_size=(4,) * axes, kernel_size=(2,) * axes)
    tensors = integer_tensors(problem, dtype=np.float32)
    truth = truths(tensors, problem)
    for slug in SLUGS:
        assert_right(slug, tensors, problem, truth)


@pytest.mark.parametrize("slug", SLUGS[5::36])
def test_a_triggered_defect_is_named(slug):
    # all of them are put to diagnose by scripts/diagnosis_power.py
    assert diagnose(triggered_defects()[slug]()).findings[0].defects == (slug,)


@each
def test_a_triggered_defect_says_when_it_shows_and_what_is_wrong(slug):
    defect = triggered_defects()[slug]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert re.fullmatch(r"\S[^\n]+[^.,]", defect.trigger)
    assert re.fullmatch(r"Where [^\n]+, [^A-Z\n][^\n]+[^.]\.", defect.summary())
    assert defect.summary().endswith(defect.__doc__[1:])


def test_a_trigger_must_be_stated():
    with pytest.raises(NotImplementedError):
        Triggered().applies(SQUARE, np.dtype(np.float32))


@pytest.mark.parametrize("slug", every_defect())
def test_a_defect_says_where_it_was_seen_and_what_it_usually_means(slug):
    defect = every_defect()[slug]
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+|[^\n]+[^.\n]", defect.source)
    assert "://" not in defect.source or defect.source.startswith("https://github.com/")
    assert re.fullmatch(r"[^A-Z][^\n]+[^.]\.|[A-Z]\S+ .+\.|\[.*\.", defect.usually)
    assert "sually" not in defect.usually


def test_triggered_defects_and_the_others_share_no_name():
    assert not set(triggered_defects()) & set(all_defects())
    assert list(every_defect()) == [*all_defects(), *triggered_defects()]
    assert len(SLUGS) >= 70
