"""A layer that nobody bent is a convolution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import integer_tensors, problems

from refconv import ConvProblem
from refconv.diagnosis.layer import ABSENT, Layer
from refconv.implementations import ARGUMENTS
from refconv.reference import direct

OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]


@pytest.mark.parametrize("operation", OPERATIONS)
@given(problem=problems(), dtype=st.sampled_from([np.float64, np.float32, np.int64]))
@settings(max_examples=40, deadline=None)
def test_a_layer_equals_the_seven_loops(operation, problem, dtype):
    tensors = integer_tensors(problem, largest=3, dtype=dtype)
    arguments = [tensors[name] for name in ARGUMENTS[operation]]
    expected = getattr(direct, operation)(*arguments, problem)
    got = getattr(Layer(), operation)(*arguments, problem)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


def test_a_layer_has_as_many_axes_as_its_problem():
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(4,), kernel_size=(2,), stride=(2,))
    y = Layer().forward(np.array([[[1, 2, 3, 4]]]), np.array([[[10, 1]]]), np.array([100]), problem)
    assert y.tolist() == [[[112, 134]]]  # 10 + 2 + 100, 30 + 4 + 100


def test_pixels_are_the_taps_of_both_axes_and_absent_beyond_the_image():
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 3), kernel_size=(1, 2),
                          padding=((0, 0), (1, 0)))  # fmt: skip
    expected = [[ABSENT, 0], [0, 1], [1, 2], [ABSENT, 3], [3, 4], [4, 5]]
    assert Layer().pixels(problem).tolist() == expected
