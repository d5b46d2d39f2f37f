"""One convolution that rounds and a few elements that do not give what many convolutions of slices give."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import every_problem, integer_tensors, real_tensors

from refconv import ConvProblem, exact
from refconv.exact import bounded
from refconv.exact.bounded import BoundedSum
from refconv.exact.slicing import extent
from refconv.exact.sums import FloatSum
from refconv.formats import get_format
from refconv.reference import direct, im2col, sparse

FLOAT32, FLOAT64 = get_format("float32"), get_format("float64")
OPERATIONS = ["forward", "grad_input", "grad_weight"]
LAYER = ConvProblem(batch=2, in_channels=8, out_channels=8, groups=2, input_size=(9, 8), kernel_size=(3, 2),
                    stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, -1)))  # fmt: skip
each_operation = pytest.mark.parametrize("operation", OPERATIONS)
each_reference = pytest.mark.parametrize("reference", [sparse, im2col], ids=lambda module: module.name)


@pytest.fixture(autouse=True, scope="module")
def small_problems_are_long_enough():
    """Take this way for every problem, however many of its elements are doubtful."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded, "LONG", 0)
        patch.setattr(bounded, "FEW", 0)
        yield


class Counting:
    """im2col, which notes what it is asked for."""

    def __init__(self):
        self.products = 0

    def __getattr__(self, operation):
        def counted(*arguments):
            problem = arguments[-1]
            self.products += np.prod(problem.shape_of(operation)) * problem.reduction_length(operation)
            return getattr(im2col, operation)(*arguments)

        return counted if operation in OPERATIONS else getattr(im2col, operation)


class Flipped:
    """A reference whose kernels are the wrong way round."""

    def forward(self, x, weight, bias, problem):
        return im2col.forward(x, weight[:, :, ::-1, ::-1], bias, problem)


SUMMED = {"forward": (1, 1), "grad_input": (1, 0), "grad_weight": (0, 0)}  # an axis of each factor that is added along


def cancelling(operation, problem):
    """Fill tensors so that products cancel in pairs, all but 2**-40 of each: float64 sees little of what is left."""
    tensors = {**real_tensors(problem), "bias": None}
    for name, axis, sign in zip(exact.FACTORS[operation], SUMMED[operation], (-1 - 2.0**-40, 1), strict=True):
        even = np.arange(0, tensors[name].shape[axis], 2)
        tensor = tensors[name] = tensors[name].astype(np.float32).astype(np.float64)
        tensor[(slice(None),) * axis + (even + 1,)] = sign * tensor.take(even, axis)
    return tensors


@settings(max_examples=40, deadline=None)
@given(every_problem(smallest=1), st.integers(0, 2**32 - 1), st.sampled_from([0, 8, 30]))
@each_operation
@each_reference
def test_the_bytes_are_those_of_python_integers(reference, operation, problem, seed, binades):
    tensors = real_tensors(problem, seed, binades)
    total = exact.exact_sum(operation, tensors, problem, reference)
    truth = exact.exact_sum(operation, tensors, problem, direct)
    for name in ("float32", "float16", "bfloat16", "float64"):
        assert total.round(get_format(name)).tobytes() == truth.round(get_format(name)).tobytes()
    for mode in ("saturate", "nan"):
        narrow = get_format("float8_e4m3fn")
        assert total.round(narrow, mode).tobytes() == truth.round(narrow, mode).tobytes()
    assert total.round(FLOAT64, upward=True).tobytes() == truth.round(FLOAT64, upward=True).tobytes()
    assert total.round(FLOAT32, upward=True).tobytes() == truth.round(FLOAT32, upward=True).tobytes()


@each_operation
@each_reference
def test_where_float64_loses_everything_the_products_tell(reference, operation):
    tensors = cancelling(operation, LAYER)
    total = exact.exact_sum(operation, tensors, LAYER, reference)
    assert isinstance(total, BoundedSum)
    truth = exact.exact_sum(operation, tensors, LAYER, direct).round(FLOAT32)
    factors = [tensors[name] for name in exact.FACTORS[operation]]
    arguments = (*factors, None, LAYER) if operation == "forward" else (*factors, LAYER)
    assert (getattr(reference, operation)(*arguments).astype(np.float32) != truth).any()
    assert total.round(FLOAT32).tobytes() == truth.tobytes()


