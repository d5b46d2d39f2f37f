"""The exact engine over every reference against sums of Fractions."""

from fractions import Fraction

import numpy as np
import pytest
from elsewhere import Elsewhere
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import every_problem, integer_tensors, real_tensors

from refconv import ConvProblem, FormatError, TensorError, TransposedProblem, exact
from refconv.exact import engine, slicing
from refconv.exact.places import is_elsewhere
from refconv.exact.slicing import as_reals, ceil_log2, extent, finite_extent, slices, widths
from refconv.exact.sums import FloatSum, IntegerSum
from refconv.formats import get_format
from refconv.reference import direct, im2col, sparse, transposed

REFERENCES = [direct, sparse, im2col]
OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
ARGUMENTS = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
             "grad_weight": ("x", "grad_output"), "grad_bias": ("grad_output",)}  # fmt: skip
each = pytest.mark.parametrize("reference", REFERENCES, ids=lambda module: module.name)
SMALL = ConvProblem(batch=2, in_channels=2, out_channels=2, groups=2, input_size=(3, 4), kernel_size=(2, 3),
                    stride=(2, 1), padding=((1, 0), (0, 2)))  # fmt: skip
UP = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 4), kernel_size=(3, 2),
                       stride=(2, 1), padding=((1, 0), (0, 1)), output_padding=(1, 0))  # fmt: skip


def rational(operation, tensors, problem):
    """Add up Fractions, product by product, from the definition."""
    exactly = {name: np.array([Fraction(float(v)) for v in t.flat], dtype=object).reshape(t.shape)
               for name, t in tensors.items()}  # fmt: skip
    return getattr(direct, operation)(*(exactly[name] for name in ARGUMENTS[operation]), problem)


def rounded(fractions, name):
    """Round Fractions to float64 or float32 by Python's own conversion, which is correctly rounded."""
    values = np.array([float(value) for value in fractions.flat]).reshape(fractions.shape)
    assert name == "float64"
    return values


@each
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("binades", [0, 30, 250])
def test_results_are_the_exact_sum_rounded_once(reference, operation, binades):
    tensors = real_tensors(SMALL, seed=binades, binades=binades)
    expected = rounded(rational(operation, tensors, SMALL), "float64")
    got = exact.exact_sum(operation, tensors, SMALL, reference).round(get_format("float64"))
    np.testing.assert_array_equal(got, expected)


@settings(max_examples=40, deadline=None)
@given(every_problem(), st.integers(0, 2**32 - 1), st.sampled_from([0, 8, 100, 400]), st.sampled_from(OPERATIONS))
def test_all_references_give_the_same_bytes_in_every_format(problem, seed, binades, operation):
    tensors = real_tensors(problem, seed, binades)
    sums = [exact.exact_sum(operation, tensors, problem, reference) for reference in REFERENCES]
    for name in ("float64", "float32", "float16", "bfloat16", "float8_e5m2"):
        first, *others = (total.round(get_format(name)).tobytes() for total in sums)
        assert all(other == first for other in others)


@settings(max_examples=40, deadline=None)
@given(every_problem(), st.integers(0, 2**32 - 1), st.sampled_from(OPERATIONS))
def test_magnitudes_and_counts_are_the_same_by_all_references(problem, seed, operation):
    tensors = real_tensors(problem, seed, binades=20)
    sums = [exact.exact_magnitude(operation, tensors, problem, reference) for reference in REFERENCES]
    counts = [exact.count_terms(operation, tensors, problem, reference) for reference in REFERENCES]
    assert len({total.round(get_format("float64"), upward=True).tobytes() for total in sums}) == 1
    assert len({count.tobytes() for count in counts}) == 1


@each
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_bias_is_one_term_more_of_a_forward_pass_alone(reference, operation):
    tensors = real_tensors(SMALL)
    with_bias, without = (
        exact.count_terms(operation, made, SMALL, reference) for made in (tensors, tensors | {"bias": None})
    )
    assert with_bias.dtype == without.dtype == np.int64
    assert (with_bias - without == (operation == "forward")).all()
    assert 1 <= without.max() <= SMALL.reduction_length(operation)


