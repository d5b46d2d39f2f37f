"""Several defects at once are several defects."""

import itertools
import random

import numpy as np
import pytest
from problems import integer_tensors

from refconv import ConvProblem
from refconv.diagnosis.defects import all_defects, every_defect, triggered_defects
from refconv.diagnosis.defects.compose import Together
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.probes import probe_named, probes
from refconv.implementations import as_runner
from refconv.problem import OPERATIONS

PAIRS = random.Random(0).sample(list(itertools.combinations(all_defects(), 2)), 40)


def wrong(layer, probe):
    runner = as_runner(layer)
    return [
        name
        for name in OPERATIONS
        if not np.array_equal(runner.run(name, probe.copies(), probe.problem), probe.truth[name])
    ]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_defects_at_once_differ_from_the_truth(first, second):
    layer = Together(all_defects()[first], all_defects()[second])
    assert any(wrong(layer, probe) for probe in probes())


@pytest.mark.parametrize("slug", all_defects())
def test_one_defect_together_with_nothing_is_that_defect(slug):
    defect, probe = all_defects()[slug], probe_named("asymmetric")
    assert wrong(Together(defect), probe) == wrong(defect(), probe)


@pytest.mark.parametrize("slug", triggered_defects())
def test_a_triggered_defect_shows_beside_one_that_does_not(slug):
    defect = triggered_defects()[slug]
    problem = ConvProblem.from_descriptor(defect.example)
    tensors = integer_tensors(problem, seed=3, dtype=np.dtype(defect.dtype))
    layer = Together(every_defect()["gradients-accumulated"], defect)
    for operation in defect.operations:
        got, truth = (as_runner(item).run(operation, tensors, problem) for item in (layer, Layer()))
        assert not np.array_equal(got, truth)


def test_the_effects_of_two_defects_add_up():
    probe = probe_named("padded")
    layer = Together(all_defects()["kernel-flipped"], all_defects()["bias-twice"])
    flipped = all_defects()["kernel-flipped"]().forward(
        probe.tensors["x"], probe.tensors["weight"], 2 * probe.tensors["bias"], probe.problem
    )
    np.testing.assert_array_equal(as_runner(layer).run("forward", probe.copies(), probe.problem), flipped)


def test_a_defect_and_its_parent_can_stand_together():
    child = type("KernelTwiceWrong", (all_defects()["kernel-flipped"],), {"source": "here", "__doc__": "It is."})
    probe = probe_named("plain")
    both = Together(all_defects()["kernel-flipped"], child)
    assert wrong(both, probe) == wrong(child(), probe) == ["forward", "grad_input", "grad_weight"]
    assert wrong(Together(), probe) == []