@settings(max_examples=40, deadline=None)
@given(every_problem(smallest=1), st.integers(0, 2**32 - 1), st.sampled_from([0, 8, 30]))
@each_operation
def test_no_convolution_in_float64_is_farther_away_than_the_radius(operation, problem, seed, binades):
    tensors = {**real_tensors(problem, seed, binades), "bias": None}
    total = exact.exact_sum(operation, tensors, problem, im2col)
    if not isinstance(total, BoundedSum):
        return
    factors = [tensors[name] for name in exact.FACTORS[operation]]
    arguments = (*factors, None, problem) if operation == "forward" else (*factors, problem)
    error = total.exactly.plus(-getattr(im2col, operation)(*arguments)).round(FLOAT64)
    radius = total.radius.reshape(*total.radius.shape, *[1] * (error.ndim - total.radius.ndim))
    assert (np.abs(error) <= radius).all()


@each_operation
def test_the_radius_is_n_times_the_unit_times_the_roots_of_the_squares(operation):
    """Of a layer of one output, so that every sum of squares is one of all numbers of a tensor."""
    problem = ConvProblem(batch=1, in_channels=8, out_channels=4, groups=2, input_size=(3, 2), kernel_size=(3, 2))
    tensors = {**real_tensors(problem), "bias": None}
    tensors["weight"] *= np.exp2(np.arange(4) * 10).reshape(4, 1, 1, 1)  # a scale for each output channel
    total = exact.exact_sum(operation, tensors, problem, im2col)
    x, weight, nabla = (tensors[name] for name in ("x", "weight", "grad_output"))

    def norm(tensor, *axes):
        return np.sqrt((tensor**2).sum(axis=axes))

    if operation == "forward":
        n, expected = 24, norm(x.reshape(2, 4, 3, 2), 1, 2, 3).max() * norm(weight, 1, 2, 3)[None]
    elif operation == "grad_input":
        met = norm(weight.reshape(2, 2, 4, 3, 2), 1, 3, 4).reshape(1, 8)
        n, expected = 12, norm(nabla.reshape(2, 2), 1).max() * met
    else:
        n, expected = 1, norm(x, 0, 2, 3).max() * norm(nabla, 0, 2, 3)
    assert total.radius.shape == expected.shape
    np.testing.assert_allclose(total.radius, n * 2.0**-53 * expected, rtol=2e-6, atol=0)
    assert (total.radius >= n * 2.0**-53 * expected).all()


@each_operation
def test_most_of_a_layer_is_decided_by_one_convolution(operation, monkeypatch):
    monkeypatch.setattr(bounded, "FEW", 64)
    layer = ConvProblem(batch=1, in_channels=32, out_channels=48, input_size=(20, 20), kernel_size=(3, 3))
    tensors = {name: tensor.astype(np.float32) for name, tensor in real_tensors(layer).items()}
    counting = Counting()
    got = exact.exact_sum(operation, tensors, layer, counting).round(FLOAT32)
    assert 1 <= counting.products / (np.prod(layer.shape_of(operation)) * layer.reduction_length(operation)) < 1.1
    slices = FloatSum(
        got.shape, tuple(exact.exact_sum(operation, {**tensors, "bias": None}, layer, im2col).exactly.parts)
    )
    expected = slices.plus(tensors["bias"].reshape(-1, 1, 1).astype(np.float64)) if operation == "forward" else slices
    assert got.tobytes() == expected.round(FLOAT32).tobytes()


@each_operation
def test_pieces_of_any_size_make_the_same(operation, monkeypatch):
    tensors = cancelling(operation, LAYER)
    truth = exact.exact_sum(operation, tensors, LAYER, direct).round(FLOAT32)
    monkeypatch.setattr(bounded, "CHUNK", 100)
    monkeypatch.setattr(bounded, "AT_ONCE", 50)
    assert exact.exact_sum(operation, tensors, LAYER, im2col).round(FLOAT32).tobytes() == truth.tobytes()


def test_where_too_many_are_doubtful_all_are_convolved(monkeypatch):
    tensors = cancelling("forward", LAYER)
    truth = exact.exact_sum("forward", tensors, LAYER, direct).round(FLOAT32)
    monkeypatch.setattr(bounded, "FEW", 10**6)
    monkeypatch.setattr(BoundedSum, "_alone", None)  # no element is looked at by itself
    assert exact.exact_sum("forward", tensors, LAYER, im2col).round(FLOAT32).tobytes() == truth.tobytes()


