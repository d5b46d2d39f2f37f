"""What repeats from tile to tile of the outputs is told from what does not."""

from dataclasses import replace

import numpy as np
import pytest

from refconv.diagnosis.products import slots_of
from refconv.diagnosis.tiling import tile_of
from refconv.diagnosis.views import view_of
from refconv.problem import ConvProblem

PROBLEM = ConvProblem.from_descriptor("n2c2i7x8-k3w2x2-s1x1-d1x1-p0+0x0+0-g1-o6x7")


@pytest.mark.parametrize(
    ("wrong", "tile"),
    [
        (lambda s: (s["oh"] % 2 == 1) & (s["ow"] % 3 == 0) & (s["kw"] == 1), (2, 3)),
        (lambda s: s["ow"] % 2 == 0, (1, 2)),
        (lambda s: s["kw"] == 0, None),  # each output is like all others
        (lambda s: s["oh"] == 3, None),
        (lambda s: (s["ow"] % 2 == 0) & (s["n"] == 1), None),
    ],
)
def test_the_smallest_tile_is_found(wrong, tile):
    slots = slots_of(PROBLEM)
    products = slots.products()
    bent = replace(products, factor=np.where(wrong(slots.letters), 2.0, products.factor))
    assert tile_of(view_of("x", bent)) == tile
