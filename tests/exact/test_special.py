"""NaN and infinities in exact sums, against IEEE 754 arithmetic itself on the products that exist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import integer_tensors, problems

from refconv import ConvProblem, FormatError, exact
from refconv.formats import FORMATS, get_format
from refconv.judge import standard_interval
from refconv.reference import direct, im2col, sparse

REFERENCES = [direct, sparse, im2col]
OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]
each = pytest.mark.parametrize("reference", REFERENCES, ids=lambda module: module.name)
PADDED = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2),
                     padding=((0, 0), (1, 0)))  # fmt: skip
SPECIALS = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])


def planted(problem, seed):
    """Integers with some special values in every tensor."""
    rng = np.random.default_rng(seed)
    tensors = integer_tensors(problem, seed)
    for tensor in tensors.values():
        chosen = rng.random(tensor.shape) < 0.1
        tensor[chosen] = rng.choice(SPECIALS, int(chosen.sum()))
    return tensors


def by_ieee(operation, tensors, problem):
    """Run the seven loops in float64: on small integers they round nothing, and they know no padding."""
    names = exact.FACTORS[operation] + (("bias",) if operation == "forward" else ())
    with np.errstate(invalid="ignore"):
        return getattr(direct, operation)(*(tensors[name] for name in names), problem)


@each
@pytest.mark.parametrize("operation", OPERATIONS)
@given(problem=problems(), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_every_class_of_special_value_is_the_one_of_ieee_754(reference, operation, problem, seed):
    tensors = planted(problem, seed)
    total = exact.exact_sum(operation, tensors, problem, reference)
    np.testing.assert_array_equal(total.round(get_format("float64")), by_ieee(operation, tensors, problem))


@each
def test_a_nan_weight_over_the_padding_is_absent(reference):
    x, weight = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([[[[np.nan, 5.0]]]])
    y = exact.forward(x, weight, None, PADDED, "float32", reference)
    np.testing.assert_array_equal(y, np.array([[[[5.0, np.nan, np.nan]]]]))


@each
@pytest.mark.parametrize(("bias", "y"), [(np.inf, np.nan), (-np.inf, -np.inf), (np.nan, np.nan), (7.0, -np.inf)])
def test_a_special_bias_joins_special_products(reference, bias, y):
    x, weight = np.array([[[[np.inf, 2.0, 3.0]]]]), np.array([[[[1.0, -5.0]]]])
    got = exact.forward(x, weight, np.array([bias]), PADDED, "float32", reference)
    np.testing.assert_array_equal(got[0, 0, 0, 0], y)


@each
def test_a_special_bias_joins_finite_products(reference):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=4, input_size=(2,), kernel_size=(1,))
    bias = np.array([np.inf, -np.inf, np.nan, 7.0])
    y = exact.forward(np.array([[[1.0, 2.0]]]), np.full((4, 1, 1), 3.0), bias, problem, "float32", reference)
    np.testing.assert_array_equal(y, [[[np.inf] * 2, [-np.inf] * 2, [np.nan] * 2, [10.0, 13.0]]])


@each
def test_zero_times_infinity_is_nan_and_negative_zero_is_zero(reference):
    x = np.array([[[[-0.0, np.inf, 1.0]]]])
    y = exact.forward(x, np.array([[[[-0.0, 2.0]]]]), None, PADDED, "float64", reference)
    np.testing.assert_array_equal(y, np.array([[[[0.0, np.inf, np.nan]]]]))
    assert not np.signbit(y[0, 0, 0, 0])


@each
def test_the_finite_part_beside_special_values_is_still_exact(reference):
    x = np.array([[[[2.0**60, 1.0, np.nan]]]])
    y = exact.forward(x, np.array([[[[1.0, 1.0]]]]), np.array([-(2.0**60)]), PADDED, "float32", reference)
    assert y[0, 0, 0, 1] == 1.0
    assert np.isnan(y[0, 0, 0, 2])


@each
def test_the_finite_part_beside_special_values_is_rounded_upward_if_told_so(reference):
    tensors = {"x": np.array([[[[1.0, 1.0, np.inf]]]]), "weight": np.array([[[[1.0, 2.0**-40]]]])}
    total = exact.exact_sum("forward", tensors, PADDED, reference)
    nearest, up = (total.round(get_format("float32"), upward=upward)[0, 0, 0] for upward in (False, True))
    assert nearest.tolist() == [2.0**-40, 1.0, np.inf]
    assert up.tolist() == [2.0**-40, 1 + 2.0**-23, np.inf]


@pytest.mark.parametrize("name", [name for name in FORMATS if not FORMATS[name].is_integer])
def test_golden_nans_have_one_bit_pattern(name):
    expected = {"float64": 0x7FF8000000000000, "float32": 0x7FC00000, "float16": 0x7E00, "bfloat16": 0x7FC0,
                "float8_e4m3fn": 0x7F, "float8_e5m2": 0x7E}[name]  # fmt: skip
    element = get_format(name)
    x = np.array([[[[-np.nan, 1.0, 1.0]]]])
    overflow = None if element.has_infinity else "saturate"
    y = exact.forward(x, np.ones((1, 1, 1, 2)), None, PADDED, name, im2col, overflow)
    bits = y.view(f"u{element.dtype.itemsize}").ravel()
    assert bits[0] == bits[1] == expected


@each
def test_the_nan_of_opposite_infinities_is_the_same_one(reference):  # x86 itself makes it negative
    x = np.array([[[[np.inf, 1.0, 1.0]]]])
    y = exact.forward(x, np.ones((1, 1, 1, 2)), np.array([-np.inf]), PADDED, "float32", reference)
    assert [hex(bits) for bits in y.view(np.uint32).ravel()] == ["0x7fc00000", "0x7fc00000", "0xff800000"]


@pytest.mark.parametrize(("mode", "value"), [("saturate", -448.0), ("nan", np.nan)])
def test_a_format_without_infinity_follows_its_overflow_mode(mode, value):
    x = np.array([[[[-np.inf, 1.0, 1.0]]]])
    y = exact.forward(x, np.ones((1, 1, 1, 2)), None, PADDED, "float8_e4m3fn", im2col, mode)
    np.testing.assert_array_equal(y.astype(np.float64)[0, 0, 0], [value, value, 2.0])


def test_integers_hold_no_special_result():
    x = np.array([[[[np.inf, 1.0, 1.0]]]])
    with pytest.raises(FormatError, match="int32 must hold every exact result, but 2 are NaN or infinite"):
        exact.forward(x, np.ones((1, 1, 1, 2)), None, PADDED, "int32", im2col)


@each
def test_the_interval_of_a_special_result_is_that_value(reference):
    x = np.array([[[[np.inf, 0.1, 0.3]]]])
    tensors = {"x": x, "weight": np.full((1, 1, 1, 2), 0.7), "bias": None}
    parts = [function("forward", tensors, PADDED, reference)
             for function in (exact.exact_sum, exact.exact_magnitude, exact.count_terms)]  # fmt: skip
    interval = standard_interval(*parts, get_format("float32"), get_format("float32"))
    assert interval.lo[0, 0, 0, :2].tolist() == interval.hi[0, 0, 0, :2].tolist() == [np.inf, np.inf]
    assert np.isfinite(interval.lo[0, 0, 0, 2])
    assert interval.lo[0, 0, 0, 2] < interval.hi[0, 0, 0, 2]
