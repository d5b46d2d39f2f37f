"""Whatever a child process says, its parent takes it for an answer that can be true, or for none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refconv.errors import ImplementationError
from refconv.implementations.arena import Arena
from refconv.implementations.foreign_answer import SAID, read_answer

REFUSALS = (KeyError, TypeError, ValueError, OverflowError, ImplementationError)
RIGHT = {"status": "RETURNED", "message": "", "seconds": 0.25, "changed": ["x"], "overwrote": True,
         "result": ["float32", [2], 0]}  # fmt: skip
REFUSED = {**RIGHT, "status": "REJECTED", "result": None}


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with Arena() as made:
        made.put([np.array([1.5, -2], np.float32)])
        yield made


def test_a_right_answer_is_read(arena: Arena) -> None:
    answer = read_answer(RIGHT, arena)
    assert answer.result is not None
    assert (answer.status, answer.result.tolist(), answer.seconds) == ("RETURNED", [1.5, -2], 0.25)
    assert (answer.changed, answer.overwrote, answer.message) == (("x",), True, "")
    assert read_answer(REFUSED, arena).result is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "PASS"}, {"status": "CRASH"}, {"status": ["RETURNED"]}, {"status": {}}, {"message": ["text"]},
        {"seconds": "0"}, {"seconds": -1.0}, {"seconds": float("nan")}, {"seconds": float("inf")},
        {"seconds": 10**400}, {"changed": [1]}, {"changed": 1}, {"result": None}, {"status": "ERROR"},
        {"result": ["O", [1], 0]}, {"result": ["M8[s]", [1], 0]}, {"result": ["c8", [1], 0]},
        {"result": ["U3", [1], 0]}, {"result": [["f4"], [1], 0]},
        {"result": ["(2,3)f4", [1], 0]}, {"result": ["f4,f4", [1], 0]}, {"result": ["float32", [2**70, 0], 0]},
        {"result": ["float32", [2**70], 0]}, {"result": ["float32", [-1], 0]}, {"result": ["float32", [1.5], 0]},
        {"result": ["float32", [1] * 70, 0]}, {"result": ["float32", [2], 10**30]}, {"result": ["float32", [2], -4]},
        {"result": ["float32", [[2]], 0]}, {"result": "abc"}, {"result": 1},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_true_is_no_answer(wrong: dict[str, Any], arena: Arena) -> None:
    with pytest.raises(REFUSALS):
        read_answer({**RIGHT, **wrong}, arena)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
PLACES = st.tuples(st.sampled_from(["float32", "int8", "bfloat16", "O", "?", "c16", ""]) | JSON,
                   st.lists(st.integers(-1, 2**64), max_size=4) | JSON, st.integers(-8, 2**70) | JSON)  # fmt: skip


@given(key=st.sampled_from([*RIGHT]), value=JSON, place=PLACES)
def test_any_content_is_read_or_refused(key: str, value: Any, place: Any, arena: Arena) -> None:
    for wrong in ({key: value}, {"result": place}):
        try:
            answer = read_answer({**RIGHT, **wrong}, arena)
        except REFUSALS:
            continue
        assert answer.status in SAID
        assert (answer.result is not None) == (answer.status == "RETURNED")


def test_what_lacks_a_part_is_no_answer(arena: Arena) -> None:
    for key in RIGHT:
        with pytest.raises(KeyError):
            read_answer({name: value for name, value in RIGHT.items() if name != key}, arena)
