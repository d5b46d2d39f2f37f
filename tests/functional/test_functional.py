import ml_dtypes
import numpy as np
import pytest

import refconv
from refconv import CatalogueError, FormatError, GeometryError, TensorError

RNG = np.random.default_rng(7)
X = RNG.integers(-9, 10, (2, 4, 6, 5)).astype(np.float64)
WEIGHT = RNG.integers(-9, 10, (6, 2, 3, 2)).astype(np.float64)
BIAS = RNG.integers(-9, 10, 6).astype(np.float64)
HOW = dict(stride=(2, 1), padding=((1, 0), (2, 1)), dilation=(1, 2), groups=2)
METHODS = ["direct", "sparse", "im2col"]


def test_all_methods_say_the_same():
    first, *others = (refconv.conv2d(X, WEIGHT, BIAS, **HOW, method=method) for method in METHODS)
    assert first.shape == (2, 6, 3, 6)
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_obey_the_adjoint_identity(method):
    y = refconv.conv2d(X, WEIGHT, **HOW)
    g = RNG.integers(-9, 10, y.shape).astype(np.float64)
    gradients = refconv.conv2d_backward(g, X, WEIGHT, **HOW, method=method)
    assert np.sum(gradients.input * X) == np.sum(gradients.weight * WEIGHT) == np.sum(g * y)
    np.testing.assert_array_equal(gradients.bias, g.sum(axis=(0, 2, 3)))


LINE = dict(stride=2, padding=((1, 2),), dilation=3, groups=2)
VOLUME = dict(stride=(1, 2, 1), padding=((1, 0), (0, 2), (2, 1)), dilation=(1, 1, 2), groups=2)
OTHER_AXES = [(1, (2, 4, 11), (6, 2, 3), LINE), (3, (2, 4, 3, 6, 5), (6, 2, 2, 3, 2), VOLUME)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("axes", "x_shape", "weight_shape", "how"), OTHER_AXES)
def test_one_and_three_axes_have_functions_of_their_own(axes, x_shape, weight_shape, how, method):
    layer, backward, exactly = (getattr(refconv, name.format(axes)) for name in
                                ("conv{}d", "conv{}d_backward", "exact_conv{}d"))  # fmt: skip
    x, weight = (RNG.integers(-9, 10, shape).astype(np.float64) for shape in (x_shape, weight_shape))
    y = layer(x, weight, BIAS, **how, method=method)
    assert y.tobytes() == exactly(x, weight, BIAS, **how).tobytes()
    g = RNG.integers(-9, 10, y.shape).astype(np.float64)
    gradients = backward(g, x, weight, **how, method=method)
    linear = np.sum(g * (y - BIAS.reshape(-1, *[1] * axes)))
    assert np.sum(gradients.input * x) == np.sum(gradients.weight * weight) == linear
    np.testing.assert_array_equal(gradients.bias, g.sum(axis=(0, *range(2, axes + 2))))


TRANSPOSED = [
    (1, (2, 4, 5), (4, 3, 3), dict(stride=2, padding=((1, 2),), dilation=3, output_padding=1, groups=2)),
    (2, (2, 4, 3, 5), (4, 3, 3, 2), dict(stride=(2, 1), padding=(1, 2), output_padding=(1, 0), groups=2)),
    (3, (2, 4, 2, 3, 2), (4, 3, 2, 3, 2), dict(stride=(1, 2, 1), padding=((1, 0), (0, 2), (2, -1)), groups=2)),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("axes", "x_shape", "weight_shape", "how"), TRANSPOSED)
def test_transposed_convolutions_have_functions_of_their_own(axes, x_shape, weight_shape, how, method):
    name = f"conv_transpose{axes}d"
    layer, backward, exactly = (getattr(refconv, word) for word in (name, f"{name}_backward", f"exact_{name}"))
    x, weight = (RNG.integers(-9, 10, shape).astype(np.float64) for shape in (x_shape, weight_shape))
    y = layer(x, weight, BIAS, **how, method=method)
    assert y.tobytes() == exactly(x, weight, BIAS, **how).tobytes()
    g = RNG.integers(-9, 10, y.shape).astype(np.float64)
    gradients = backward(g, x, weight, **how, method=method)
    linear = np.sum(g * (y - BIAS.reshape(-1, *[1] * axes)))
    assert np.sum(gradients.input * x) == np.sum(gradients.weight * weight) == linear
    np.testing.assert_array_equal(gradients.bias, g.sum(axis=(0, *range(2, axes + 2))))


