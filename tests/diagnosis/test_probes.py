"""The probes are exact, and tell apart what people confuse."""

import numpy as np
import pytest

from refconv.diagnosis.layer import Layer
from refconv.diagnosis.probes import BUDGET, PROBLEMS, probe_named, probe_of, probes
from refconv.implementations import as_runner
from refconv.problem import ConvProblem
from refconv.reference import direct

OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
each = pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


@each
@each_operation
def test_float32_arithmetic_is_exact_on_a_probe(probe, operation):
    np.testing.assert_array_equal(
        as_runner(Layer()).run(operation, probe.copies(), probe.problem), probe.truth[operation]
    )


@each
@each_operation
def test_no_partial_sum_exceeds_the_budget_in_any_order(probe, operation):
    magnitudes = {name: np.abs(tensor.astype(np.float64)) for name, tensor in probe.tensors.items()}
    assert as_runner(Layer()).run(operation, magnitudes, probe.problem).max() <= BUDGET


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_truth_is_that_of_the_seven_loops(operation):
    probe = next(item for item in probes() if item.name == "asymmetric")
    np.testing.assert_array_equal(
        as_runner(direct).run(operation, probe.copies(), probe.problem), probe.truth[operation]
    )


@each
def test_a_probe_cannot_be_spoilt(probe):
    assert not any(tensor.flags.writeable for tensor in [*probe.tensors.values(), *probe.truth.values()])
    probe.copies()["x"][:] = 0
    assert probe.tensors["x"].all()


def test_no_two_probes_have_parameters_of_one_shape():
    assert len({probe.problem.weight_shape for probe in probes()}) == len(PROBLEMS)
    assert len({probe.problem.bias_shape for probe in probes()}) == len(PROBLEMS)


def test_limited_layers_can_take_part_in_three_problems():
    # One stride, one symmetric padding, no dilation, no groups: what most hand-written layers know.
    plain = [
        probe.name
        for probe in probes()
        if probe.problem.groups == 1
        and len(set(probe.problem.stride)) == 1
        and set(probe.problem.dilation) == {1}
        and len({pad for pads in probe.problem.padding for pad in pads}) == 1
    ]
    assert plain == ["plain", "padded", "even"]


def test_a_probe_is_made_once_however_it_is_asked_for():
    problem = ConvProblem.from_descriptor("n1c1i1x3-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x2")
    probe = probe_of(problem)
    assert probe is probe_of(problem, "float32") is probe_of(problem, layout="C") is probe_named(probe.name)
