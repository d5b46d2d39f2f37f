"""Sets of indices are described exactly, and read back."""

import numpy as np
import pytest

from refconv.diagnosis.patterns import Pattern, Selection, pattern_of, selection_of

SETS = [
    ([0], "v == 0 (the first)"), ([11], "v == 11 (the last)"), ([5], "v == 5"), ([0, 1, 2], "v < 3"),
    ([7, 8, 9, 10, 11], "v >= 7"), ([8, 9, 10, 11], "v >= 8 (beyond the last multiple of 8)"),
    ([1, 3, 5, 7, 9, 11], "v % 2 == 1 (odd)"),
    ([0, 3, 6, 9], "v % 3 == 0"), ([1, 2, 4, 5, 7, 8, 10, 11], "v % 3 != 0"), ([4, 5, 6], "4 <= v <= 6"),
    ([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11], "v != 5"), ([1, 2, 9], "v in {1, 2, 9}"),
    ([0, 10], "v % 10 == 0"), ([1, 10], "v in {1, 10}"), ([3, 4, 8, 9], "v % 5 >= 3"), ([0, 1, 8, 9], "v % 8 < 2"),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "words"), SETS)
def test_a_set_of_values_has_its_words_and_is_read_back(chosen, words):
    pattern = pattern_of("v", np.array(chosen), np.arange(12))
    assert str(pattern) == words
    assert np.flatnonzero(pattern.holds(np.arange(12))).tolist() == chosen


def test_all_values_need_no_words():
    assert pattern_of("v", np.arange(4), np.arange(4)) is None


def test_what_is_beyond_the_last_vector_is_called_so():
    assert str(pattern_of("v", np.array([8, 9]), np.arange(10))) == "v >= 8 (beyond the last multiple of 8)"


def test_random_products_of_sets_are_described_exactly():
    rng = np.random.default_rng(3)
    grid = np.indices((3, 4, 5, 2)).reshape(4, -1)
    letters = dict(zip(("n", "oh", "ow", "c"), grid, strict=True))
    everything = np.ones(grid.shape[1], bool)
    for _ in range(100):
        parts = [rng.choice(size, rng.integers(1, size + 1), replace=False) for size in (3, 4, 5, 2)]
        mask = np.all([np.isin(values, part) for values, part in zip(grid, parts, strict=True)], axis=0)
        for wanted in (mask, ~mask):
            if wanted.any() and not wanted.all():
                assert np.array_equal(selection_of(wanted, everything, letters).holds(letters), wanted)


def test_a_set_without_a_pattern_has_no_words():
    letters = {"n": np.array([0, 0, 1, 1]), "oh": np.array([0, 1, 0, 1])}
    assert selection_of(np.array([True, False, False, True]), np.ones(4, bool), letters) is None


def test_a_selection_is_said_behind_a_statement():
    first = Pattern("v", "==", (0,), "the first")
    assert Selection((first,)).clause == "where v == 0 (the first)"
    assert Selection((first,), negated=True).clause == "unless v == 0 (the first)"
    assert Selection((Pattern("own", "==", (0,)),)).clause == "of other channels"
    assert Selection(()).clause == ""


def test_unknown_values_do_not_disturb():
    assert Pattern("v", "in", (1, 5)).holds(np.array([-3, 1, 99])).tolist() == [False, True, False]
