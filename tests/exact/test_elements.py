"""The products of single elements against the sums that the seven loops make of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import every_problem, integer_tensors

from refconv.exact import FACTORS
from refconv.exact.elements import factors_of
from refconv.reference import direct


@settings(max_examples=60, deadline=None)
@given(every_problem(smallest=1), st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight"])
def test_the_products_of_every_element_add_up_to_it(operation, problem, seed):
    tensors = integer_tensors(problem, seed)
    factors = [tensors[name] for name in FACTORS[operation]]
    shape = problem.shape_of(operation)
    places = np.unravel_index(np.random.default_rng(seed).permutation(np.prod(shape)), shape)
    read, met = factors_of(operation, factors, problem, places)
    assert read.shape == met.shape
    assert len(read) == np.prod(shape)
    assert read.shape[1] >= problem.reduction_length(operation)  # of a grad_input, products with nothing come along
    arguments = (*factors, None, problem) if operation == "forward" else (*factors, problem)
    np.testing.assert_array_equal((read * met).sum(axis=1), getattr(direct, operation)(*arguments)[places])
