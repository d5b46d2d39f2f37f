"""A diagnosis says what is computed instead: for people, for machines, and as a drawing."""

import json
import time
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from more_strange_layers import LAYERS as MORE
from strange_layers import LAYERS

from refconv.diagnosis import diagnose
from refconv.diagnosis.explain import _affordable
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.pairs import together
from refconv.diagnosis.probes import probe_named
from refconv.implementations import as_runner

# These take seconds; all are put to diagnose by scripts/diagnosis_power.py strange.
LONG = (
    "blocks of sixteen", "Winograd sign", "a constant", "second group", "two threads", "pointwise without padding",
    "vector of eight", "stuffed kernel", "half precision", "by transposition", "unrolled 3x3", "every other column",
)  # fmt: skip
SHORT = [entry for entry in (*LAYERS, *MORE) if entry[0] not in LONG]


class OddColumns(Layer):
    def taps(self, problem, axis):
        taps = super().taps(problem, axis)
        return taps - (np.arange(len(taps)) % 2 == 1)[:, None] if axis == 1 else taps


@pytest.fixture(scope="module")
def odd():
    return diagnose(OddColumns())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layer", "truth", "words"), SHORT)
def test_a_strange_layer_is_told(name, layer, truth, words):
    description = diagnose(layer).description
    assert [word for word in words if word not in description] == [], description


def test_two_defects_at_once_are_named():
    diagnosis = diagnose(together("kernel-flipped", "bias-twice")())
    assert {frozenset(item.pair) for item in diagnosis.explanations} == {frozenset({"kernel-flipped", "bias-twice"})}
    assert "kernel-flipped" in diagnosis.description


def test_a_diagnosis_is_json(odd):
    data = json.loads(json.dumps(odd.as_json(), allow_nan=False))
    assert (data["correct"], data["defect"]) == (False, None)
    part = data["explanations"][0]["differences"][0]["parts"][0]
    assert part["where"]["all"] == [{"letter": "ow", "is": "%", "numbers": [2, 1]}]
    assert data["explanations"][0]["exact"]


def test_a_drawing_marks_the_wrong_taps(odd):
    lines = odd.drawing.text().splitlines()
    assert lines[0].startswith("What y[0, 0, 0, 1] reads of x[0, 0]")
    assert sum(line.count("+") for line in lines[1:-1]) == sum(line.count("-") for line in lines[1:-1]) > 0
    image = ElementTree.fromstring(odd.drawing.svg())
    classes = [item.get("class") for item in image.iter() if item.tag.endswith("rect")]
    assert {"wrong", "missing", "inside", "padding"} <= set(classes)
    assert len(classes) == len(lines[1:-1]) * len(lines[1].split())


def test_a_correct_layer_has_no_explanation_and_no_drawing():
    diagnosis = diagnose(Layer())
    assert (diagnosis.explanations, diagnosis.drawing) == ((), None)


def test_a_gradient_that_reads_the_wrong_tensor_is_said_to():
    from strange_layers import from_inputs

    assert "It depends on x, which has no part in it" in diagnose(from_inputs).description


@pytest.mark.usefixtures("the_real_clock")
def test_a_slow_layer_is_diagnosed_in_time():
    class Slow(OddColumns):
        def forward(self, *arguments):
            time.sleep(0.02)
            return super().forward(*arguments)

    begin = time.perf_counter()
    diagnosis = diagnose(Slow())
    assert time.perf_counter() - begin < 30  # fifteen on a machine that does nothing else
    assert not diagnosis.correct


@pytest.mark.usefixtures("the_real_clock")
@pytest.mark.parametrize(("seconds", "chosen"), [(60, "wide"), (0, "pointwise")])
def test_the_first_affordable_problem_is_looked_at_or_else_the_quickest(seconds, chosen):
    class SlowWhereWide(Layer):
        def forward(self, x, weight, bias, problem):
            time.sleep(0.05 if problem == probe_named("wide").problem else 0)
            return super().forward(x, weight, bias, problem)

    probes = [probe_named(name) for name in ("wide", "pointwise")]
    assert _affordable(as_runner(SlowWhereWide()), "forward", probes, seconds).name == chosen


def test_a_diagnosis_says_what_it_describes_and_draws_the_first_difference_that_can_be(odd):
    assert str(odd) == odd.description
    explanation = odd.explanations[0]
    nothing = replace(explanation, differences=(replace(explanation.differences[0], view=None),))
    assert replace(odd, explanations=(nothing, explanation)).drawing == odd.drawing
    assert replace(odd, explanations=(nothing, replace(explanation, differences=()))).drawing is None
