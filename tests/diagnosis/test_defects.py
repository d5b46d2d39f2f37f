"""Every defect model is a defect, says what it is, and is found."""

import functools
import re

import numpy as np
import pytest

from refconv.diagnosis import all_defects, diagnose
from refconv.diagnosis.find import find, matched
from refconv.diagnosis.observe import observe
from refconv.diagnosis.predict import shows
from refconv.diagnosis.probes import probe_named, probes
from refconv.implementations import as_runner

OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
SLUGS = list(all_defects())

each = pytest.mark.parametrize("slug", SLUGS)


@functools.cache
def seen(slug):
    """Run a defect itself, twice in a row on each probe, beside what the registry declares of it."""
    observations, refused = observe(as_runner(all_defects()[slug]()))
    assert (len(observations), refused) == (len(OPERATIONS) * len(probes()), [])
    return observations


def showing(slug):
    """List the probes on which a defect shows, in one of the two calls."""
    wrong = {name: [] for name in OPERATIONS}
    for item in seen(slug):
        truth = probe_named(item.probe).truth[item.operation]
        assert all(result.shape == truth.shape for result in item.results)
        if not all(np.array_equal(result, truth) for result in item.results):
            wrong[item.operation].append(item.probe)
    return wrong


@each
def test_a_defect_shows_where_it_says_and_is_predicted(slug):
    wrong = showing(slug)
    assert tuple(name for name in OPERATIONS if wrong[name]) == all_defects()[slug].operations
    assert max(map(len, wrong.values())) >= 2  # problems
    predicted = {name: [probe.name for probe in probes() if shows(slug, name, probe)] for name in OPERATIONS}
    assert predicted == wrong


@each
def test_a_defect_is_named_alone_on_the_usual_probes(slug):
    # No two models are equivalent there: whoever adds one that is must list the pair here.
    (finding,) = find(matched(seen(slug)))
    assert [name for name in finding.defects if name in all_defects()] == [slug]
    assert finding.defects[0] == slug
    assert finding.operations == all_defects()[slug].operations


@pytest.mark.parametrize("slug", SLUGS[::40])
def test_a_diagnosis_names_it_too(slug):
    diagnosis = diagnose(all_defects()[slug]())
    assert diagnosis.defects == (slug,)
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
