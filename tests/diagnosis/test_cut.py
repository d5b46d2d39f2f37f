"""Results whose range is cut are told by its ends, and others are not taken for them."""

import numpy as np
import pytest

from refconv.diagnosis.cut import cut_off
from refconv.diagnosis.explain import explain
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.observe import observe
from refconv.diagnosis.probes import probes
from refconv.implementations import as_runner

WRAPPED = "Every result is right but for the bits above the {} integers: it wraps around."


class Bent(Layer):
    def __init__(self, bent):
        self.bent = bent

    def result(self, operation, value, problem):
        return self.bent(value)


CASES = [
    (lambda y: np.clip(y, -2e4, 3e4), "Every result is right but for being cut off below -20000 and above 30000."),
    (lambda y: np.maximum(y, 0), "Every result is right but for being cut off below 0."),
    (lambda y: np.minimum(y, 6e3), "Every result is right but for being cut off above 6000."),
    (lambda y: (y + 2**15) % 2**16 - 2**15, WRAPPED.format("16 of signed")),
    (lambda y: y % 256, WRAPPED.format("8 of unsigned")),
    (lambda y: np.clip(y, -2e4, 3e4) + 1, ""),
    (lambda y: np.sign(y), ""),
    (lambda y: np.where(y > 3e4, 0, y), ""),
    (lambda y: y, ""),
    (lambda y: y[..., :-1], ""),
]


@pytest.mark.parametrize(("bent", "words"), CASES)
@pytest.mark.parametrize("operation", ["forward", "grad_weight"])
def test_a_range_that_is_cut_is_told(operation, bent, words):
    items, _ = observe(as_runner(Bent(bent)), probes()[:3], [operation])
    assert cut_off(items) == words


def test_one_result_too_small_is_not_cut_off():
    def bent(y):
        y = y.copy()
        y.flat[y.argmax()] = np.sort(y, axis=None)[-2]
        return y

    items, _ = observe(as_runner(Bent(bent)), probes()[:1], ["forward"])
    assert items[0].wrong == 1
    assert cut_off(items) == ""


def test_an_explanation_says_so():
    runner = as_runner(Bent(lambda y: np.maximum(y, 0)))
    items, _ = observe(runner, probes()[:2], ["forward"])
    assert explain(runner, "forward", items, []).remark == CASES[1][1]
