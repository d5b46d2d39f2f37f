"""What a policy makes of a task."""

from dataclasses import replace

import numpy as np
import pytest

from refconv import ConvProblem, DisagreementError
from refconv.catalogue import cases
from refconv.formats import get_format
from refconv.generate.consensus import consult, golden_case
from refconv.generate.tasks import Task, under
from refconv.implementations import load_implementation

PROBLEM = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(2, 3), kernel_size=(2, 2),
                      stride=(2, 1), padding=((1, 0), (0, 2)))  # fmt: skip
INPUTS = {"x": np.ones((1, 1, 2, 3), np.float32), "weight": np.ones((2, 1, 2, 2), np.float32),
          "bias": np.ones(2, np.float32)}  # fmt: skip
TASK = Task("demo", "forward", PROBLEM, INPUTS, get_format("float32"), None)


@pytest.mark.parametrize("policy", ["", "padding-is-absent", "no-input-channels-give-bias", "subnormals-are-kept"])
def test_the_rule_of_refconv_changes_nothing(policy):
    assert under(policy, TASK) is TASK


def test_padding_becomes_a_part_of_the_image():
    task = under("padding-is-zero", TASK)
    assert task.inputs["x"].tolist() == [[[[0, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0]]]]
    assert task.problem.padding == ((0, 0), (0, 0))
    assert task.problem.y_shape == PROBLEM.y_shape


def test_no_input_channels_may_give_no_output_channels():
    task = under("no-input-channels-give-nothing", TASK)
    assert (task.inputs["weight"].shape, task.inputs["bias"].shape) == ((0, 1, 2, 2), (0,))
    assert task.problem.y_shape == (1, 0, 1, 4)


def test_subnormal_inputs_are_flushed_and_normal_ones_are_not():
    x = np.array([[[[2.0**-126, -(2.0**-127), 1.0], [np.nan, np.inf, -(2.0**-149)]]]], np.float32)
    task = under("subnormals-are-flushed", Task("demo", "forward", PROBLEM, {"x": x}, get_format("float32"), None))
    np.testing.assert_array_equal(task.inputs["x"], [[[[2.0**-126, 0, 1], [np.nan, np.inf, 0]]]])


class Oracle:
    """An engine that follows one policy, or none."""

    name = "oracle"

    def __init__(self, factor=1.0):
        self.factor, self.engine = factor, load_implementation("im2col")

    def run(self, operation, tensors, problem):
        return self.engine.run(operation, tensors, problem) * self.factor


@pytest.mark.parametrize(("factor", "said"), [(1.0, "padding-is-zero"), (3.0, "none of the policies")])
def test_an_oracle_may_differ_on_a_choice_and_what_it_does_is_recorded(factor, said):
    [spec] = cases("core", ["choice-padding-float32-exact/padding-inf-weight"])
    assert consult(Oracle(factor), spec) == {"forward": said}


def test_an_oracle_may_not_differ_on_a_special_value_that_is_valid():
    [spec] = cases("core", ["non-finite-float32-exact/x"])
    assert consult(Oracle(), spec) == {"forward": "equal", "grad_weight": "equal"}
    with pytest.raises(DisagreementError, match="oracle must agree with the references on forward"):
        consult(Oracle(-1.0), spec)


def test_an_oracle_with_another_shape_is_told_apart():
    [spec] = cases("core", ["choice-no-channels-*"])
    assert consult(Oracle(), spec) == {"forward": "no-input-channels-give-bias"}


class Refusing(Oracle):
    def run(self, operation, tensors, problem):
        raise ValueError("no such kernel")


@pytest.mark.parametrize(("oracle", "said"), [(Refusing, "refused"), (Oracle, "empty")])
def test_an_oracle_may_refuse_a_kernel_that_exceeds_the_input(oracle, said):
    [spec] = cases("core", ["choice-oversized-kernel-*/kernel-above-input"])
    assert consult(oracle(), spec) == {"forward": f"oversized-kernel-is-{said}"}
    assert golden_case(spec).alternatives["oversized-kernel-is-refused"] == {}


def test_an_oracle_may_refuse_an_empty_batch():
    [spec] = cases("core", ["batch-float32-exact/n0"])
    assert set(consult(Refusing(), spec).values()) == {"refused"}


def test_a_quantised_case_whose_roundings_differ_must_state_its_policies():
    [spec] = cases("core", ["quantized-int8-bytes/ties"])
    with pytest.raises(DisagreementError, match=f"^{spec.id}: ways to round differ here, so that the row must state"):
        golden_case(replace(spec, row=replace(spec.row, policies=())))


def test_padding_that_is_zero_gives_nan_and_padding_that_is_absent_does_not():
    [spec] = cases("core", ["choice-padding-float32-exact/padding-inf-weight"])
    alternatives = golden_case(spec).alternatives
    assert not np.isnan(alternatives["padding-is-absent"]["y"].tensor).any()
    assert np.isnan(alternatives["padding-is-zero"]["y"].tensor).any()