def test_a_reference_that_contradicts_the_products_says_all_of_the_result_itself():
    tensors = cancelling("forward", LAYER)
    total = exact.exact_sum("forward", tensors, LAYER, Flipped())
    assert isinstance(total, BoundedSum)
    flipped = tensors | {"weight": tensors["weight"][:, :, ::-1, ::-1]}
    truth = exact.exact_sum("forward", flipped, LAYER, direct)
    assert total.round(FLOAT32).tobytes() == truth.round(FLOAT32).tobytes()


@pytest.mark.parametrize("bias", [2.0**30, 2.0**-40, 2.0**-1040])
def test_what_is_added_is_part_of_what_is_rounded(bias):
    tensors = real_tensors(LAYER) | {"bias": np.full(8, bias)}
    again = np.full((1, 8, 1, 1), -bias)
    got = exact.exact_sum("forward", tensors, LAYER, im2col)
    truth = exact.exact_sum("forward", tensors, LAYER, direct)
    assert got.round(FLOAT32).tobytes() == truth.round(FLOAT32).tobytes()
    assert got.plus(again).round(FLOAT32).tobytes() == truth.plus(again).round(FLOAT32).tobytes()


def test_only_what_takes_several_convolutions_and_has_ordinary_squares_is_bounded():
    tensors = {**real_tensors(LAYER), "bias": None}
    kinds = {
        "real": tensors,
        "integers": {**integer_tensors(LAYER), "bias": None},
        "large": tensors | {"x": tensors["x"] * 2.0**400},
        "small": tensors | {"weight": tensors["weight"] * 2.0**-400},
    }
    found = {name: type(exact.exact_sum("forward", kind, LAYER, im2col)).__name__ for name, kind in kinds.items()}
    assert found == {"real": "BoundedSum", "integers": "FloatSum", "large": "FloatSum", "small": "FloatSum"}


def test_factors_reach_from_2_to_the_minus_400_to_2_to_the_400():
    """So that their squares can be added up in float64."""
    tensors = {**real_tensors(LAYER), "bias": None}
    for name in ("x", "weight"):
        low, high = extent(tensors[name])
        for scale, kind in (
            (-400 - low, BoundedSum),
            (-401 - low, FloatSum),
            (400 - high, BoundedSum),
            (401 - high, FloatSum),
        ):
            scaled = tensors | {name: np.ldexp(tensors[name], scale)}
            assert isinstance(exact.exact_sum("forward", scaled, LAYER, im2col), kind)


def test_float64_is_rounded_from_all_of_the_sum(monkeypatch):
    """Its results are as close together as the errors of a convolution in float64."""
    tensors = {**real_tensors(LAYER), "bias": None}
    total = exact.exact_sum("forward", tensors, LAYER, im2col)
    monkeypatch.setattr(BoundedSum, "_rounded", None)
    truth = exact.exact_sum("forward", tensors, LAYER, direct)
    assert total.round(FLOAT64).tobytes() == truth.round(FLOAT64).tobytes()
    with pytest.raises(TypeError):
        total.round(FLOAT32)


def test_short_problems_are_convolved_in_slices(monkeypatch):
    tensors = {**real_tensors(LAYER), "bias": None}
    products = np.prod(LAYER.y_shape) * LAYER.reduction_length("forward")
    for shortest, kind in ((products, BoundedSum), (products + 1, FloatSum)):
        monkeypatch.setattr(bounded, "LONG", shortest)
        assert isinstance(exact.exact_sum("forward", tensors, LAYER, im2col), kind)
    wide = replace(LAYER, batch=4)
    assert isinstance(exact.exact_sum("forward", {**real_tensors(wide), "bias": None}, wide, im2col), BoundedSum)


@each_operation
@pytest.mark.parametrize("scale", [2.0**-360, 2.0**360])
def test_the_radius_of_the_farthest_numbers_is_as_large_in_proportion(operation, scale):
    """The product of both sums of squares would leave the range of float64; that of their roots does not."""
    factors = [real_tensors(LAYER)[name] for name in exact.FACTORS[operation]]
    near = BoundedSum(operation, factors, [], LAYER, im2col)
    far = BoundedSum(operation, [factor * scale for factor in factors], [], LAYER, im2col)
    assert (near.radius > 0).all()
    assert (far.radius == near.radius * scale * scale).all()
