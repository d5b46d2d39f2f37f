"""Every defect model is a defect, says what it is, and is found."""

import re

import numpy as np
import pytest

from refconv.diagnosis import all_defects, diagnose
from refconv.diagnosis.predict import shows
from refconv.diagnosis.probes import probes
from refconv.implementations import as_runner

OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
SLUGS = list(all_defects())

each = pytest.mark.parametrize("slug", SLUGS)


def showing(slug, operation):
    """Run a defect itself, twice, beside what the registry declares of it."""
    runner, wrong = as_runner(all_defects()[slug]()), []
    for probe in probes():
        results = [runner.run(operation, probe.copies(), probe.problem) for _ in range(2)]
        assert all(result.shape == probe.truth[operation].shape for result in results)
        if not all(np.array_equal(result, probe.truth[operation]) for result in results):
            wrong.append(probe.name)
    return wrong


@each
def test_a_defect_shows_in_the_operations_that_it_declares_and_in_no_others(slug):
    assert tuple(name for name in OPERATIONS if showing(slug, name)) == all_defects()[slug].operations


@each
def test_a_defect_shows_on_two_problems_at_least(slug):
    assert max(len(showing(slug, name)) for name in OPERATIONS) >= 2


@each
def test_what_a_defect_shows_is_what_is_predicted(slug):
    predicted = {name: [probe.name for probe in probes() if shows(slug, name, probe)] for name in OPERATIONS}
    assert predicted == {name: showing(slug, name) for name in OPERATIONS}


@each
def test_a_defect_is_named_alone(slug):
    # No two models are equivalent on the probes: whoever adds one that is must list the pair here.
    diagnosis = diagnose(all_defects()[slug]())
    assert diagnosis.defect == slug
    assert diagnosis.defects == (slug,)
    assert [finding.operations for finding in diagnosis.findings] == [all_defects()[slug].operations]
    assert not diagnosis.correct


@each
def test_a_defect_says_what_is_wrong_and_what_it_usually_means(slug):
    defect = all_defects()[slug]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert re.fullmatch(r"[^\n]+[^.]\.", defect.summary())
    assert re.fullmatch(r"[^A-Z][^\n]+[^.]\.|[A-Z]\S+ .+\.|\[.*\.", defect.usually)
    assert "sually" not in defect.usually


def test_slugs_come_from_class_names_and_keep_their_order():
    assert len(SLUGS) >= 45
    assert SLUGS[:2] == ["kernel-flipped", "kernel-rows-flipped"]
    assert all(defect().name == slug for slug, defect in all_defects().items())
    assert all(slug.replace("-", "") == defect.__name__.lower() for slug, defect in all_defects().items())
