"""Each way to round against its definition in rational arithmetic."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refconv.exact import ROUNDINGS, centred, requantize
from refconv.exact.requantization import fixed_point
from refconv.quantization import Quantization

INT32 = st.integers(-(2**31), 2**31 - 1)
SCALES = st.floats(2.0**-20, 1, width=32)


def one(accumulator, quantization, rounding):
    return int(requantize(np.array(accumulator).reshape(1, 1, 1, 1), quantization, rounding).item())


def halves(zero_point=7):
    return Quantization(0.5, 0, (1.0,), (0,), 1.0, zero_point, "int8")


def clamp(value):
    return min(max(value, -128), 127)


@given(INT32, SCALES, SCALES)
def test_half_to_even_is_the_nearest_integer_to_the_exact_quotient(accumulator, scale, y_scale):
    quantization = Quantization(scale, 0, (1.0,), (0,), y_scale, 3, "int8")
    real = accumulator * Fraction(scale) / Fraction(y_scale)
    low, rest = floor(real), real - floor(real)
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1)
    assert one(accumulator, quantization, "half-to-even") == clamp(low + up + 3)


@given(INT32, SCALES)
def test_half_away_differs_from_it_on_ties_alone(accumulator, scale):
    quantization = Quantization(scale, 0, (1.0,), (0,), 1.0, 0, "int8")
    real = accumulator * Fraction(scale)
    away = ceil(real - Fraction(1, 2)) if real < 0 else floor(real + Fraction(1, 2))
    assert one(accumulator, quantization, "half-away-from-zero") == clamp(away)


@given(INT32, st.floats(2.0**-20, 0.9375, width=32))
def test_single_rounding_is_the_nearest_to_the_31_bit_multiplier_ties_up(accumulator, scale):
    quantization = Quantization(scale, 0, (1.0,), (0,), 1.0, 0, "int8")
    q, shift = fixed_point(scale)
    real = accumulator * Fraction(q) * Fraction(2) ** (shift - 31)
    assert one(accumulator, quantization, "fixed-point-single-rounding") == clamp(floor(real + Fraction(1, 2)))


@given(INT32, st.floats(2.0**-20, 0.9375, width=32))
def test_double_rounding_rounds_the_rounded_high_product(accumulator, scale):
    quantization = Quantization(scale, 0, (1.0,), (0,), 1.0, 0, "int8")
    q, shift = fixed_point(scale)
    high = floor(Fraction(accumulator * q, 2**31) + Fraction(1, 2))  # ties up, as the truncated nudge has it
    real = Fraction(high, 2**-shift)
    away = ceil(real - Fraction(1, 2)) if real < 0 else floor(real + Fraction(1, 2))
    assert one(accumulator, quantization, "fixed-point-double-rounding") == clamp(away)


@pytest.mark.parametrize(
    ("rounding", "results"),
    [
        ("half-to-even", [5, 5, 6, 7, 7, 7, 8, 9, 9]),  # -2, -1.5 ... 2 before the zero point of 7
        ("half-away-from-zero", [5, 5, 6, 6, 7, 8, 8, 9, 9]),
        ("fixed-point-single-rounding", [5, 6, 6, 7, 7, 8, 8, 9, 9]),
        ("fixed-point-double-rounding", [5, 6, 6, 7, 7, 8, 8, 9, 9]),
    ],
)
def test_ties_by_hand(rounding, results):
    assert [one(value, halves(), rounding) for value in range(-4, 5)] == results


def test_adding_the_zero_point_before_the_rounding_matches_no_way_to_round():
    early = [round(Fraction(value, 2) + 7) for value in range(-4, 5)]
    assert all(early != [one(value, halves(), rounding) for value in range(-4, 5)] for rounding in ROUNDINGS)


def test_two_roundings_differ_from_one_just_below_a_tie():
    third = Quantization(0.375, 0, (1.0,), (0,), 1.0, 0, "int8")
    assert one(9, third, "half-to-even") == 3  # 3.375; 9 * 0.75 is 6.75, rounded 7, and 3.5 rounds to 4
    assert one(9, third, "fixed-point-double-rounding") == 4


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(("out", "ends"), [("int8", (-128, 127)), ("uint8", (0, 255))])
def test_saturation_comes_after_the_zero_point(rounding, out, ends):
    quantization = Quantization(0.5, 0, (1.0,), (0,), 1.0, 100, out)
    assert (one(-10000, quantization, rounding), one(10000, quantization, rounding)) == ends
    assert one(-400, quantization, rounding) == max(ends[0], -100)


def test_every_channel_has_its_own_multiplier():
    quantization = Quantization(1.0, 0, (1.0, 0.5), (0,), 1.0, 0, "int8")
    sums = np.full((1, 2, 1, 1), 10)
    assert requantize(sums, quantization, "half-to-even").ravel().tolist() == [10, 5]


def test_zero_points_are_subtracted_by_output_channel():
    tensors = {"x": np.full((1, 1, 1, 1), 255, np.uint8), "weight": np.full((2, 1, 1, 1), -128, np.int8)}
    shifted = centred(tensors, Quantization(1.0, 3, (1.0,), (127, -1), 1.0, 0, "int8"))
    assert shifted["x"].item() == 252
    assert shifted["weight"].ravel().tolist() == [-255, -127]
    assert shifted["x"].dtype == shifted["weight"].dtype == np.int32


def test_the_multiplier_that_rounds_to_one_is_carried():
    assert fixed_point(1 - 2.0**-40) == (2**30, 1)
    assert fixed_point(2.0**-40) == (0, 0)


def test_the_smallest_multiplier_that_is_not_taken_for_zero():
    assert fixed_point(2.0**-32) == (2**30, -31)
    assert fixed_point(2.0**-33) == (0, 0)
    assert fixed_point(np.nextafter(2.0**-32, 0)) == (2**30, -31)  # rounded up to it


def test_one_multiplier_serves_every_channel():
    quantization = Quantization(0.5, 0, (1.0,), (0,), 1.0, 0, "int8")
    assert requantize(np.full((1, 3, 1, 1), 10), quantization, "half-to-even").ravel().tolist() == [5, 5, 5]
