"""Both roundings against rational arithmetic, on the numbers on which roundings fail."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from refconv import FormatError
from refconv.exact import rounding
from refconv.exact.rounding import bit_length
from refconv.exact.sums import FloatSum, IntegerSum, SlicedSum, overflow_mode, round_integer, to_integers
from refconv.formats import FORMATS, get_format

FLOATING = [name for name, item in FORMATS.items() if not item.is_integer]
MODES = [(name, mode) for name in FLOATING for mode in ("infinity", "saturate", "nan")
         if mode != "infinity" or FORMATS[name].has_infinity]  # fmt: skip

PER_MODE = -(-100_000 // len(MODES))  # so that all formats and modes together see 100,000 numbers


def rational_rounding(value, item, mode):
    """Round a Fraction by the definition: Python rounds halves to even."""
    if value == 0:
        return 0.0
    magnitude, sign = abs(value), -1.0 if value < 0 else 1.0
    top = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    top -= Fraction(2) ** top > magnitude
    top += Fraction(2) ** (top + 1) <= magnitude
    unit = Fraction(2) ** (max(top, item.min_exponent) - item.precision + 1)
    rounded = round(magnitude / unit) * unit
    if rounded > Fraction(item.largest):
        return sign * {"infinity": math.inf, "saturate": item.largest, "nan": math.nan}[mode]
    return math.copysign(float(rounded), sign)


def adversarial(item, count, seed):
    """Draw numbers at, just beside, and between the ties; subnormal, ordinary and near overflow."""
    rng = random.Random(seed)
    highest = math.frexp(item.largest)[1] - 1
    for _ in range(count):
        exponent = rng.choice([
            rng.randint(item.min_exponent - item.precision - 2, item.min_exponent + 1),
            rng.randint(-4, 12),
            highest - rng.randint(0, 1),
        ])  # fmt: skip
        unit = Fraction(2) ** (exponent - item.precision + 1)
        base = rng.choice([rng.randrange(2 ** (item.precision - 1), 2**item.precision), 2**item.precision - 1]) * unit
        nudge = unit / 2 / 2 ** rng.choice([1, 2, 9, 40, 58, 59, 60, 61, 62, 63, 64, 65, 90])
        offset = rng.choice([0, unit / 2, unit / 2 + nudge, unit / 2 - nudge, nudge, -nudge])
        yield rng.choice([-1, 1]) * (base + offset)


def cancelling_sums(values, seed):
    """Write each value as a sum of three terms, two of which are large and cancel."""
    rng = np.random.default_rng(seed)
    large = rng.integers(-(2**61), 2**61, len(values))
    sliced, _ = as_sums(values)
    return SlicedSum(sliced.shape, ((-3, large), *sliced.terms, (-2, -(large >> 1)), (-3, -(large & 1))))


def as_sums(values):
    """Write Fractions with power-of-two denominators as both kinds of exact sum."""
    low = -max(value.denominator.bit_length() - 1 for value in values)
    whole = [int(value * Fraction(2) ** -low) for value in values]
    integers = np.array(whole, dtype=object)
    terms, exponent, rest = [], low, whole
    while any(rest):
        digits = [abs(r) % 2**40 * (1 if r > 0 else -1) for r in rest]
        terms.append((exponent, np.array(digits, dtype=np.int64)))
        rest = [(r - d) >> 40 for r, d in zip(rest, digits, strict=True)]
        exponent += 40
    return SlicedSum((len(values),), tuple(terms)), IntegerSum((len(values),), integers, low)


@pytest.mark.parametrize(("name", "mode"), MODES)
def test_both_roundings_equal_rational_arithmetic(name, mode):
    item = get_format(name)
    values = list(adversarial(item, PER_MODE, seed=f"{name}{mode}"))
    expected = np.array([rational_rounding(value, item, mode) for value in values])
    for total in (*as_sums(values), cancelling_sums(values, seed=7)):
        got = total.round(item, mode)
        assert got.dtype == item.dtype
        np.testing.assert_array_equal(got.astype(np.float64), expected)
        finite = ~np.isnan(expected)  # the sign of a zero counts: what underflows keeps it
        np.testing.assert_array_equal(np.signbit(got.astype(np.float64))[finite], np.signbit(expected)[finite])


@pytest.mark.parametrize("name", FLOATING)
def test_rounding_upward_gives_the_smallest_number_that_is_not_below(name):
    item = get_format(name)
    mode = "saturate" if not item.has_infinity else "infinity"
    values = [value for value in adversarial(item, 400, seed=name) if abs(value) < item.largest / 2]
    sliced, integers = (total.round(item, mode, upward=True) for total in as_sums(values))
    assert sliced.tobytes() == integers.tobytes()
    step = float(Fraction(2) ** item.quantum_exponent)
    for value, got in zip(values, sliced.astype(np.float64), strict=True):
        ulp = max(step, 2.0 ** (math.frexp(got)[1] - item.precision))
        assert value <= Fraction(got) < value + Fraction(ulp)


@pytest.mark.parametrize("total", as_sums([Fraction(0), Fraction(0)]), ids=["sliced", "integers"])
def test_an_exact_zero_is_positive(total):
    assert not np.signbit(total.round(get_format("float32"))).any()


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (Fraction(257), "bfloat16", 256.0),  # a tie goes to the even neighbour
        (Fraction(259), "bfloat16", 260.0),
        (257 + Fraction(1, 2**60), "bfloat16", 258.0),  # and one unit in the last place of anything decides it
        (1 + Fraction(1, 2**24), "float32", 1.0),
        (1 + Fraction(1, 2**24) + Fraction(1, 2**100), "float32", 1 + 2.0**-23),
        (Fraction(3, 2**150), "float32", 2.0**-148),  # a subnormal tie
        (Fraction(1, 2**150), "float32", 0.0),
        (Fraction(65519), "float16", 65504.0),
        (Fraction(65520), "float16", math.inf),
        (Fraction(2) ** 1024 - Fraction(2) ** 970 - 1, "float64", (2 - 2.0**-52) * 2.0**1023),
    ],
)
def test_known_roundings(value, name, expected):
    for total in as_sums([value]):
        assert float(total.round(get_format(name))[0]) == expected


def test_a_value_that_passes_through_float32_would_be_rounded_twice():
    value = 257 + Fraction(1, 2**30)  # float32 makes it 257, a tie, and bfloat16 then 256
    assert all(float(total.round(get_format("bfloat16"))[0]) == 258.0 for total in as_sums([value]))


@pytest.mark.parametrize(
    ("value", "fits"), [(2**31 - 1, True), (2**31, False), (-(2**31), True), (-(2**31) - 1, False)]
)
def test_integer_formats_hold_their_range_and_refuse_the_rest(value, fits):
    for total in as_sums([Fraction(value)]):
        if fits:
            assert total.round(get_format("int32")).tolist() == [value]
        else:
            with pytest.raises(FormatError, match="int32 must hold every exact result"):
                total.round(get_format("int32"))


def test_integers_may_be_multiples_of_a_power_of_two():
    for shift in (0, 1, 3, 24):
        total = SlicedSum((3,), ((shift, np.array([5, -5, 0])),))
        assert total.round(get_format("int32")).tolist() == [5 << shift, -5 << shift, 0]


@pytest.mark.parametrize("value", [2**62, 2**64 + 2**3, 2**70 + 2**9, -(2**64) - 2**3, 2**200 + 2**140])
@pytest.mark.parametrize("name", ["int8", "uint8", "int32"])
def test_what_is_too_large_for_64_bits_is_too_large_for_every_integer_format(value, name):
    large = 1 << (value.bit_length() - 1)
    parts = [math.copysign(large, value), float(abs(value) - large)]
    total = SlicedSum((1,), ())
    for part in parts:
        total = total.plus(np.array([part]))
    with pytest.raises(FormatError, match=f"{name} must hold every exact result"):
        total.round(get_format(name))


@pytest.mark.parametrize(("name", "mode", "expected"), [
    ("float16", None, math.inf), ("float16", "infinity", math.inf), ("float16", "saturate", 65504.0),
    ("float16", "nan", math.nan), ("bfloat16", None, math.inf), ("float8_e4m3fn", "saturate", 448.0),
    ("float8_e4m3fn", "nan", math.nan),
])  # fmt: skip
def test_every_kind_of_sum_overflows_as_it_is_told(name, mode, expected):
    floats = FloatSum((2,), ()).plus(np.array([2.0**200, -(2.0**200)]))
    for total in (floats, floats.sliced(), as_sums([Fraction(2) ** 200, -(Fraction(2) ** 200)])[1]):
        rounded = total.round(get_format(name), mode).astype(np.float64)
        np.testing.assert_array_equal(rounded, [expected, -expected])


def test_integer_formats_refuse_fractions():
    for total in as_sums([Fraction(5, 2)]):
        with pytest.raises(FormatError, match="some are fractions"):
            total.round(get_format("int8"))


def test_a_format_without_infinity_must_be_told_its_overflow():
    with pytest.raises(FormatError, match="overflow for float8_e4m3fn must be one of saturate, nan, got None"):
        overflow_mode(get_format("float8_e4m3fn"), None)
    with pytest.raises(FormatError, match="must be one of saturate, nan, got 'infinity'"):
        overflow_mode(get_format("float8_e4m3fn"), "infinity")
    with pytest.raises(FormatError, match="must be one of infinity, saturate, nan, got 'wrap'"):
        overflow_mode(get_format("float16"), "wrap")
    for name, mode in MODES:
        assert overflow_mode(get_format(name), mode) == mode
    for name in ("float16", "float64", "int32", "uint8"):
        assert overflow_mode(get_format(name), None) == "infinity"


def test_bit_length_is_that_of_python():
    values = [0, 1, 2, 3, 2**53 - 1, 2**53, 2**53 + 1, 2**54 - 1, 2**61 - 1, 2**61, 2**62 - 1, 2**62]
    assert bit_length(np.array(values)).tolist() == [value.bit_length() for value in values]


def test_floats_become_integers_exactly():
    values = np.array([5e-324, -1.5, 0.0, 2.0**1000])
    integers, exponent = to_integers(values)
    assert [Fraction(n) * Fraction(2) ** exponent for n in integers] == [Fraction(float(v)) for v in values]


def test_round_integer_needs_no_slices():
    assert round_integer(3, -150, get_format("float32"), "infinity") == 2.0**-148


# What a mistake in the rounding would look like; each must be noticed by the numbers above.


def drop_sticky(leading, exponent, sticky, out, away):
    return ROUND_AT(leading, exponent, np.zeros_like(sticky), out, away)


def ties_away(leading, exponent, sticky, out, away):
    return ROUND_AT(leading, exponent, np.ones_like(sticky), out, away)


def ties_to_odd(leading, exponent, sticky, out, away):
    kept, lsb = ROUND_AT(leading, exponent, np.zeros_like(sticky), out, away)
    up, _ = ROUND_AT(leading, exponent, np.ones_like(sticky), out, away)
    tie = (kept != up) & ~sticky
    return np.where(tie, np.where(up % 2 == 0, up - 1, up), np.where(sticky, up, kept)), lsb


def wrong_min_exponent(by):
    def mutant(leading, exponent, sticky, out, away):
        return ROUND_AT(leading, exponent, sticky, replace(out, min_exponent=out.min_exponent + by), away)

    return mutant


def wrong_precision(leading, exponent, sticky, out, away):
    return ROUND_AT(leading, exponent, sticky, replace(out, precision=out.precision - 1), away)


def truncate(leading, exponent, sticky, out, away):
    return ROUND_AT(leading, exponent, sticky, out, np.zeros_like(sticky))


ROUND_AT = rounding._round_at
MUTANTS = {
    "drop sticky": drop_sticky, "ties away": ties_away, "ties to odd": ties_to_odd, "truncate": truncate,
    "min exponent too small": wrong_min_exponent(-1), "min exponent too large": wrong_min_exponent(1),
    "precision too small": wrong_precision,
}  # fmt: skip


@pytest.mark.parametrize("name", FLOATING)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_in_the_rounding_is_noticed_in_every_format(name, mutant, monkeypatch):
    item, mode = get_format(name), "saturate"
    values = list(adversarial(item, 1500, seed=f"{name}{mode}"))
    expected = np.array([rational_rounding(value, item, mode) for value in values])
    total, _ = as_sums(values)
    np.testing.assert_array_equal(total.round(item, mode).astype(np.float64), expected)
    monkeypatch.setattr(rounding, "_round_at", MUTANTS[mutant])
    assert (total.round(item, mode).astype(np.float64) != expected).any()
