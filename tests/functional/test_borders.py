"""Padding modes: by hand, by PyTorch, and exact."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import ANY, integer_tensors, problems, run

import refconv
from refconv import CatalogueError, GeometryError
from refconv.functional.borders import MODES, Bordered
from refconv.reference import direct, im2col, sparse

REFERENCES = [direct, sparse, im2col]
each = pytest.mark.parametrize("reference", REFERENCES, ids=lambda module: module.name)
each_mode = pytest.mark.parametrize("mode", MODES[1:])
LINE = np.array([[[1.0, 2.0, 3.0, 4.0]]])
ONE, THREE = np.ones((1, 1, 1)), np.array([[[1.0, 10.0, 100.0]]])


@pytest.mark.parametrize(
    ("mode", "larger"),
    [("circular", [3, 4, 1, 2, 3, 4, 1]), ("reflect", [3, 2, 1, 2, 3, 4, 3]), ("replicate", [1, 1, 1, 2, 3, 4, 4])],
)
def test_the_border_holds_copies_of_the_image(mode, larger):
    assert refconv.conv1d(LINE, ONE, padding=((2, 1),), padding_mode=mode).ravel().tolist() == larger


@pytest.mark.parametrize(
    ("mode", "gradient"),
    [
        ("circular", [1000100, 1000, 10001, 100010]),
        ("reflect", [100, 1010, 1010001, 100000]),
        ("replicate", [111, 1000, 10000, 1100000]),
    ],
)
def test_the_gradient_of_the_border_is_added_where_it_was_copied_from(mode, gradient):
    """Seven outputs, each with its own power of ten, so that every copy can be seen in the sum."""
    g = 10.0 ** np.arange(7).reshape(1, 1, 7)
    found = refconv.conv1d_backward(g, LINE, ONE, padding=((2, 1),), padding_mode=mode).input
    assert found.ravel().tolist() == gradient


def bordered(problem, mode):
    """Cut the padding of a problem down to what a mode allows."""
    spare = {"circular": 0, "reflect": 1}.get(mode)
    pads = problem.padding
    if spare is not None:
        pads = tuple(tuple(min(pad, length - spare) for pad in pair)
                     for length, pair in zip(problem.input_size, pads, strict=True))  # fmt: skip
    try:
        return replace(problem, padding=pads)
    except GeometryError:
        return None


@pytest.mark.oracle
@each
@each_mode
@settings(max_examples=25)
@given(problem=problems(smallest=1, axes=ANY), seed=st.integers(0, 2**32 - 1))
def test_autograd_says_the_same(reference, mode, problem, seed):
    torch = pytest.importorskip("torch")
    problem = bordered(problem, mode)
    assume(problem is not None)
    tensors = integer_tensors(problem, seed)
    x, weight, bias = (torch.tensor(tensors[name], requires_grad=True) for name in ("x", "weight", "bias"))
    larger = torch.nn.functional.pad(x, [size for pair in reversed(problem.padding) for size in pair], mode)
    layer = getattr(torch.nn.functional, f"conv{len(problem.input_size)}d")
    y = layer(larger, weight, bias, problem.stride, 0, problem.dilation, problem.groups)
    y.backward(torch.tensor(tensors["grad_output"]))
    got = run(Bordered(reference, mode), tensors, problem)
    np.testing.assert_array_equal(got["forward"], y.detach().numpy())
    for operation, tensor in (("grad_input", x), ("grad_weight", weight), ("grad_bias", bias)):
        np.testing.assert_array_equal(got[operation], tensor.grad.numpy())


@each_mode
@pytest.mark.parametrize("method", ["direct", "sparse", "im2col"])
def test_the_exact_result_is_the_same_by_every_method(mode, method):
    rng = np.random.default_rng(5)
    x, weight, bias = rng.standard_normal((2, 4, 5, 6)), rng.standard_normal((6, 2, 3, 2)), rng.standard_normal(6)
    how = dict(stride=(2, 1), padding=((1, 2), (2, 0)), groups=2, padding_mode=mode, out_format="bfloat16")
    y = refconv.exact_conv2d(x, weight, bias, **how, method=method)
    assert y.tobytes() == refconv.exact_conv2d(x, weight, bias, **how, method="direct").tobytes()
    assert y.shape == (2, 6, 3, 7)


@pytest.mark.parametrize(("mode", "copies"), [("reflect", [0, 4, 6]), ("replicate", [0, 1, 2])])
def test_narrow_formats_fold_in_their_accumulator(mode, copies):
    """1 + 2**-8 + 2**-9 rounds to 1.0078125 in bfloat16; term by term it would stay at 1."""
    g = np.zeros((1, 1, 7), ml_dtypes.bfloat16)
    g[0, 0, copies] = np.array([1, 2.0**-8, 2.0**-9])
    x, weight = LINE.astype(ml_dtypes.bfloat16), ONE.astype(ml_dtypes.bfloat16)
    found = refconv.conv1d_backward(g, x, weight, padding=((2, 1),), padding_mode=mode).input
    assert found.dtype == ml_dtypes.bfloat16
    assert float(found.max()) == 1.0078125


def test_modes_combine_with_names_and_with_crops():
    assert refconv.conv1d(LINE, THREE, padding="same", padding_mode="circular").ravel().tolist() == [
        214, 321, 432, 143]  # fmt: skip
    assert refconv.conv1d(LINE, ONE, padding=((-1, 2),), padding_mode="reflect").ravel().tolist() == [2, 3, 4, 3, 2]


def test_a_border_that_the_image_cannot_fill_is_refused():
    with pytest.raises(GeometryError, match="padding_mode='reflect' must be 3 or less on an axis of 4 elements"):
        refconv.conv1d(LINE, ONE, padding=4, padding_mode="reflect")
    with pytest.raises(GeometryError, match="padding_mode='circular' must be 4 or less on an axis of 4 elements"):
        refconv.conv1d(LINE, ONE, padding=5, padding_mode="circular")
    with pytest.raises(CatalogueError, match="padding_mode must be one of zeros, circular, reflect, replicate"):
        refconv.conv1d(LINE, ONE, padding_mode="mirror")
    assert refconv.conv1d(LINE, ONE, padding=9, padding_mode="replicate").shape == (1, 1, 22)
