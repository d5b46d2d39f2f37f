"""How im2col cuts its work: as few blocks as the budget and a cache allow."""

import array_api_strict
import numpy as np
import pytest
from elsewhere import Elsewhere

from refconv import ConvProblem
from refconv.reference.columns import ON_A_DEVICE, buffers

LAYER = ConvProblem(batch=4, in_channels=3, out_channels=5, input_size=(4, 6), kernel_size=(2, 3))
NUMBERS = 4 * (3 * 4) * (3 * 6 + 5)  # of each image, at each output position: the columns and the product


@pytest.mark.parametrize(("like", "size"), [
    (np.empty(0), 8),
    (np.empty(0, np.float32), 4),
    (array_api_strict.empty(0, dtype=array_api_strict.float64), 8),
    (array_api_strict.empty(0, dtype=array_api_strict.float32), 8),  # the standard has no word for the size
])  # fmt: skip
def test_a_block_is_as_large_as_the_budget(like, size):
    """One byte less, and there are two."""
    assert [columns.shape for _, columns in buffers(like, LAYER, size * NUMBERS)] == [(3, 2, 3, 4, 3, 4)]
    assert len(list(buffers(like, LAYER, size * NUMBERS - 1))) == 2


def test_a_device_has_a_budget_of_its_own():
    there = Elsewhere(np.empty(0))
    budget = -(-8 * NUMBERS // ON_A_DEVICE)
    assert len(list(buffers(there, LAYER, budget))) == 1
    assert len(list(buffers(there, LAYER, budget - 1))) == 2


@pytest.mark.parametrize(("width", "blocks"), [(18, 1), (19, 2)])
def test_large_images_have_columns_of_their_own_but_on_a_device(width, blocks):
    """From 256 outputs on."""
    problem = ConvProblem(batch=2, in_channels=1, out_channels=1, input_size=(17, width), kernel_size=(2, 4))
    assert len(list(buffers(np.empty(0), problem, 2**22))) == blocks
    assert len(list(buffers(Elsewhere(np.empty(0)), problem, 2**22))) == 1
