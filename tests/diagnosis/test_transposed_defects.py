"""Every defect model of transposed convolutions is a defect, says what it is, and is told from the others."""

import functools
import re

import numpy as np
import pytest

from refconv.catalogue.shapes import up
from refconv.diagnosis.defects import every_defect, transposed_defects
from refconv.diagnosis.defects.transposed import TransposedLayer
from refconv.implementations import ARGUMENTS, as_runner
from refconv.problem import OPERATIONS
from refconv.reference.transposed import direct

SLUGS = list(transposed_defects())
PROBES = [
    up(2, (6, 9), (3, 4), (3, 2), (2, 3), (1, 3), ((1, 0), (2, 1)), 3, (1, 2)),
    up(3, (4, 4), (4, 2), (2, 3), (3, 2), (2, 1), ((0, 1), (1, 0)), 2, (2, 1)),
    up(2, (3, 2), (2, 3), (3, 4), (1, 4), (3, 1), ((3, 1), (0, 0)), 1, (0, 3)),
    up(2, (4, 4), (3,), (5,), (2,), (2,), ((2, 3),), 4, (1,)),
    up(2, (2, 3), (2, 3, 2), (2, 3, 2), (2, 1, 2), (1, 2, 1), ((0, 1), (1, 2), (0, 0)), 1, (1, 1, 0)),
]


@functools.cache
def tensors(problem):
    numbers = np.random.default_rng(20261125)
    names = ("x", "weight", "bias", "grad_output")
    return {name: numbers.integers(1, 99, problem.shape_of(name)).astype(np.float64) for name in names}


def run(layer, operation, problem):
    try:
        return getattr(layer, operation)(*(tensors(problem)[name] for name in ARGUMENTS[operation]), problem)
    except ValueError:
        return None


@functools.cache
def results(slug):
    """Run a model on all probes; a problem that it refuses, or has no answer for, gives None."""
    layer = transposed_defects()[slug]()
    return {(operation, problem): run(layer, operation, problem) for operation in OPERATIONS for problem in PROBES}


def answer(slug, key):
    refused = results(slug)[key] is None and transposed_defects()[slug].refuses
    return np.zeros(0) if refused else results(slug)[key]


def alike(one, other):
    return one is None or other is None or (one.shape == other.shape and np.array_equal(one, other))


@pytest.mark.parametrize("problem", PROBES, ids=str)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_layer_itself_is_right(problem, operation):
    np.testing.assert_array_equal(run(TransposedLayer(), operation, problem), run(direct, operation, problem))


@pytest.mark.parametrize("slug", SLUGS)
def test_a_defect_shows_where_it_says(slug):
    shown = {operation for (operation, problem), got in results(slug).items()
             if not alike(got, run(direct, operation, problem))}  # fmt: skip
    assert shown == set(transposed_defects()[slug].operations)


def test_no_two_defects_predict_the_same():
    """Where one has no answer because there are too few axes, it is told by other problems; refusing is an answer."""
    same = [(one, other) for place, one in enumerate(SLUGS) for other in SLUGS[place + 1 :]
            if all(alike(answer(one, key), answer(other, key)) for key in results(one))]  # fmt: skip
    assert same == []


@pytest.mark.parametrize("slug", SLUGS)
def test_a_defect_says_what_is_wrong_what_it_usually_means_and_where_it_was_seen(slug):
    defect = transposed_defects()[slug]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert re.fullmatch(r"[^\n]+[^.]\.", defect.summary())
    assert re.fullmatch(r"[^\n]+[^.]\.", defect.usually)
    assert re.fullmatch(r"https://\S+|[^\n]+[^.]", defect.source)
    assert slug not in every_defect()
    assert as_runner(defect()).name == slug
