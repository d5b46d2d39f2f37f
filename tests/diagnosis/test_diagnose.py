"""Implementations of all kinds get a sensible diagnosis, models of ours and strangers alike."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from refconv.diagnosis import all_defects, diagnose
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.probes import PROBLEMS
from refconv.reference import im2col


def test_a_correct_implementation_is_correct():
    diagnosis = diagnose(im2col)
    assert diagnosis.correct
    assert "quantised" not in diagnosis.description
    assert (diagnosis.defect, diagnosis.defects, diagnosis.refused) == (None, (), ())
    assert re.fullmatch(
        r"forward, grad_input, grad_weight and grad_bias are equal to the exact result on 8 problems, "
        r"and on \d+ wider ones\.",  # as many as there is time for
        diagnosis.description,
    )


def test_what_was_never_run_is_not_correct():
    class Nothing:
        def forward(self, x, weight, bias, problem):
            raise NotImplementedError

    diagnosis = diagnose(Nothing())
    assert not diagnosis.correct
    assert len(diagnosis.refused) == 32
    assert all(item.unsupported for item in diagnosis.refused)
    assert diagnosis.description.startswith("Nothing could be judged.\nNot supported: forward on 8 problems,")


class Quantised:
    def quantized_forward(self, x, weight, bias, quantization, problem):
        raise AssertionError("nobody asks for it")


def transposed(x, weight, bias, stride, padding, output_padding, groups, dilation):
    raise AssertionError("nobody asks for it")


@pytest.mark.parametrize("layer", [Quantised(), transposed])
def test_whoever_offers_quantised_or_transposed_layers_alone_is_told_who_looks_at_them(layer):
    description = diagnose(layer).description
    assert description.startswith("Nothing could be judged.")
    assert "refconv check names the bugs of quantised ones, too," in description
    assert description.endswith(" --vectors vectors/axes those of transposed convolutions and of one or three axes.")


def test_refused_problems_are_set_aside_and_the_others_are_judged():
    class NoGroups(Layer):
        def forward(self, x, weight, bias, problem):
            if problem.groups > 1:
                raise ValueError("groups must be 1")
            return all_defects()["bias-ignored"]().forward(x, weight, bias, problem)

    diagnosis = diagnose(NoGroups())
    assert diagnosis.defect == "bias-ignored"
    assert [item.probe for item in diagnosis.refused] == ["asymmetric", "grouped", "depthwise", "wide"]
    assert not any(item.unsupported for item in diagnosis.refused)
    assert re.search(r"seen on (\d+) of \1 problems", diagnosis.description)
    said = r"No result: forward on 4 problems \(ValueError at test_diagnose.py:\d+: groups must be 1\)\."
    assert re.search(said, diagnosis.description)


@pytest.mark.parametrize("result", [None, "y", np.array([None])])
def test_what_is_no_array_of_numbers_is_set_aside(result):
    diagnosis = diagnose(SimpleNamespace(grad_bias=lambda grad_output, problem: result))
    assert not diagnosis.evidence
    assert "array of numbers" in diagnosis.description


def test_a_defect_that_explains_everything_goes_before_one_that_explains_a_part():
    # grad_input alone would be grad-input-not-flipped, too
    diagnosis = diagnose(all_defects()["kernel-flipped"]())
    assert diagnosis.defects == ("kernel-flipped",)


def test_a_defect_of_one_operation_goes_before_one_that_would_show_elsewhere():
    class Backward(Layer):
        def grad_input(self, grad_output, weight, problem):
            return all_defects()["kernel-flipped"]().grad_input(grad_output, weight, problem)

    assert diagnose(Backward()).defects == ("grad-input-not-flipped",)


def test_what_cannot_be_told_apart_is_reported_as_equal():
    flipped = all_defects()["kernel-flipped"]()
    diagnosis = diagnose(SimpleNamespace(grad_input=flipped.grad_input))
    assert diagnosis.defects == ("kernel-flipped", "grad-input-not-flipped")
    assert "Equivalent here: grad-input-not-flipped." in diagnosis.description


def test_different_defects_of_different_operations_are_found_apart():
    class Two(Layer):
        def forward(self, x, weight, bias, problem):
            return all_defects()["stride-axes-swapped"]().forward(x, weight, bias, problem)

        def grad_bias(self, grad_output, problem):
            return grad_output.sum((0, 2, 3)) / problem.batch

    findings = {finding.operations: finding.defects for finding in diagnose(Two()).findings}
    assert findings == {("forward",): ("stride-axes-swapped",), ("grad_bias",): ("gradients-divided-by-batch",)}


def test_one_problem_alone_is_said_to_be_one():
    class OnlyPointwise(Layer):
        def forward(self, x, weight, bias, problem):
            if problem.descriptor != PROBLEMS["pointwise"]:
                raise NotImplementedError
            return all_defects()["pointwise-ignores-stride"]().forward(x, weight, bias, problem)

    diagnosis = diagnose(OnlyPointwise())
    assert diagnosis.findings[0].shown == 1
    assert "Only one of the problems shows it" in diagnosis.description


@pytest.mark.usefixtures("the_real_clock")
def test_a_defect_must_predict_the_right_results_as_well():
    class OnlyPadded(Layer):
        def forward(self, x, weight, bias, problem):
            bent = all_defects()["bias-ignored"]() if problem.padding[0] == (1, 1) else Layer()
            return bent.forward(x, weight, bias, problem)

    diagnosis = diagnose(OnlyPadded())
    assert diagnosis.defect is None
    wrong = [item for item in diagnosis.evidence if item.wrong]
    assert [item.matches for item in wrong if item.probe in PROBLEMS] == [("bias-ignored",)]
    assert all("bias-ignored" in item.matches for item in wrong if item.matches is not None)
    assert "look like bias-ignored, which would show on more problems" in diagnosis.description


def test_what_nobody_modelled_is_described():
    class Odd(Layer):
        def forward(self, x, weight, bias, problem):
            return super().forward(x, weight, bias, problem) * (3 if problem.groups > 1 else 1)

    diagnosis = diagnose(Odd())
    assert diagnosis.defect is None
    assert not diagnosis.correct
    assert re.search(
        r"forward: wrong on \d+ of \d+ problems, and no single known defect fits all", diagnosis.description
    )
    assert "of 576 elements, y[0, 0, 0, 0]: expected " in diagnosis.description
    assert "All problems that go wrong, and no others, have groups." in diagnosis.description


def test_a_defect_of_some_problems_is_named_for_those():
    class Mixed(Layer):
        def forward(self, x, weight, bias, problem):
            slug = "bias-twice" if problem.groups > 1 else "bias-ignored"
            return all_defects()[slug]().forward(x, weight, bias, problem)

    diagnosis = diagnose(Mixed())
    assert diagnosis.defect is None
    assert "On 4 of them it looks like bias-ignored, but not on n2c6i9x8-" in diagnosis.description


@pytest.mark.usefixtures("the_real_clock")
def test_small_differences_look_like_rounding():
    class Rounding(Layer):
        def forward(self, x, weight, bias, problem):
            return super().forward(x, weight, bias, problem) * np.float32(1 + 2**-20)

    assert "it looks like rounding" in diagnose(Rounding()).description


def test_results_that_differ_from_call_to_call_are_said_to():
    class Uninitialised(Layer):
        calls = 0

        def grad_weight(self, x, grad_output, problem):
            self.calls += 1
            return super().grad_weight(x, grad_output, problem) + self.calls % 7

    diagnosis = diagnose(Uninitialised())
    assert diagnosis.defect is None
    assert "Two calls with equal inputs differ" in diagnosis.description