@each
@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight"])
def test_nothing_times_numbers_near_the_ends_of_float64_is_zero(reference, operation):
    tensors = real_tensors(SMALL)
    first, second = exact.FACTORS[operation]
    tensors[first], tensors[second] = tensors[first] * 2.0**1010, tensors[second] * 0
    got = exact.exact_sum(operation, tensors | {"bias": None}, SMALL, reference).round(get_format("float64"))
    assert got.tobytes() == np.zeros(SMALL.shape_of(operation)).tobytes()


@each
def test_cancellation_leaves_the_last_bit(reference):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 3))
    x = np.array([[[[2.0**60, 2.0**-60, -(2.0**60)]]]])
    y = exact.forward(x, np.ones((1, 1, 1, 3)), None, problem, "float32", using=reference)
    assert float(y[0, 0, 0, 0]) == 2.0**-60


@each
def test_the_bias_enters_before_the_rounding(reference):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 1), kernel_size=(1, 1))
    x, weight = np.array([[[[1 + 2.0**-8]]]]), np.ones((1, 1, 1, 1))  # a tie in bfloat16
    y = exact.forward(x, weight, np.array([2.0**-100]), problem, "bfloat16", using=reference)
    assert float(y[0, 0, 0, 0]) == 1 + 2.0**-7


@each
def test_the_whole_range_of_float64_is_exact(reference):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    huge, tiny = np.finfo(np.float64).max, 5e-324
    y = exact.forward(np.array([[[[huge, tiny]]]]), np.array([[[[1.0, 1.0]]]]), None, problem, "float64", reference)
    assert float(y[0, 0, 0, 0]) == huge
    y = exact.forward(np.array([[[[huge, tiny]]]]), np.array([[[[tiny, 1.0]]]]), None, problem, "float64", reference)
    assert float(y[0, 0, 0, 0]) == float(Fraction(huge) * Fraction(tiny) + Fraction(tiny))


@each
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_functions_by_name_round_the_sum(reference, operation):
    tensors = integer_tensors(SMALL, seed=5)
    got = getattr(exact, operation)(*(tensors[name] for name in ARGUMENTS[operation]), SMALL, "int32", using=reference)
    expected = getattr(direct, operation)(*(tensors[name] for name in ARGUMENTS[operation]), SMALL)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("kind", [np.float64, np.int8])
def test_products_are_counted_in_float32_wherever_the_tensors_are(kind):
    for like in (np.empty((2, 3), kind), Elsewhere(np.empty((2, 3), kind))):
        ones = engine._ones((2, 3), like)
        assert (ones.dtype, ones.shape, is_elsewhere(ones)) == (np.float32, (2, 3), is_elsewhere(like))


@each
@pytest.mark.parametrize("operation", OPERATIONS)
def test_magnitudes_and_counts_are_those_of_the_seven_loops(reference, operation):
    tensors = integer_tensors(SMALL, seed=5)
    sizes, ones = ([function(tensors[name]) for name in ARGUMENTS[operation]] for function in (np.abs, np.ones_like))
    magnitude = exact.exact_magnitude(operation, tensors, SMALL, reference).round(get_format("float64"))
    np.testing.assert_array_equal(magnitude, getattr(direct, operation)(*sizes, SMALL))
    counts = exact.count_terms(operation, tensors, SMALL, reference)
    np.testing.assert_array_equal(counts, getattr(direct, operation)(*ones, SMALL))


