import functools
import operator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import every_problem, real_tensors, transposed_problems

from refconv import ConvProblem, exact
from refconv.formats import get_format
from refconv.implementations import ARGUMENTS
from refconv.judge import error_bound, growth, judge_tensor, standard_interval
from refconv.problem import OPERATIONS, TransposedProblem
from refconv.reference import direct, im2col, transposed
from refconv.suite import load_suite

CORE = Path(__file__).parents[2] / "vectors" / "core"
MAX = float(np.finfo(np.float64).max)
FLOAT32, FLOAT64, BFLOAT16 = map(get_format, ("float32", "float64", "bfloat16"))


@pytest.mark.parametrize("precision", [11, 24, 53])
@pytest.mark.parametrize("terms", [0, 1, 2, 27, 576, 4608])
def test_growth_is_the_formula_rounded_up(terms, precision):
    exactly = (1 + Fraction(1, 2**precision)) ** terms - 1
    assert exactly <= Fraction(growth(terms, precision)) <= exactly * (1 + Fraction(1, 2**52))


def test_the_bound_is_never_below_the_formula():
    magnitude, terms = np.array([0.0, 1.0, 3.7, 1e-45, 1e30]), np.array([5, 1, 27, 9, 576])
    bound = error_bound(magnitude, terms, FLOAT32)
    assert bound[0] == 0
    for e, s, n in list(zip(bound, magnitude, terms, strict=True))[1:]:
        formula = ((1 + Fraction(1, 2**24)) ** int(n) - 1) * Fraction(s) + Fraction(int(n), 2**150)
        assert formula <= Fraction(e) <= formula * (1 + Fraction(1, 2**40)) + Fraction(1, 2**149)


def interval_of(problem, tensors, out, accumulator=FLOAT32):
    total = exact.exact_sum("forward", tensors, problem, im2col)
    magnitude = exact.exact_magnitude("forward", tensors, problem, im2col)
    terms = exact.count_terms("forward", tensors, problem, im2col)
    return total.round(out), standard_interval(total, magnitude, terms, accumulator, out)


def single(dtype, problem, seed):
    return {name: tensor.astype(dtype) for name, tensor in real_tensors(problem, seed, binades=3).items()}


LAYERS = [
    ConvProblem(
        batch=1, in_channels=3, out_channels=4, input_size=(6, 5), kernel_size=(3, 3), padding=((1, 1), (1, 1))
    ),
    ConvProblem(batch=1, in_channels=64, out_channels=3, input_size=(4, 4), kernel_size=(3, 3)),
]


