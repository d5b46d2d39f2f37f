"""No golden tensor lets a wrong element pass: one bit more or less in one element is a failure."""

from pathlib import Path

import numpy as np
import pytest

from refconv import load_suite
from refconv.judge import judge_tensor

CORE = Path(__file__).parents[1] / "vectors" / "core"


@pytest.fixture(scope="module")
def goldens():
    """Return (name, expected) of every golden tensor that has elements."""
    found = [(f"{case.id} {scope} {name}", expected) for case in load_suite(CORE)
             for scope, name, expected in case.all_expected()]  # fmt: skip
    return [(name, expected) for name, expected in found if expected.tensor.size]


def flipped(tensor, place):
    """Return a copy with the lowest bit of one element changed."""
    changed = tensor.copy()
    words = changed.reshape(-1).view(f"u{changed.itemsize}")
    words[place] ^= 1
    return changed


def finite_place(tensor):
    """Choose an element that is no NaN, from the middle on."""
    numbers = np.flatnonzero(~np.isnan(tensor.reshape(-1).astype(np.float64)))
    return numbers[len(numbers) // 2] if numbers.size else None


def test_one_bit_in_one_element_fails_every_exact_golden(goldens):
    exact = [(name, e.tensor) for name, e in goldens if e.lo is None and finite_place(e.tensor) is not None]
    assert len(exact) > 3000
    passed = [name for name, tensor in exact if judge_tensor(flipped(tensor, finite_place(tensor)), tensor).passed]
    assert passed == []


@pytest.mark.filterwarnings("ignore:overflow encountered in nextafter")  # beyond the largest number lies infinity
@pytest.mark.parametrize("end", ["lo", "hi"])
def test_the_next_number_beyond_an_interval_fails(goldens, end):
    intervals = [(name, e) for name, e in goldens if e.lo is not None and e.tensor.dtype in (np.float32, np.float64)]
    assert len(intervals) > 400
    passed = []
    for name, expected in intervals:
        got, bound = expected.tensor.copy(), getattr(expected, end)
        finite = np.flatnonzero(np.isfinite(bound.reshape(-1)))
        if finite.size:
            place = finite[finite.size // 2]
            away = -np.inf if end == "lo" else np.inf
            got.reshape(-1)[place] = np.nextafter(bound.reshape(-1)[place], got.dtype.type(away))
            if judge_tensor(got, expected.tensor, expected.lo, expected.hi).passed:
                passed.append(name)
    assert passed == []