@pytest.mark.parametrize("problem", [SMALL, UP], ids=["convolution", "transposed"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_tensors_of_another_shape_are_refused_by_name(operation, problem):
    using = im2col if problem is SMALL else transposed.im2col
    tensors = real_tensors(problem)
    for name in (*exact.FACTORS[operation], *["bias"] * (operation == "forward")):
        wrong = tensors | {name: np.ones((1, *tensors[name].shape))}
        with pytest.raises(TensorError, match=rf"^{name} must have shape "):
            exact.exact_sum(operation, wrong, problem, using)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("using", "kind"), [
    (transposed.direct, IntegerSum), (transposed.sparse, FloatSum), (transposed.im2col, FloatSum),
])  # fmt: skip
def test_transposed_convolutions_are_computed_by_their_own_references(using, kind, operation):
    tensors = integer_tensors(UP, seed=5)
    total = exact.exact_sum(operation, tensors, UP, using)
    assert type(total) is kind
    expected = getattr(using, operation)(*(tensors[name] for name in ARGUMENTS[operation]), UP)
    np.testing.assert_array_equal(total.round(get_format("float64")), expected)


@each
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_functions_by_name_overflow_as_they_are_told(reference, operation):
    pointwise = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2,), kernel_size=(1,))
    factors = [np.full(pointwise.shape_of(name), 2.0**20) for name in exact.FACTORS[operation]]
    arguments = (*factors, *[None] * (operation == "forward"), pointwise, "float8_e4m3fn", reference)
    for mode, expected in (("saturate", 448.0), ("nan", np.nan)):
        results = getattr(exact, operation)(*arguments, mode).astype(np.float64)
        np.testing.assert_array_equal(results, np.full(pointwise.shape_of(operation), expected))
    with pytest.raises(FormatError, match="must be one of saturate, nan, got None"):
        getattr(exact, operation)(*arguments)


@pytest.mark.parametrize("width", [1, 2, 7, 24, 53])
def test_slices_add_up_to_the_tensor_and_keep_their_width(width):
    tensor = real_tensors(SMALL, binades=40)["x"]
    parts = slices(tensor, width)
    total = sum(np.vectorize(Fraction)(digits) * Fraction(2) ** exponent for exponent, digits in parts)
    np.testing.assert_array_equal(total, np.vectorize(Fraction)(tensor))
    assert max(np.abs(digits).max() for _, digits in parts) <= 2 ** (width - 1)
    assert all(digits.any() for _, digits in parts)


@given(st.integers(1, 10**6), st.integers(0, 60), st.integers(0, 60))
def test_no_partial_sum_of_slice_products_leaves_53_bits(terms, first, second):
    one, two = (np.array([2.0**bits + 1, -1.0]) for bits in (first, second))
    a, b = widths(one, two, terms)
    assert 1 <= a <= 53
    assert 1 <= b <= 53
    assert terms * 2 ** (a - 1) * 2 ** (b - 1) <= 2**53


def test_small_integers_need_one_product_only():
    values = np.arange(-1000.0, 1000.0)
    a, b = widths(values, values, terms=576)
    assert len(slices(values, a)) == len(slices(values, b)) == 1


def test_extent_finds_the_lowest_bit_and_the_bound():
    assert extent(np.zeros(0)) == (0, 0)
    assert extent(np.array([0.0, -0.375, 5.0])) == (-3, 3)
    assert extent(np.zeros(3)) == (0, 0)
    assert extent(np.array([5e-324])) == (-1074, -1073)