@pytest.mark.parametrize("problem", LAYERS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_honest_float32_arithmetic_is_never_outside(problem, seed):
    tensors = single(np.float32, problem, seed)
    truth, (lo, hi, _) = interval_of(problem, tensors, FLOAT32)
    for reference in (direct, im2col):
        y = reference.forward(tensors["x"], tensors["weight"], tensors["bias"], problem)
        assert judge_tensor(y, truth, lo, hi).passed


@pytest.mark.parametrize("problems", [every_problem, transposed_problems], ids=["convolution", "transposed"])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_honest_float32_arithmetic_is_never_outside_whatever_the_operator(problems, axes, operation):
    @settings(max_examples=9, deadline=None, database=None)
    @given(problem=problems(smallest=1, axes=(axes,)), seed=st.integers(0, 2**32 - 1))
    def never_outside(problem, seed):
        tensors = single(np.float32, problem, seed)
        room = transposed if isinstance(problem, TransposedProblem) else None
        methods = (room.direct, room.im2col) if room else (direct, im2col)
        total, magnitude, terms = (
            measure(operation, tensors, problem, methods[1])
            for measure in (exact.exact_sum, exact.exact_magnitude, exact.count_terms)
        )
        lo, hi, _ = standard_interval(total, magnitude, terms, FLOAT32, FLOAT32)
        for reference in methods:
            got = getattr(reference, operation)(*(tensors.get(name) for name in ARGUMENTS[operation]), problem)
            assert judge_tensor(got, total.round(FLOAT32), lo, hi).passed

    never_outside()


@pytest.mark.parametrize("seed", range(5))
def test_one_product_lost_of_27_is_outside(seed):
    tensors = single(np.float32, LAYERS[0], seed)
    truth, (lo, hi, _) = interval_of(LAYERS[0], tensors, FLOAT32)
    tensors["weight"][0, 1, 1, 1] = 0
    y = im2col.forward(tensors["x"], tensors["weight"], tensors["bias"], LAYERS[0])
    verdict = judge_tensor(y, truth, lo, hi)
    assert verdict.wrong > 10
    assert verdict.worst.error > 1000


def test_operands_narrowed_to_bfloat16_are_outside():
    tensors = single(np.float32, LAYERS[0], 0)
    truth, (lo, hi, _) = interval_of(LAYERS[0], tensors, FLOAT32)
    narrow = [tensors[name].astype(BFLOAT16.dtype).astype(np.float32) for name in ("x", "weight", "bias")]
    assert not judge_tensor(im2col.forward(*narrow, LAYERS[0]), truth, lo, hi).passed


def test_the_interval_of_a_16_bit_result_is_the_truth_and_at_most_its_neighbours():
    tensors = single(BFLOAT16.dtype, LAYERS[1], 0)
    truth, (lo, hi, _) = interval_of(LAYERS[1], tensors, BFLOAT16)
    steps = [np.nextafter(truth, BFLOAT16.dtype.type(way)).astype(float) for way in (-np.inf, np.inf)]
    large = np.abs(truth.astype(float)) > 0.05 * np.abs(truth.astype(float)).max()  # not all but cancelled
    assert (lo.astype(float) >= steps[0])[large].all()
    assert (hi.astype(float) <= steps[1])[large].all()


def test_elements_that_see_no_product_must_be_zero():
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 1), kernel_size=(1, 1),
                          padding=((2, 0), (0, 0)))  # fmt: skip
    tensors = {"x": np.ones((1, 1, 1, 1)), "weight": np.ones((1, 1, 1, 1)), "bias": None}
    truth, (lo, hi, magnitude) = interval_of(problem, tensors, FLOAT32)
    assert truth.ravel().tolist() == [0, 0, 1]
    assert magnitude.ravel().tolist() == [0, 0, 1]
    assert lo.ravel()[:2].tolist() == hi.ravel()[:2].tolist() == [0, 0]


@pytest.mark.parametrize(("overflow", "ends"), [("saturate", [448.0, -448.0]), ("nan", [np.nan, np.nan])])
def test_both_ends_of_an_interval_overflow_as_the_results_do(overflow, ends):
    out = get_format("float8_e4m3fn")
    problem = ConvProblem(batch=1, in_channels=1, out_channels=2, input_size=(1,), kernel_size=(1,))
    tensors = {"x": np.full((1, 1, 1), 400.0), "weight": np.array([[[2.0]], [[-2.0]]]), "bias": None}
    total, magnitude = (f("forward", tensors, problem, im2col) for f in (exact.exact_sum, exact.exact_magnitude))
    lo, hi, _ = standard_interval(total, magnitude, np.ones((1, 2, 1), int), FLOAT32, out, overflow)
    np.testing.assert_array_equal(lo.astype(float).ravel(), ends)
    np.testing.assert_array_equal(hi.astype(float).ravel(), ends)


def test_the_magnitude_of_an_interval_is_not_below_the_sum():
    """1 + 2**-60 is no float64; the next one above is taken."""
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    tensors = {"x": np.array([[[[1.0, 2.0**-60]]]]), "weight": np.ones((1, 1, 1, 2)), "bias": None}
    _, (_, _, magnitude) = interval_of(problem, tensors, FLOAT64)
    assert magnitude.ravel().tolist() == [1 + 2.0**-52]


def test_the_interval_contains_the_truth_and_grows_with_the_accumulators_error():
    tensors = single(np.float32, LAYERS[1], 1)
    truth, narrow = interval_of(LAYERS[1], tensors, FLOAT32, FLOAT64)
    _, wide = interval_of(LAYERS[1], tensors, FLOAT32, get_format("float16"))
    assert (wide.lo < narrow.lo).all()
    assert (narrow.lo <= truth).all()
    assert (truth <= narrow.hi).all()
    assert (narrow.hi < wide.hi).all()


