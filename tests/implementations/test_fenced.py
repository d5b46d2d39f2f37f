import ctypes

import numpy as np
import pytest

from refconv.implementations import fenced
from refconv.implementations.fenced import ALIGNMENT, NEAR, Fenced


@pytest.mark.parametrize("pages", [True, False])
@pytest.mark.parametrize("nbytes", [0, 1, 4, 60, 64, 4096, 5000])
def test_memory_is_aligned_and_untouched_fences_are_whole(nbytes, pages):
    block = Fenced(nbytes, pages)
    assert block.address % ALIGNMENT == 0
    block.content[:] = 0
    assert block.content.nbytes == nbytes
    assert block.trespass() is None


@pytest.mark.parametrize("pages", [True, False])
@pytest.mark.parametrize(("offset", "found"), [
    (60, (1, "past the end")), (60 + NEAR - 1, (NEAR, "past the end")),
    (-1, (1, "before the beginning")), (-NEAR, (NEAR, "before the beginning")),
])  # fmt: skip
def test_a_byte_beside_the_memory_is_found(offset, found, pages):
    block = Fenced(60, pages)
    ctypes.memset(block.address + offset, 0, 1)
    assert block.trespass() == found


def test_protected_memory_can_be_written_again():
    block = Fenced(8)
    block.allow_writes(False)
    block.allow_writes(True)
    block.content[:] = np.arange(8)
    assert block.content.tolist() == list(range(8))


@pytest.mark.skipif(fenced._mprotect is None, reason="needs mprotect")
def test_memory_that_cannot_be_protected_is_an_error():
    with pytest.raises(OSError, match="mprotect failed"):
        fenced._protect(1, 1, 0)  # which is the address of no page