@pytest.mark.parametrize(("kinds", "carrier"), [
    (("float16", "bfloat16", "float8_e5m2", "float8_e4m3fn", "float32", "int8", "uint8"), np.float32),
    (("int32", "float64"), np.float64),
])  # fmt: skip
def test_numbers_are_carried_by_the_narrowest_float_that_holds_them(kinds, carrier):
    for kind in kinds:
        carried = as_reals(np.ones(2, get_format(kind).dtype))
        assert carried.dtype == carrier
        assert carried.tolist() == [1, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_has_no_extent(value):
    with pytest.raises(FormatError, match="a tensor must be finite to have an extent, got NaN or infinity"):
        extent(np.array([1.0, value]))
    assert finite_extent(np.array([1.0, value])) is None


@given(
    st.lists(st.tuples(st.integers(-(2**12), 2**12), st.integers(-60, 60)), min_size=1, max_size=12),
    st.sampled_from([np.float32, np.float64]),
)
def test_extent_looks_at_every_piece_of_a_tensor(numbers, kind):
    """Pieces of two and three numbers: what the first one says of the lowest bit is held against all others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slicing, "_FIRST", 2)
        patch.setattr(slicing, "_PIECE", 3)
        found = extent(np.array([significand * 2.0**exponent for significand, exponent in numbers], kind))
    whole = [abs(significand) << (60 + exponent) for significand, exponent in numbers]
    low = min(((value & -value).bit_length() - 61 for value in whole if value), default=0)
    assert found == (low, max(value.bit_length() - 60 for value in whole) if any(whole) else 0)


@pytest.mark.parametrize(("low", "bits", "told"), [
    (0, 51, True), (0, 52, False), (-1000, 2, True), (-1001, 2, False), (947, 2, True), (948, 2, False),
])  # fmt: skip
def test_multiples_are_told_at_once_as_far_as_float64_reaches(low, bits, told):
    values = np.array([(2.0**bits - 1) * 2.0**low, -(2.0**low)])
    assert slicing._are_multiples(values, low, low + bits) == told
    assert not slicing._are_multiples(values, low + 1, low + bits)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("bits", [20, 22, 23, 24, 50, 51, 52, 53])
def test_one_number_among_many_has_the_lowest_bit(kind, bits):
    if bits > np.finfo(kind).nmant + 1:
        return
    values = np.full(1000, 2.0 ** (bits - 1), kind)
    for low in (0, 1, 2):
        values[700] = 2.0 ** (bits - 1) + 2.0**low
        assert extent(values) == (low, bits)
        assert extent(-values) == (low, bits)
        values[:600] = 2.0 ** (low + 1)
        assert extent(values) == (low, bits)


@pytest.mark.parametrize(
    ("count", "bits"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (2**20, 20), (2**20 + 1, 21)]
)
def test_ceil_log2(count, bits):
    assert ceil_log2(count) == bits


@pytest.mark.parametrize("kind", ["float32", "float16", "int8", "float64"])
@pytest.mark.parametrize("taps", [1, 2, 3, 9, 1100, 1201])
def test_sums_on_both_sides_of_what_float32_holds_are_exact(kind, taps):
    problem = ConvProblem(batch=1, in_channels=taps, out_channels=2, input_size=(1, 2), kernel_size=(1, 1))
    for value in (127, 119, 118, 117):  # 1100 * 117 * 127 is below 2**24, 1201 * 119 * 119 is above
        tensors = {"x": np.full(problem.x_shape, value), "weight": np.full(problem.weight_shape, 127),
                   "grad_output": np.full(problem.y_shape, value)}  # fmt: skip
        for name, operation in (("x", "forward"), ("weight", "grad_input"), ("x", "grad_weight")):
            tensors[name].reshape(-1)[-1] -= 4  # another last bit of a few sums
            narrow = {key: tensor.astype(kind) for key, tensor in tensors.items()}
            total = exact.exact_sum(operation, narrow, problem, im2col)
            factors = [tensors[key] for key in exact.FACTORS[operation]]
            bias = [None] if operation == "forward" else []
            expected = getattr(im2col, operation)(*factors, *bias, problem)
            assert total.round(get_format("float64")).tolist() == expected.tolist()


def test_a_convolution_in_float32_serves_exactly_what_it_holds():
    problem = ConvProblem(batch=1, in_channels=2, out_channels=1, input_size=(1, 1), kernel_size=(1, 1))
    weight = np.ones(problem.weight_shape, np.float32)
    for x, carrier in (([2**23 - 1, 2**23 - 2], np.float32), ([2**23 + 1, 2**23], np.float64)):
        tensors = {"x": np.array(x, np.float32).reshape(problem.x_shape), "weight": weight}
        total = exact.exact_sum("forward", tensors, problem, im2col)
        assert [part.values.dtype for part in total.parts] == [carrier]
        assert total.round(get_format("float64")).item() == sum(x)