@pytest.mark.oracle
def test_a_transposed_convolution_takes_the_arguments_of_pytorch_in_its_order():
    torch = pytest.importorskip("torch")
    x, weight = X, WEIGHT[:4]
    ours = refconv.conv_transpose2d(x, weight, BIAS[:4], 2, 1, 1, 2, (1, 2))
    theirs = torch.nn.functional.conv_transpose2d(*map(torch.tensor, (x, weight, BIAS[:4])), 2, 1, 1, 2, (1, 2))
    np.testing.assert_array_equal(ours, theirs.numpy())


def test_errors_of_transposed_convolutions_are_sentences():
    with pytest.raises(GeometryError, match=r"x must be \(N, C, W\) and weight \(C, K/G, kW\), got x.shape"):
        refconv.conv_transpose1d(X, WEIGHT)
    with pytest.raises(GeometryError, match="output_padding must be 0 or more and less than stride or dilation"):
        refconv.conv_transpose2d(X, WEIGHT[:4], output_padding=1)
    with pytest.raises(CatalogueError, match="method must be one of direct, sparse, im2col"):
        refconv.conv_transpose2d(X, WEIGHT[:4], method="fft")


def test_transposed_bfloat16_is_added_up_in_float32_and_rounded_once():
    x = np.array([[[256, 1, 1]]]).astype(ml_dtypes.bfloat16)
    y = refconv.conv_transpose1d(x, np.ones((1, 1, 3), ml_dtypes.bfloat16))
    assert y.dtype == ml_dtypes.bfloat16
    assert float(y[0, 0, 2]) == 258


def test_lists_are_taken():
    assert refconv.conv2d([[[[1.0, 2.0]]]], [[[[3.0, 4.0]]]], [0.5]).tolist() == [[[[11.5]]]]


@pytest.mark.parametrize("method", METHODS)
def test_8_bit_integers_are_added_up_in_32(method):
    x, weight = np.full((1, 2, 2, 2), -128, np.int8), np.full((1, 2, 2, 2), 127, np.int8)
    y = refconv.conv2d(x, weight, method=method)
    assert y.dtype == np.int32
    assert y.tolist() == [[[[-128 * 127 * 8]]]]


@pytest.mark.parametrize("method", METHODS)
def test_bfloat16_is_added_up_in_float32_and_rounded_once(method):
    x = np.array([[[[256, 1, 1]]]]).astype(ml_dtypes.bfloat16)
    y = refconv.conv2d(x, np.ones((1, 1, 1, 3), ml_dtypes.bfloat16), method=method)
    assert y.dtype == ml_dtypes.bfloat16
    assert float(y[0, 0, 0, 0]) == 258  # steps of bfloat16 would have stayed at 256


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["float64", "float32", "bfloat16", "int32"])
def test_exact_results_have_the_same_bits_by_every_method(method, name):
    y = refconv.exact_conv2d(X, WEIGHT, BIAS, **HOW, out_format=name, method=method)
    assert y.dtype.name == name
    assert y.tobytes() == refconv.exact_conv2d(X, WEIGHT, BIAS, **HOW, out_format=name).tobytes()


def test_errors_are_sentences():
    with pytest.raises(CatalogueError, match="method must be one of direct, sparse, im2col, got 'fft'"):
        refconv.conv2d(X, WEIGHT, groups=2, method="fft")
    with pytest.raises(GeometryError, match=r"x.shape\[1\] must equal weight.shape\[1\] \* groups"):
        refconv.conv2d(X, WEIGHT)
    with pytest.raises(GeometryError, match=r"x must be \(N, C, H, W\) and weight .*, got x.shape=\(2, 4, 6\)"):
        refconv.conv2d(X[..., 0], WEIGHT[..., 0])
    with pytest.raises(GeometryError, match=r"x must be \(N, C, W\) and weight \(K, C/G, kW\), got"):
        refconv.conv1d(X, WEIGHT)
    with pytest.raises(GeometryError, match=r"x must be \(N, C, D, H, W\) and weight"):
        refconv.conv3d(X, WEIGHT)
    with pytest.raises(TensorError, match=r"bias must have shape \(6,\)"):
        refconv.conv2d(X, WEIGHT, BIAS[:5], groups=2)
    with pytest.raises(TensorError, match="grad_output must have shape"):
        refconv.conv2d_backward(X, X, WEIGHT, groups=2)
    with pytest.raises(FormatError, match="format must be one of"):
        refconv.exact_conv2d(X, WEIGHT, groups=2, out_format="float7")
    with pytest.raises(FormatError, match="overflow for float8_e4m3fn must be one of saturate, nan"):
        refconv.exact_conv2d(X, WEIGHT, groups=2, out_format="float8_e4m3fn")


def test_everything_that_is_announced_is_there():
    for name in refconv.__all__:
        assert hasattr(refconv, name), name
