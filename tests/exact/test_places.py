"""The exact engine computes where its tensors are: in main memory, or elsewhere, with the same bytes."""

import numpy as np
import pytest
from elsewhere import Elsewhere

from refconv import ConvProblem, ImplementationError, TransposedProblem, exact
from refconv.exact import slicing
from refconv.exact.places import AT_ONCE, at_once, held, is_elsewhere, readable
from refconv.formats import get_format
from refconv.implementations.devices import load_cupy
from refconv.judge import standard_interval
from refconv.reference import im2col
from refconv.reference.transposed import im2col as transposed

ODD = ConvProblem(batch=3, in_channels=4, out_channels=6, groups=2, input_size=(17, 19), kernel_size=(3, 2),
                  stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, 1)))  # fmt: skip
DEPTHWISE = ConvProblem(batch=2, in_channels=5, out_channels=10, groups=5, input_size=(9, 8), kernel_size=(3, 3),
                        stride=(2, 1), padding=((1, 1), (0, 2)))  # fmt: skip
POINTWISE = ConvProblem(batch=2, in_channels=7, out_channels=3, input_size=(4, 5), kernel_size=(1, 1))
UP = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(5, 4), kernel_size=(3, 2),
                       stride=(2, 1), padding=((1, 0), (0, 1)), output_padding=(1, 0))  # fmt: skip
PROBLEMS = {"odd": ODD, "depthwise": DEPTHWISE, "pointwise": POINTWISE, "transposed": UP}


def on_cuda(tensor):
    try:
        return load_cupy().asarray(tensor)
    except ImplementationError as error:
        pytest.skip(str(error))


places = pytest.mark.parametrize("there", [Elsewhere, pytest.param(on_cuda, marks=pytest.mark.gpu)])


def normal(rng, shape):
    return rng.standard_normal(shape).astype(np.float32)


def wide(rng, shape):
    return rng.standard_normal(shape) * 2.0 ** rng.integers(-40, 40, shape)


def far(rng, shape):
    """Reach both ends of float64, beyond what is convolved without integers."""
    return rng.standard_normal(shape) * 2.0 ** rng.choice([-1060, 0, 450], shape)


def special(rng, shape):
    return np.where(rng.random(shape) < 0.05, rng.choice([np.nan, np.inf, -np.inf], shape), normal(rng, shape))


def whole(rng, shape):
    return rng.integers(-100, 100, shape).astype(np.float32)


def nothing(rng, shape):
    return np.zeros(shape)


@places
@pytest.mark.parametrize("fill", [whole, normal, wide, far, special, nothing])
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_the_same_bytes_wherever_the_tensors_are(problem, fill, there):
    rng = np.random.default_rng(7)
    using = transposed if isinstance(problem, TransposedProblem) else im2col
    here = {name: fill(rng, problem.shape_of(name)) for name in ("x", "weight", "bias", "grad_output")}
    for operation in exact.FACTORS:
        results = [rounded(operation, tensors, problem, using) for tensors in (here, carried(here, there))]
        for (name, expected), result in zip(results[0].items(), results[1].values(), strict=True):
            if name == "float64" or (name == "float32" and fill is whole):
                assert is_elsewhere(result) == is_elsewhere(there(expected))
            assert exact.fetched(result).tobytes() == expected.tobytes(), (operation, name)


def carried(tensors, there):
    return {name: there(tensor) for name, tensor in tensors.items()}


def rounded(operation, tensors, problem, using):
    """Everything that the engine makes of an operation: the result in several formats, and its interval."""
    total = exact.exact_sum(operation, tensors, problem, using)
    magnitude = exact.exact_magnitude(operation, tensors, problem, using)
    terms, single = exact.count_terms(operation, tensors, problem, using), get_format("float32")
    interval = standard_interval(total, magnitude, terms, single, single)
    formats = {name: total.round(get_format(name)) for name in ("float64", "float32", "float16", "bfloat16")}
    return formats | interval._asdict() | {"terms": terms}


@places
@pytest.mark.parametrize(("out", "low", "stays"), [
    ("float64", -1074, True), ("int32", 0, True), ("float32", -126, True), ("float32", -127, False),
    ("float16", 0, False), ("bfloat16", 0, False),
])  # fmt: skip
def test_what_devices_round_wrongly_is_carried_to_main_memory_first(there, out, low, stays):
    tensor = there(np.ones(3))
    assert (held(tensor, get_format(out), low) is tensor) == stays
    assert exact.fetched(held(tensor, get_format(out), low)).tolist() == [1.0, 1.0, 1.0]


@places
def test_subnormal_numbers_of_float32_are_read_on_a_device_that_takes_them_for_zeros(there):
    tensor = there(np.array([[[[2.0**-149, 3.0 * 2.0**-130]]]], np.float32))
    weight = there(np.ones((1, 1, 1, 2), np.float32))
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    for out in ("float32", "float64"):
        y = exact.fetched(exact.forward(tensor, weight, tensor.reshape(-1)[:1], problem, out, im2col))
        assert y.tolist() == [[[[2.0**-148 + 3.0 * 2.0**-130]]]]


@places
def test_what_has_no_subnormal_numbers_of_float32_stays_as_it_is(there):
    for tensor in (np.array([0.0, -0.0, 2.0**-126, -3.0], np.float32), np.array([2.0**-140])):
        carried_there = there(tensor)
        assert readable(carried_there) is carried_there
    for small in (2.0**-149, 2.0**-126 - 2.0**-149, -(2.0**-149)):
        assert readable(np.array([small], np.float32)).dtype == np.float32
        read = readable(there(np.array([1, small], np.float32)))
        assert is_elsewhere(read)
        assert exact.fetched(read).tolist() == [1, small]


@places
def test_elsewhere_works_on_as_many_elements_as_keep_it_busy(there):
    assert at_once(there(np.ones(3)), 7) == AT_ONCE
    assert at_once(np.ones(3), 7) == 7
    for tensor, pieces in ((there(np.ones(1000)), 1), (np.ones(1000), 2)):
        assert len(list(slicing._pieces(tensor))) == pieces


@places
def test_nothing_times_numbers_near_the_ends_of_float64_is_zero_where_the_tensors_are(there):
    tensors = {"x": there(np.full(POINTWISE.x_shape, 2.0**1010)), "weight": there(np.zeros(POINTWISE.weight_shape))}
    result = exact.exact_sum("forward", tensors, POINTWISE, im2col).round(get_format("float64"))
    assert is_elsewhere(result)
    assert exact.fetched(result).tobytes() == np.zeros(POINTWISE.y_shape).tobytes()


def test_the_arrays_of_these_tests_mix_with_none_of_numpys():
    there = Elsewhere(np.ones(3))
    with pytest.raises(TypeError):
        there + np.ones(3)
    with pytest.raises(TypeError):
        np.asarray(there)
    with pytest.raises(TypeError):
        np.where(there > 0, np.ones(3), 0.0)
