"""The constants of class winograd follow from the matrices."""

from fractions import Fraction

import algorithms
import numpy as np
import pytest

from refconv.judge.classes.winograd import TRANSFORMS


@pytest.mark.parametrize("tile", [2, 4])
def test_the_matrices_are_a_convolution(tile):
    m = {name: np.array(rows, dtype=object) for name, rows in algorithms.WINOGRAD[tile].items()}
    data, kernel = np.arange(1, tile + 3) ** 2, np.array([2, -3, 7])
    y = m["AT"] @ ((m["G"] @ kernel) * (m["BT"] @ data))
    assert y.tolist() == [sum(int(kernel[t] * data[i + t]) for t in range(3)) for i in range(tile)]


@pytest.mark.parametrize("tile", [2, 4])
def test_the_amplification_and_the_sums_follow_from_the_matrices(tile):
    BT, G, AT = (np.abs(np.array(algorithms.WINOGRAD[tile][name], dtype=object)) for name in ("BT", "G", "AT"))
    kappa = (AT @ (G * BT.sum(axis=1)[:, None])).max()
    _, amplification, sums = TRANSFORMS[tile]
    assert float(kappa) == amplification
    assert (BT.sum(axis=1).max(), AT.sum(axis=1).max()) == sums


@pytest.mark.parametrize("tile", [2, 4])
def test_the_roundings_follow_from_the_matrices(tile):
    def roundings(name):
        """Count the additions of the longest row, one product if no power of two, one constant if inexact."""

        def of_row(row):
            inexact = any(Fraction(float(np.float32(float(v)))) != v for v in row)
            terms = [v for v in row if v]
            product = any(abs(Fraction(v)).numerator & (abs(Fraction(v)).numerator - 1) or inexact for v in terms)
            return len(terms) - 1 + product + inexact

        return max(of_row(row) for row in algorithms.WINOGRAD[tile][name])  # fmt: skip

    assert TRANSFORMS[tile].roundings == (roundings("BT"), roundings("G"), roundings("AT"))
