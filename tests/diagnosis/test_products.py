"""The table of products is the convolution."""

import numpy as np
import pytest

from refconv.diagnosis.layer import Layer
from refconv.diagnosis.linear import true_linear
from refconv.diagnosis.probes import probes
from refconv.diagnosis.products import ROLES, slots_of
from refconv.problem import ConvProblem


@pytest.mark.parametrize("operation", list(ROLES))
@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)
def test_the_true_table_gives_the_true_result(probe, operation):
    got = slots_of(probe.problem).products().compute(operation, probe.tensors)
    if operation == "forward":
        got += true_linear("forward", probe.problem).compute(probe.tensors)
    assert np.array_equal(got, probe.truth[operation])


@pytest.mark.parametrize("axes", [1, 3])
def test_other_numbers_of_axes_have_tables_too(axes):
    problem = ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(5, 4, 6)[:axes],
                          kernel_size=(2, 3, 2)[:axes], stride=(2, 1, 3)[:axes])  # fmt: skip
    rng = np.random.default_rng(5)
    x, weight = (rng.integers(-9, 9, problem.shape_of(name)).astype(float) for name in ("x", "weight"))
    got = slots_of(problem).products().compute("forward", {"x": x, "weight": weight})
    assert np.array_equal(got, Layer().forward(x, weight, None, problem))


def test_tables_are_the_same_in_any_order_and_differ_by_a_factor():
    products = slots_of(probes()[0].problem).products()
    turned = type(products)(products.problem, products.y[::-1], products.x[::-1], products.weight[::-1],
                            products.factor[::-1].copy())  # fmt: skip
    assert products.same(turned)
    turned.factor[3] = 2
    assert not products.same(turned)
    fewer = type(products)(products.problem, *(getattr(products, name)[1:] for name in ("y", "x", "weight", "factor")))
    assert not products.same(fewer)
