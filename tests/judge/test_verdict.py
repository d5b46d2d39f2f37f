import math

import ml_dtypes
import numpy as np
import pytest

from refconv.judge import Verdict, judge_tensor

TRUTH = np.array([[1.0, 2.0], [3.0, 0.0]])


def test_equal_tensors_pass():
    verdict = judge_tensor(TRUTH, TRUTH)
    assert verdict.passed
    assert (verdict.wrong, verdict.first, verdict.interval_use, verdict.correctly_rounded) == (0, None, 0, 1)


def test_minus_zero_equals_zero():
    assert judge_tensor(np.array([-0.0]), np.array([0.0])).passed


def test_the_first_and_the_worst_wrong_element_are_named():
    got = np.array([[1.0, 2.5], [9.0, 0.0]])
    verdict = judge_tensor(got, TRUTH, TRUTH - 1 / 8, TRUTH + 1)
    assert verdict.wrong == 1
    assert (verdict.first.index, verdict.first.expected, verdict.first.got) == ((1, 0), 3, 9)
    assert verdict.worst.error == 6
    assert verdict.correctly_rounded == 0.5


def test_errors_are_counted_in_units_of_the_bound_on_their_side():
    verdict = judge_tensor(np.array([1.5]), np.array([2.0]), np.array([1.0]), np.array([2.25]))
    assert verdict.interval_use == 0.5


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_outside_of_every_finite_interval(bad):
    verdict = judge_tensor(np.array([bad]), np.array([2.0]), np.array([1.0]), np.array([3.0]))
    assert verdict.wrong == 1
    assert verdict.worst.error == math.inf


def test_an_infinity_that_was_expected_passes():
    assert judge_tensor(np.array([np.inf]), np.array([np.inf])).passed


def test_the_ends_of_the_interval_are_inside_and_their_neighbours_are_not():
    lo, hi = np.array([1.0]), np.array([2.0])
    for value, inside in [(1.0, True), (2.0, True), (np.nextafter(1, 0), False), (np.nextafter(2, 3), False)]:
        assert judge_tensor(np.array([value]), np.array([1.5]), lo, hi).passed is inside


def test_narrow_formats_are_judged_by_value():
    assert judge_tensor(np.array([1.5], ml_dtypes.bfloat16), np.array([1.5], ml_dtypes.bfloat16)).passed
    assert not judge_tensor(np.array([2**31 - 2], np.int32), np.array([2**31 - 1], np.int32)).passed


def test_a_tensor_without_elements_passes():
    verdict = judge_tensor(np.zeros((0, 3)), np.zeros((0, 3)))
    assert verdict.passed
    assert verdict.worst is None
    assert verdict.correctly_rounded == 1


NON_FINITE = np.array([math.nan, math.inf, -math.inf, 1.0])


def test_any_nan_is_right_where_nan_is_expected():
    got = NON_FINITE.astype(np.float32)
    got.view(np.uint32)[0] = 0xFFC00123  # negative, with a payload
    verdict = judge_tensor(got, NON_FINITE.astype(np.float32))
    assert verdict.passed
    assert (verdict.interval_use, verdict.correctly_rounded) == (0, 1)
    assert judge_tensor(got, NON_FINITE, NON_FINITE, NON_FINITE).passed


@pytest.mark.parametrize(
    ("index", "value"),
    [(0, 0.0), (0, math.inf), (1, -math.inf), (1, 3e38), (1, math.nan), (2, math.inf), (3, math.nan), (3, math.inf)],
)
def test_what_is_not_the_special_value_is_wrong(index, value):
    got = NON_FINITE.copy()
    got[index] = value
    exact, interval = judge_tensor(got, NON_FINITE), judge_tensor(got, NON_FINITE, NON_FINITE, NON_FINITE)
    assert exact.wrong == interval.wrong == 1
    assert exact.first.index == interval.first.index == (index,)


def test_a_finite_value_beside_an_infinite_end_uses_the_whole_interval():
    verdict = judge_tensor(np.array([60000.0]), np.array([math.inf]), np.array([50000.0]), np.array([math.inf]))
    assert verdict.passed
    assert verdict.interval_use == 1


@pytest.mark.parametrize("sign", [1, -1])
def test_so_does_the_finite_end_itself(sign):
    ends = np.sort(np.array([[sign * 50000.0], [sign * math.inf]]), axis=0)
    verdict = judge_tensor(np.array([sign * 50000.0]), np.array([sign * math.inf]), *ends)
    assert verdict.passed
    assert verdict.interval_use == 1


@pytest.mark.parametrize("shape", [(4,), (2, 2), (4, 0), (0,)])
@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, np.int8])
def test_the_truth_itself_gets_the_verdict_that_its_numbers_get(shape, dtype):
    truth = np.array([3, 0, -1, 2], dtype)[: math.prod(shape)].reshape(shape)
    wide = truth.astype(np.float64)  # other bytes, the same numbers: every element is looked at
    for bounds in ((), (truth - dtype(1), truth + dtype(2))):
        assert judge_tensor(truth.copy(), truth, *bounds) == judge_tensor(wide, truth, *bounds)


def test_what_a_verdict_is_not_told_is_empty():
    verdict = Verdict(elements=1, wrong=0, first=None, worst=None, interval_use=0.0, correctly_rounded=1.0)
    assert (verdict.interval_rms, verdict.violation, verdict.histogram, verdict.closeup) == (0.0, "", (), None)
    assert verdict.passed
