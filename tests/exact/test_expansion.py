"""Sums of float64 parts against Python integers: the same value, rounded to every format in both directions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refconv import FormatError
from refconv.exact import expansion
from refconv.exact.expansion import Part, can_expand, is_cast, round_plain_sum, two_sum
from refconv.exact.slicing import extent, real_slices
from refconv.exact.sums import FloatSum, IntegerSum, SlicedSum, to_integers
from refconv.formats import FORMATS, get_format

FLOATS = [name for name in FORMATS if not FORMATS[name].is_integer]
exponents = st.integers(-120, 120)
significands = st.integers(-(2**53), 2**53)


def as_sums(columns):
    """Return the same sum, of one element per column, in floats and in integers."""
    rows = [np.array(row, dtype=np.float64) for row in zip(*columns, strict=True)]
    written = [to_integers(row) for row in rows]
    low = min(exponent for _, exponent in written)
    total = np.zeros(len(columns), dtype=object)
    for integers, exponent in written:
        total = total + np.array([int(value) * 2 ** (exponent - low) for value in integers], dtype=object)
    parts = tuple(Part(row, *extent(row)) for row in rows)
    return FloatSum((len(columns),), parts), IntegerSum((len(columns),), total, low)


numbers = st.builds(lambda m, e: float(m) * 2.0**e, significands, exponents)


@st.composite
def tables(draw):
    """Draw columns of as many numbers each; every column is one sum."""
    count = draw(st.integers(1, 5))
    return draw(st.lists(st.lists(numbers, min_size=count, max_size=count), min_size=1, max_size=6))


@settings(max_examples=300, deadline=None)
@given(tables(), st.sampled_from(FLOATS), st.booleans())
def test_floats_and_integers_round_alike(columns, name, upward):
    floats, integers = as_sums(columns)
    out = get_format(name)
    overflow = None if out.has_infinity else "saturate"
    got, expected = (total.round(out, overflow, upward=upward) for total in (floats, integers))
    assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("tail", [0.0, 2.0**-90, -(2.0**-90), 2.0**-140, -(2.0**-140)])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_lies_far_below_a_tie_decides_it(name, tail, sign):
    out = get_format(name)
    ulp = 2.0 ** (1 - out.precision)
    rows = [[sign * (1 + step * ulp), sign * ulp / 2, sign * tail] for step in range(4)]
    rows += [[sign * 2.0**60, sign * (1 + ulp), -sign * 2.0**60, sign * ulp / 2, sign * tail]]
    width = max(map(len, rows))
    floats, integers = as_sums([row + [0.0] * (width - len(row)) for row in rows])
    overflow = None if out.has_infinity else "nan"
    for upward in (False, True):
        got, expected = (total.round(out, overflow, upward=upward) for total in (floats, integers))
        assert got.tobytes() == expected.tobytes()


@given(tables())
def test_plus_keeps_the_sum_exact(columns):
    floats, integers = as_sums(columns)
    values = np.array([column[0] * 2.0**-40 for column in columns])
    for name in ("float64", "bfloat16"):
        got, expected = (total.plus(values).round(get_format(name)) for total in (floats, integers))
        assert got.tobytes() == expected.tobytes()


def test_sums_that_leave_the_ordinary_range_go_on_as_integers():
    floats = FloatSum((2,), (Part(np.array([1.0, -2.0]), 0, 2),))
    total = floats.plus(np.array([5e-324, np.finfo(np.float64).max]))
    assert isinstance(total, SlicedSum)
    assert total.round(get_format("float64"), upward=True).tolist() == [1 + 2.0**-52, np.finfo(np.float64).max]
    assert not can_expand([Part(np.array([5e-324]), -1074, -1073)])


@pytest.mark.parametrize(("low", "high", "can"), [(-1000, 998, True), (-1001, 0, False), (0, 999, False)])
def test_sums_have_room_for_every_carry(low, high, can):
    """Of two parts: one bit for the sum, and one for what is lost on the way."""
    ordinary, far = Part(np.ones(1), 0, 1), Part(np.array([2.0**low]), low, high)
    assert can_expand([ordinary, far]) == can_expand([far, ordinary]) == can


@pytest.mark.parametrize(("added", "parts"), [(2.0**51, 1), (2.0**52, 2)])
def test_what_fits_53_bits_is_added_up_at_once(added, parts):
    total = FloatSum((1,), ()).plus(np.ones(1)).plus(np.array([added]))
    assert len(total.parts) == parts
    assert total.bounds() == (0, math.frexp(added)[1] + 1)
    assert total.round(get_format("float64")).tolist() == [added + 1]


def test_zero_is_positive_and_a_vanishing_result_keeps_its_sign():
    total = FloatSum((3,), (Part(np.array([-0.0, 2.0**-200, -(2.0**-200)]), -200, -199),))
    for name in ("float32", "bfloat16", "float64"):
        rounded = total.round(get_format(name)).astype(np.float64)
        assert np.signbit(rounded).tolist() == [False, False, True]


def test_integers_are_checked():
    small = FloatSum((1,), (Part(np.array([2.0**40]), 0, 41), Part(np.array([1 - 2.0**40]), 0, 41)))
    assert small.round(get_format("int32")).tolist() == [1]
    large = [Part(np.array([value]), 60, 61) for value in (2.0**60, -(2.0**60))]
    assert FloatSum((1,), (*large, Part(np.array([3.0]), 0, 2))).round(get_format("int32")).tolist() == [3]
    for parts in ((0.5,), (2.0**31,), (3.0, 2.0**-60)):
        bad = FloatSum((1,), tuple(Part(np.array([part]), -60, 32) for part in parts))
        with pytest.raises(FormatError, match="int32 must hold every exact result"):
            bad.round(get_format("int32"))


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_two_sum_is_exact(first, second):
    total, rest = two_sum(first, second)
    assert Fraction(total) + Fraction(rest) == Fraction(first) + Fraction(second)


@given(st.lists(numbers, min_size=1, max_size=9), st.integers(1, 50))
def test_real_slices_add_up_and_keep_their_width(values, width):
    tensor = np.array(values)
    parts = real_slices(tensor, extent(tensor), width)
    total = sum(np.vectorize(Fraction, otypes=[object])(part) for _, part in parts)
    assert total.tolist() == [Fraction(value) for value in values]
    for exponent, part in parts:
        scaled = np.ldexp(part, -exponent)
        assert np.abs(scaled).max() <= 2.0 ** max(width - 1, 0)
        assert (np.rint(scaled) == scaled).all()


@pytest.mark.parametrize("name", ["int8", "uint8", "int32"])
@pytest.mark.parametrize("kind", ["float", "sliced"])
def test_the_ends_of_an_integer_format_are_held_and_what_lies_beyond_is_refused(name, kind):
    out = get_format(name)
    ends = np.array([out.smallest, 0, out.largest], np.float64)
    for shift in (-1, 0, 1):
        total = FloatSum((3,), ()).plus(ends).plus(np.array([shift, 0, shift], np.float64))
        total = total if kind == "float" else total.sliced()
        if shift:
            with pytest.raises(FormatError, match=f"{name} must hold every exact result"):
                total.round(out)
        else:
            assert total.round(out).tolist() == [out.smallest, 0, out.largest]


@pytest.mark.parametrize("name", FLOATS)
def test_nothing_is_zero_in_the_format_that_is_asked_for(name):
    out = get_format(name)
    nothing = FloatSum((2, 3), ()).round(out, None if out.has_infinity else "nan")
    assert (nothing.dtype, nothing.shape) == (out.dtype, (2, 3))
    assert not nothing.any()


@pytest.mark.parametrize("name", ["float16", "float32"])
def test_sums_that_overflow_are_infinite_and_make_no_noise(name):
    """Two parts that are just too large together, and a third that only tells on which side of a tie they are."""
    out = get_format(name)
    half = out.largest / 2 ** (out.precision + 1)  # largest + half a step is the tie between largest and infinity
    for tail, expected in ((2.0**-60, np.inf), (-(2.0**-60), out.largest)):
        total = FloatSum((2,), ())
        for part in (out.largest, 2.0 ** np.ceil(np.log2(half)), tail):
            total = total.plus(np.array([part, -part]))
        assert total.round(out).tolist() == [expected, -expected]


def test_plain_sums_add_every_part():
    """Parts of equal size, as no interval of one of them would give the sum of all."""
    rows = [np.array([1.0, -3.0, 0.375, 2.0**-20]), np.array([2.0, 5.0, 0.5, 1.0]), np.array([0.25, 7.0, -9.0, 3.0])]
    total = FloatSum((4,), ())
    for row in rows:
        total = total.plus(row)
    for name in ("float32", "float16", "bfloat16", "float64"):
        exact = np.sum(rows, axis=0)  # each of these sums has a few bits
        assert total.round(get_format(name)).tolist() == exact.astype(get_format(name).dtype).tolist()


@pytest.mark.parametrize("name", FLOATS)
def test_numpy_rounds_to_three_formats_to_nearest_alone(name):
    out = get_format(name)
    assert is_cast(out, "infinity") == (name in ("float64", "float32", "float16"))
    assert not is_cast(out, "saturate")
    assert not is_cast(out, "infinity", upward=True)


def test_parts_begin_in_the_first_array_that_they_can_reach():
    """The last array is added up plainly: what is too large for that and 1 together is kept above it."""
    parts = [Part(np.array([value]), 0, math.frexp(value)[1]) for value in (2.0**97, -(2.0**97), 2.0**56, 2.0**56, 1.0)]
    assert FloatSum((1,), tuple(parts)).round(get_format("float64"), upward=True).tolist() == [2.0**57 + 2**5]


def test_the_largest_part_loses_nothing_whatever_the_order(monkeypatch):
    """Small numbers beside large ones of their own array hang on no error of these, so that nothing is expanded."""
    monkeypatch.setattr(expansion, "_expand", None)
    large, tiny = Part(np.array([2.0**10, 2.0**-30]), -30, 11), Part(np.full(2, 2.0**-90), -90, -89)
    for parts in ((large, tiny), (tiny, large)):
        assert FloatSum((2,), parts).round(get_format("float32")).tolist() == [2.0**10, 2.0**-30]


@pytest.mark.parametrize("name", ["float32", "float16"])
def test_plain_sums_leave_only_what_lies_near_a_tie_or_zero(name):
    out = get_format(name)
    target, tie = np.empty(4, out.dtype), 1 + 2.0**-out.precision
    rows = [np.array([1.0, tie, 1.0, 2.0**-30]), np.array([2.0**-20, 0.0, -1.0, 1.0])]
    assert round_plain_sum(rows, 0.0, target).tolist() == [1, 2]
    assert target[[0, 3]].tolist() == [1.0 + (2.0**-20 if name == "float32" else 0), 1.0]
    assert round_plain_sum(rows, 2.0**-9, target).tolist() == [0, 1, 2, 3]  # what may have been lost counts
