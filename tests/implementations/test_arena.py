"""Memory that is shared with a child process."""

import pytest

from refconv.implementations.arena import Arena, dtype_named


def test_what_was_given_back_can_be_given_back_again():
    arena = Arena()
    arena.close()
    arena.close()


@pytest.mark.parametrize(("name", "size"), [("bfloat16", 2), ("int64", 8), ("uint16", 2)])
def test_formats_that_no_suite_has_are_numbers_all_the_same(name, size):
    assert (dtype_named(name).name, dtype_named(name).itemsize) == (name, size)
