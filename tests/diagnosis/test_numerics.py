"""Arithmetic is named by simulating it."""

import ml_dtypes
import numpy as np
import pytest

from refconv.diagnosis.explain import explain
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.numerics import explain_rounding, flushes
from refconv.diagnosis.observe import observe
from refconv.diagnosis.recover import ROLES
from refconv.implementations import as_runner


def rounded(tensor, dtype):
    return tensor.astype(dtype).astype(np.float32)


class Narrow(Layer):
    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def operand(self, name, tensor):
        return rounded(tensor, self.dtype)


class NarrowResult(Narrow):
    def operand(self, name, tensor):
        return tensor

    def result(self, operation, value, problem):
        return rounded(value, self.dtype)


class LateBias(Narrow):
    def forward(self, x, weight, bias, problem):
        y = rounded(Layer().forward(x, weight, None, problem), self.dtype)
        return rounded(y + bias[:, None, None], self.dtype)


class Halves(Layer):
    """Adds up in float16, tap by tap."""

    def forward(self, x, weight, bias, problem):
        x = np.pad(x, ((0, 0), (0, 0), *problem.padding))
        y = np.zeros(problem.y_shape, np.float16)
        (oh, ow) = problem.output_size
        for c, i, j in np.ndindex(weight.shape[1:]):
            patch = x[:, c, i : i + oh, j : j + ow][:, None]
            y = (y + (patch.astype(np.float64) * weight[:, c, i, j][:, None, None]).astype(np.float16)).astype(
                np.float16
            )
        return rounded(y + bias.astype(np.float64)[:, None, None], np.float16)


@pytest.mark.parametrize("operation", list(ROLES))
@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_rounded_inputs_and_results_are_told_apart(operation, name):
    dtype = getattr(ml_dtypes, name, getattr(np, name, None))
    assert explain_rounding(as_runner(Narrow(dtype)), operation).startswith(f"The inputs are rounded to {name}")
    assert explain_rounding(as_runner(NarrowResult(dtype)), operation) == f"The result is rounded to {name}."


def test_a_bias_added_after_rounding_is_named():
    text = explain_rounding(as_runner(LateBias(ml_dtypes.bfloat16)), "forward")
    assert text == "The sum is rounded to bfloat16 before the bias is added, and again after."


def test_sums_in_float16_are_named():
    assert "float16 while they are added" in explain_rounding(as_runner(Halves()), "forward")


def test_without_products_or_an_answer_no_arithmetic_is_named():
    class Refuses(Layer):
        def forward(self, x, weight, bias, problem):
            raise ValueError("no such kernel")

    assert explain_rounding(as_runner(NarrowResult(np.float16)), "grad_bias") == ""
    assert explain_rounding(as_runner(Refuses()), "forward") == ""


def test_small_errors_are_explained_by_the_arithmetic():
    runner = as_runner(NarrowResult(ml_dtypes.bfloat16))
    items, _ = observe(runner, operations=["forward"])
    assert str(explain(runner, "forward", items, [])) == "The result is rounded to bfloat16."


def test_honest_arithmetic_has_no_name():
    assert explain_rounding(as_runner(Layer()), "forward") == ""


def test_flushing_to_zero_is_seen():
    class Flushes(Layer):
        def operand(self, name, tensor):
            return np.where(np.abs(tensor) < np.finfo(np.float32).tiny, np.float32(0), tensor)

    class FlushesProducts(Layer):
        def result(self, operation, value, problem):
            return np.where(np.abs(value) < np.finfo(np.float32).tiny, 0, value) * (problem.batch > 0)

    assert flushes(as_runner(Layer())) == ""
    assert flushes(as_runner(Flushes())) == "Subnormal numbers are flushed to zero."
    assert "flushed to zero" in flushes(as_runner(FlushesProducts()))
