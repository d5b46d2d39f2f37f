from fractions import Fraction

import numpy as np
import pytest

from refconv.judge.classes.norms import channel_norm, window_maximum


@pytest.mark.parametrize("order", [1, 2])
def test_norms_are_rounded_up(order):
    tensor = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    for norm, values in zip(channel_norm(tensor, order).flat, tensor.reshape(6, -1), strict=True):
        total = sum(abs(Fraction(v)) ** order for v in values)
        assert total <= Fraction(norm) ** order <= total * (1 + Fraction(1, 10**10))


def test_norms_neither_overflow_nor_vanish():
    for scale in (1e300, 1e-300):
        assert channel_norm(np.full((1, 1, 2, 2), scale), 2)[0, 0] == pytest.approx(2 * scale, rel=1e-12, abs=0)
    beside = np.array([1e300, 1e-300]).reshape(1, 2, 1, 1)
    assert channel_norm(beside, 2)[0].tolist() == pytest.approx([1e300, 1e-300], rel=1e-12, abs=0)


@pytest.mark.parametrize("start", [(-2, -3), (0, 1), (4, 0)])
def test_window_maximum_is_the_maximum_of_each_window(start):
    image = np.random.default_rng(1).standard_normal((2, 3, 6, 7))
    got = window_maximum(image, start, (4, 3), 3)
    far = np.pad(np.abs(image), [(0, 0), (0, 0), (9, 9), (9, 9)])
    for i, j in np.ndindex(4, 3):
        top, left = 9 + start[0] + i, 9 + start[1] + j
        np.testing.assert_array_equal(got[:, :, i, j], far[:, :, top : top + 3, left : left + 3].max(axis=(2, 3)))


@pytest.mark.parametrize("order", [1, 2])
def test_the_norm_of_nothing_but_zeros_is_zero(order):
    assert channel_norm(np.zeros((1, 2, 3, 3)), order).tolist() == [[0.0, 0.0]]
    assert channel_norm(np.zeros((1, 2, 0)), order).tolist() == [[0.0, 0.0]]
