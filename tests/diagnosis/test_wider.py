"""Bugs that wait for many channels, a format or a layout are found all the same."""

import numpy as np

from refconv.diagnosis import diagnose
from refconv.diagnosis.explain import explain
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.observe import observe, observe_one
from refconv.diagnosis.probes import probe_named
from refconv.diagnosis.wider import SMALL, build_ahead, observe_wider, wider_probes
from refconv.implementations import as_runner, references
from refconv.problem import ConvProblem


def test_the_references_are_right_on_all_wider_problems():
    seen = observe_wider(as_runner(references.im2col()), seconds=60)
    assert {item.probe for item in seen} == {probe.name for probe in wider_probes()}
    assert not any(item.wrong for item in seen)


def test_predictions_and_narrow_probes_agree():
    for probe in list(wider_probes())[:8]:
        observed, refused = observe(as_runner(Layer()), [probe])
        assert probe.element.is_integer or not any(item.wrong for item in observed), probe.name


def test_a_bug_of_many_channels_is_found_and_bounded():
    class Many(Layer):
        def forward(self, x, weight, bias, problem):
            y = super().forward(x, weight, bias, problem)
            return y * (2 if problem.in_channels // problem.groups >= 48 else 1)

    diagnosis = diagnose(Many())
    assert not diagnosis.correct
    (explanation,) = diagnosis.explanations
    assert explanation.conditions.found == ("C/G >= 48",)
    assert "multiplied by 2" in diagnosis.description


def test_a_bug_of_one_format_is_found():
    class Half(Layer):
        def grad_bias(self, grad_output, problem):
            return super().grad_bias(grad_output, problem) * (3 if grad_output.dtype == np.float16 else 1)

    description = diagnose(Half()).description
    assert "multiplied by 3" in description
    assert "Only in float16" in description


def test_a_large_problem_of_one_format_is_not_described_in_another():
    class Long(Layer):
        def forward(self, x, weight, bias, problem):
            wrong = problem.in_channels >= 3000 or x.dtype == np.float16
            return super().forward(x, weight, bias, problem) * (2 if wrong else 1)

    runner, large = as_runner(Long()), "n1c4000i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1"
    chosen = [probe_named(name) for name in (f"{large} float32 C", f"{SMALL} float16 C", "plain")]
    items = [observe_one(runner, "forward", probe) for probe in chosen]
    assert [bool(item.wrong) for item in items] == [True, True, False]
    found = explain(runner, "forward", items, [], seconds=2)
    assert (found.problem, found.exact) == (SMALL, True)  # the quick one, in its own format


def test_a_given_problem_is_run_in_all_formats_in_which_it_is_exact():
    class Rare(Layer):
        def forward(self, x, weight, bias, problem):
            y = super().forward(x, weight, bias, problem)
            return 2 * y if problem.kernel_size == (1, 9) and x.dtype == np.float16 else y

    long = ConvProblem.from_descriptor("n1c900i1x9-k2w1x9-s1x1-d1x1-p0+0x0+0-g1-o1x1")
    large = ConvProblem.from_descriptor("n9000c2i1x3-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x2")  # takes too long
    given = [long, ConvProblem.from_descriptor("n1c2i3x10-k2w1x9-s1x1-d1x1-p0+0x0+0-g1-o3x2")]
    seen = observe_wider(as_runner(Rare()), ["forward"], given=[*given, large], seconds=60)
    assert large.descriptor not in {item.problem for item in seen}
    formats = [item.probe.split(" ")[1] for item in seen if item.problem == given[0].descriptor]
    assert formats == ["float64"]  # sums of 16 bits are not, and a layer that adds bytes up in bytes is not asked
    assert [item.probe for item in seen if item.wrong] == [f"{given[1]} float16 C"]


def test_a_bug_of_a_known_problem_is_found_there():
    class Rare(Layer):
        def forward(self, x, weight, bias, problem):
            y = super().forward(x, weight, bias, problem)
            if problem.kernel_size == (1, 9) and problem.dilation[1] == 3:
                y[..., -1] = 0
            return y

    problem = ConvProblem.from_descriptor("n1c2i3x40-k2w1x9-s1x1-d1x3-p0+0x0+0-g1-o3x16")
    assert diagnose(Rare()).correct
    diagnosis = diagnose(Rare(), problem=problem)
    assert not diagnosis.correct
    assert "(the last) are not computed (zero)" in diagnosis.description
    assert {"kW == 9", "kH == 1", "dW == 3"} <= set(diagnosis.explanations[0].conditions.found)


def test_problems_are_made_ahead_until_it_is_enough():
    asked = []
    build_ahead(lambda: asked.append(1) or len(asked) == 3)
    assert len(asked) == 3
