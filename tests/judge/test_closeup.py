from __future__ import annotations

import numpy as np
import pytest

from refconv.judge import judge_tensor
from refconv.judge.closeup import LARGEST
from refconv.judge.verdict import EDGES


def look(shape, *places, bound=0.5):
    truth = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    got = truth.copy()
    for place, error in places:
        got[place] += error
    return judge_tensor(got, truth, truth - bound, truth + bound)


def test_the_map_holds_the_largest_error_over_images_and_channels_in_units_of_the_bound():
    closeup = look((2, 3, 4, 5), ((0, 1, 2, 3), 1.5), ((1, 2, 2, 3), -4.0), ((1, 0, 3, 0), 0.25)).closeup
    assert closeup.error[2, 3] == 8
    assert closeup.error[3, 0] == 0.5
    assert np.count_nonzero(closeup.error) == 2
    assert closeup.wrong[2, 3] == pytest.approx(2 / 6)
    assert closeup.wrong[3, 0] == 0  # an error that is allowed


def test_the_planes_tell_which_images_and_channels_are_wrong():
    closeup = look((2, 3, 4, 5), ((0, 1, 2, 3), 1.5), ((1, 2, 2, 3), -4.0)).closeup
    assert np.argwhere(closeup.planes).tolist() == [[0, 1], [1, 2]]
    assert closeup.leading == (0, 1)
    assert closeup.affected == ((0, 1), (1, 2), (2,), (3,))
    assert closeup.lengths == (2, 3, 4, 5)


def test_the_patch_shows_the_numbers_around_the_first_wrong_element():
    closeup = look((1, 2, 20, 30), ((0, 1, 19, 15), 7.0)).closeup
    assert closeup.place == (19, 15)
    assert closeup.corner == (14, 12)
    assert closeup.expected.shape == closeup.got.shape == (6, 6)
    at = np.argwhere(closeup.bad)
    assert (at + closeup.corner).tolist() == [[19, 15]]
    assert (closeup.got - closeup.expected)[closeup.bad].tolist() == [7.0]


@pytest.mark.parametrize("shape", [(5,), (2, 3, 7), (2, 3, 2, 4, 5), (3, 2)])
def test_every_result_has_rows_and_columns(shape):
    last = tuple(length - 1 for length in shape)
    closeup = look(shape, (last, 3.0)).closeup
    assert closeup.error[-1, -1] == 6
    assert np.count_nonzero(closeup.error) == 1


def test_a_large_map_is_pooled_and_loses_no_wrong_element():
    closeup = look((1, 1, 3, 1000), ((0, 0, 1, 999), 2.0)).closeup
    assert closeup.cell == (1, 25)
    assert max(closeup.error.shape) <= LARGEST
    assert closeup.error[1, -1] == 4
    assert closeup.wrong[1, -1] == pytest.approx(1 / 25)


@pytest.mark.parametrize(("columns", "cell"), [(40, 1), (41, 2), (80, 2), (81, 3)])
def test_a_map_has_up_to_forty_rows_and_columns(columns, cell):
    assert look((1, 1, 40, columns), ((0, 0, 0, 0), 2.0)).closeup.cell == (1, cell)


def test_maps_are_kept_in_four_bytes_a_cell_and_numbers_in_eight():
    closeup = look((1, 2, 3, 100), ((0, 0, 1, 9), 2.0)).closeup
    assert {array.dtype for array in (closeup.error, closeup.wrong, closeup.planes)} == {np.dtype(np.float32)}
    assert closeup.expected.dtype == closeup.got.dtype == np.float64


def test_a_right_result_has_no_closeup():
    assert look((1, 1, 2, 2), ((0, 0, 0, 0), 0.5)).closeup is None


def test_two_verdicts_are_equal_though_their_pictures_are_two_objects():
    assert look((1, 2), ((0, 1), 3.0)) == look((1, 2), ((0, 1), 3.0))


def test_the_histogram_counts_every_element_once():
    histogram = look((2, 4), ((0, 1), 0.5), ((0, 2), 0.25), ((1, 0), 1e-9), ((1, 1), 99.0)).histogram
    assert len(histogram) == len(EDGES) + 2
    assert histogram == (4, 1, 0, 0, 0, 0, 0, 1, 1, 1)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 4, 5)])
def test_every_wrong_element_of_any_number_of_axes_is_seen(shape):
    truth = np.arange(float(np.prod(shape))).reshape(shape)
    got = truth.copy()
    got.flat[-1] += 1
    closeup = judge_tensor(got, truth).closeup
    assert closeup.lengths[-1] == (shape[-1] if len(shape) != 2 else 1)
    assert np.prod(closeup.lengths) == truth.size
    assert int(closeup.bad.sum()) == 1
