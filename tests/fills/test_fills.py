import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import every_problem

from refconv import ConvProblem, FormatError, exact, fills
from refconv.fills.bits import below, spread
from refconv.formats import get_format
from refconv.reference import im2col

REAL = [fills.zero_mean, fills.positive, fills.full_mantissa, fills.wide_exponents, fills.cancelling, fills.smooth]
FORMATS = ["float64", "float32", "float16", "bfloat16"]
SHAPE = (2, 3, 5, 8)


def test_the_bits_are_those_of_shake_256():
    stream = hashlib.shake_256(b"refconv/1/some-case/x").digest(24)
    assert fills.bits("some-case/x", (3,)).tolist() == [int.from_bytes(stream[i : i + 8], "little") for i in (0, 8, 16)]


def test_the_bytes_of_the_fills_never_change():
    """Vectors are regenerated from these bits for as long as format 1 lives."""
    integers = [fills.exact_integers("k", SHAPE, largest) for largest in (100, 10**5)]
    made = [*integers, *(fill("k", SHAPE, get_format("float32")) for fill in REAL)]
    digest = hashlib.sha256(b"".join(values.tobytes() for values in made)).hexdigest()
    assert digest == "f8ab251c56910dd71f83a2c936abc0b7b69fff38ed6017a82bc77539ace3ef0b"


def test_spread_deals_every_value_equally_often():
    dealt = spread("k", (7, 5), 10)
    counts = np.bincount(dealt.ravel(), minlength=10)
    assert counts.max() - counts.min() <= 1
    for bound in (35, 36, 50, 1000, 10**6):
        dealt = spread("k", (7, 5), bound)
        assert len(np.unique(dealt)) == 35
        assert 0 <= dealt.min() <= bound // 35
        assert bound - 1 - bound // 35 <= dealt.max() < bound
    assert spread("k", (0, 5), 10).shape == (0, 5)


def test_below_stays_below():
    assert set(below("k", (1000,), 3)) == {0, 1, 2}


def test_exact_integers_are_nonzero_asymmetric_and_distinct():
    values = fills.exact_integers("k", (40, 25), 5000)
    assert len(np.unique(np.abs(values))) == 1000
    assert np.abs(values).min() >= 1
    assert np.abs(values).max() <= 5000
    assert 0.55 < np.mean(values > 0) < 0.7


@given(every_problem(), st.sampled_from(FORMATS), st.booleans())
def test_sums_of_an_exact_fill_stay_within_the_budget(problem, name, has_bias):
    element, budget = get_format(name), 2**15 if name == "float16" else 2**24
    ranges = fills.exact_ranges(problem, element, budget, has_bias)
    tensors = {name: fills.exact_integers(name, problem.shape_of(name), getattr(ranges, name))
               for name in ("x", "weight", "grad_output", "bias")}  # fmt: skip
    if not has_bias:
        tensors["bias"] = None
    for operation in ("forward", "grad_input", "grad_weight", "grad_bias"):
        largest = exact.exact_magnitude(operation, tensors, problem, im2col).round(get_format("float64"), upward=True)
        assert largest.max(initial=0) <= budget
    assert max(ranges.x, ranges.weight, ranges.grad_output) <= element.largest_integer


def test_a_format_with_few_integers_gives_its_room_to_the_others():
    problem = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2))
    ranges = fills.exact_ranges(problem, get_format("int8"), 2**31 - 1, has_bias=True)
    assert (ranges.x, ranges.weight) == (127, 127)


def test_a_reduction_that_is_too_long_for_the_budget_is_refused():
    problem = ConvProblem(batch=1, in_channels=600, out_channels=1, input_size=(1, 1), kernel_size=(1, 1))
    with pytest.raises(FormatError, match="needs room for 600 products of ones within 256"):
        fills.exact_ranges(problem, get_format("bfloat16"), 256, has_bias=True)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("fill", REAL, ids=lambda fill: fill.__name__)
def test_real_fills_are_held_exactly_by_their_format_and_never_zero(fill, name):
    values, dtype = fill("k", SHAPE, get_format(name)), get_format(name).dtype
    np.testing.assert_array_equal(values.astype(dtype).astype(np.float64), values)
    assert (values != 0).all()


def test_full_mantissa_uses_the_last_bit():
    values = fills.full_mantissa("k", SHAPE, get_format("float32"))
    assert (np.ldexp(values, 24) % 2 == 1).all()


def test_positive_is_positive_and_zero_mean_is_not():
    assert (fills.positive("k", SHAPE, get_format("float32")) > 0).all()
    values = fills.zero_mean("k", (50, 50), get_format("float32"))
    assert abs(values.mean()) < 0.05
    assert 0.45 < np.mean(values > 0) < 0.55


def test_neighbours_of_a_cancelling_fill_almost_cancel():
    values = fills.cancelling("k", SHAPE, get_format("float32"))
    pairs = np.abs(values[..., 0::2] + values[..., 1::2])
    assert (pairs <= 2.0**-15).all()


def test_wide_exponents_are_wide():
    values = np.abs(fills.wide_exponents("k", (50, 50), get_format("float32")))
    assert values.max() / values.min() > 2**20


def test_iota_counts():
    assert fills.iota((2, 3)).tolist() == [[1, 2, 3], [4, 5, 6]]
