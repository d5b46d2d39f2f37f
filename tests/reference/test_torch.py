"""PyTorch as an outside oracle, in float64 on integers: equality."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import every_problem, integer_tensors, run

import refconv
from refconv import ConvProblem
from refconv.reference import direct, im2col, sparse

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.oracle


@settings(max_examples=100, deadline=None)
@given(problem=every_problem(smallest=1), seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("reference", [direct, sparse, im2col], ids=lambda module: module.name)
def test_autograd_says_the_same(reference, problem, seed):
    tensors = integer_tensors(problem, seed)
    x, weight, bias = (torch.tensor(tensors[name], requires_grad=True) for name in ("x", "weight", "bias"))
    padded = torch.nn.functional.pad(x, [size for pair in reversed(problem.padding) for size in pair])
    layer = getattr(torch.nn.functional, f"conv{len(problem.input_size)}d")
    y = layer(padded, weight, bias, problem.stride, 0, problem.dilation, problem.groups)
    y.backward(torch.tensor(tensors["grad_output"]))
    got = run(reference, tensors, problem)
    np.testing.assert_array_equal(got["forward"], y.detach().numpy())
    np.testing.assert_array_equal(got["grad_input"], x.grad.numpy())
    np.testing.assert_array_equal(got["grad_weight"], weight.grad.numpy())
    np.testing.assert_array_equal(got["grad_bias"], bias.grad.numpy())


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=40, deadline=None)
@given(problem=every_problem(smallest=1), seed=st.integers(0, 2**32 - 1))
def test_same_is_pytorchs_same_where_pytorch_has_it(problem, seed):
    how = {"padding": "same", "dilation": problem.dilation, "groups": problem.groups}
    tensors = integer_tensors(ConvProblem.from_shapes(problem.x_shape, problem.weight_shape, **how), seed)
    name = f"conv{len(problem.input_size)}d"
    y = getattr(torch.nn.functional, name)(torch.tensor(tensors["x"]), torch.tensor(tensors["weight"]), **how)
    np.testing.assert_array_equal(getattr(refconv, name)(tensors["x"], tensors["weight"], **how), y.numpy())


def test_im2col_takes_torch_tensors():
    problem = ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2))
    tensors = integer_tensors(problem)
    got = run(im2col, {name: torch.tensor(tensor) for name, tensor in tensors.items()}, problem)
    for operation, expected in run(direct, tensors, problem).items():
        assert isinstance(got[operation], torch.Tensor)
        np.testing.assert_array_equal(got[operation].numpy(), expected)
