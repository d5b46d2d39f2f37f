"""Codes are told apart, alone and in pairs."""

import itertools

import numpy as np
import pytest

from refconv.diagnosis.codes import decoder, sidon


@pytest.mark.parametrize("size", [1, 2, 5, 40, 97])
def test_no_two_sums_of_two_codes_are_equal(size):
    sums = [a + b for a, b in itertools.combinations_with_replacement(sidon(size), 2)]
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("factor", [1, -1, 2, 9, 1 / 3, 1 / 7, 0.3])
@pytest.mark.parametrize("size", [1, 6, 500, 5000])
def test_one_code_is_found_whatever_its_factor(size, factor):
    codes = decoder(size, 2**22)
    answers = [np.float32(factor) * vector.astype(np.float32) for vector in codes.vectors]
    (element, code, factors), ambiguous = codes.decode([a.astype(float) for a in answers], np.ones(size, bool))
    assert element.tolist() == code.tolist() == list(range(size))
    np.testing.assert_allclose(factors, factor, rtol=1e-6)
    assert not ambiguous.any()


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, -1), (-1, -1)])
def test_two_codes_are_found(first, second):
    codes = decoder(300, 2**22)
    answers = [np.array([first * vector[7] + second * vector[211]]) for vector in codes.vectors]
    (_, code, factors), ambiguous = codes.decode(answers, np.ones(300, bool))
    assert dict(zip(code.tolist(), factors.tolist(), strict=True)) == {7: first, 211: second}
    assert not ambiguous.any()


@pytest.mark.parametrize(("size", "count"), [(300, 3), (300, 4), (300, 11), (5000, 2), (5000, 3), (5000, 8)])
def test_more_codes_are_said_to_be_too_many(size, count):
    codes = decoder(size, 2**22)
    (element, _, _), ambiguous = codes.decode([vector[5 : 5 + count].sum(keepdims=True) for vector in codes.vectors],
                                              np.ones(size, bool))  # fmt: skip
    assert not len(element)
    assert ambiguous.all()


def test_differences_of_many_codes_are_no_single_one():
    codes = decoder(5000, 2**22)
    answers = [np.array([vector[9] - vector[70]]) for vector in codes.vectors]
    assert codes.decode(answers, np.ones(5000, bool))[1].all()


def test_a_code_that_was_not_sent_is_not_found():
    codes = decoder(5000, 2**22)
    (element, _, _), ambiguous = codes.decode([vector[8:9] for vector in codes.vectors], np.arange(5000) % 2 == 1)
    assert not len(element)
    assert ambiguous.all()


def test_codes_of_narrow_formats_are_digits():
    vectors = decoder(60, 0).vectors
    assert max(vector.max() for vector in vectors) <= 7
    assert len({tuple(column) for column in np.array(vectors).T}) == 60