WIDTHS = {1: (3, 3), 7: (3, 3), 63: (3, 3), 23: (5, 5)}  # channels: kernel; n = 9, 63, 567 and 575, and a bias


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
@pytest.mark.parametrize("channels", WIDTHS)
@pytest.mark.parametrize("seed", range(5))
def test_a_16_bit_interval_is_the_truth_and_at_most_its_neighbours_unless_all_but_cancelled(name, channels, seed):
    """If E is at most half a step, y - E and y + E round to y's neighbours at most.

    E is below 1.0001 * n * u * S with u = 2**-24, half a step at least 2**-p * abs(y) / 2: so it is enough that
    abs(y) >= 2 * 2**p * n * 2**-24 * S, at n = 576 a seventh of S in float16 and a 57th in bfloat16.
    """
    out, kernel = get_format(name), WIDTHS[channels]
    layer = ConvProblem(batch=1, in_channels=channels, out_channels=6, input_size=(9, 8), kernel_size=kernel)
    tensors = single(out.dtype, layer, seed)
    if seed % 2:  # no cancellation at all
        tensors = {key: np.abs(tensor) for key, tensor in tensors.items()}
    truth, (lo, hi, magnitude) = interval_of(layer, tensors, out)
    n = layer.reduction_length("forward") + 1
    assert n <= 576
    y, low, high = (array.astype(np.float64) for array in (truth, lo, hi))
    firm = np.abs(y) >= 2.002 * 2**out.precision * n * 2.0**-24 * magnitude
    below, above = (np.nextafter(truth, out.dtype.type(way)).astype(np.float64) for way in (-np.inf, np.inf))
    assert (low <= y).all()
    assert (y <= high).all()
    assert firm.mean() > (0.99 if seed % 2 else 0.25)
    assert (low >= below)[firm].all()
    assert (high <= above)[firm].all()
    assert ((low == y) & (high == y))[firm].any()


def test_the_exact_result_is_demanded_where_magnitudes_exceed_float64():
    """Their sum does not: whoever adds 1.5 first loses it, so that no case may be like this one."""
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 3))
    tensors = {"x": np.array([[[[MAX, 1.5, -MAX]]]]), "weight": np.ones((1, 1, 1, 3)), "bias": None}
    truth, (lo, hi, magnitude) = interval_of(problem, tensors, FLOAT64, FLOAT64)
    assert [array.item() for array in (truth, lo, hi, magnitude)] == [1.5, 1.5, 1.5, np.inf]


def terms_of_a_filter(inputs):
    return [*(inputs["x"][0, :, :3, :2] * inputs["weight"][1]).ravel(), inputs["bias"][1]]


def terms_of_a_sum(inputs):
    return [*inputs["grad_output"][:, 2].ravel()]


@pytest.mark.parametrize(
    ("slug", "operation", "name", "terms_of"),
    [
        ("weight-and-bias", "forward", "y", terms_of_a_filter),
        ("grad-output", "grad_bias", "grad_bias", terms_of_a_sum),
    ],
)
def test_where_core_demands_the_exact_result_every_order_gives_it(slug, operation, name, terms_of):
    case = load_suite(CORE).case(f"largest-float64-zero-mean/{slug}")
    expected, terms = case.expected[name], terms_of(case.inputs)
    beyond = np.isinf(expected.magnitude)
    assert beyond.any()
    for tensor in (expected.tensor, expected.lo, expected.hi):
        assert (tensor[beyond] == -MAX).all()
    magnitude = exact.exact_magnitude(operation, case.inputs, case.problem, im2col)
    rest = magnitude.plus(np.full(beyond.shape, -MAX)).round(FLOAT64)
    assert (rest[beyond] < 2.0**-53 * MAX).all()  # together: less than half the step below the largest number
    assert len(terms) == expected.judge.terms
    assert terms.count(-MAX) == 1
    for seed in range(50):
        assert functools.reduce(operator.add, np.random.default_rng(seed).permutation(terms)) == -MAX
