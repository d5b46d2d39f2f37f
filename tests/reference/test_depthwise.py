"""Which layers im2col takes for depthwise: those whose matrix products would be all overhead."""

import pytest

from refconv import ConvProblem
from refconv.reference import depthwise


def layer(**fields):
    """Return a depthwise layer, but for some fields."""
    usual = {"batch": 1, "in_channels": 8, "out_channels": 8, "groups": 8, "input_size": (9, 9), "kernel_size": (3, 3)}
    return ConvProblem(**(usual | fields))


@pytest.mark.parametrize(
    ("fields", "serves"),
    [
        ({}, True),
        ({"out_channels": 32}, True),  # four to a group
        ({"out_channels": 40}, False),  # five: now a product pays
        ({"in_channels": 16, "out_channels": 16}, False),  # two channels of x to a group
        ({"in_channels": 1, "out_channels": 1, "groups": 1}, True),
        ({"in_channels": 2, "out_channels": 2, "groups": 2, "kernel_size": (1, 1), "input_size": (1, 1)}, True),
        ({"out_channels": 0}, False),
        ({"stride": (2, 3), "padding": ((1, 1), (1, 1))}, True),
        # one input and nine outputs: the plane may hold forty numbers
        ({"input_size": (1, 1), "kernel_size": (1, 32), "padding": ((0, 0), (20, 19))}, True),
        ({"input_size": (1, 1), "kernel_size": (1, 33), "padding": ((0, 0), (20, 20))}, False),
        # the planes would hold dilation and padding, many times what the tensors do
        ({"input_size": (1, 1), "padding": ((50, 50), (50, 50)), "dilation": (49, 49)}, False),
        # as many planes as the stride has phases, each no larger than the tensors
        ({"input_size": (4, 4), "padding": ((8, 7), (8, 7)), "dilation": (8, 8), "stride": (2, 2)}, False),
    ],
)
def test_a_layer_is_depthwise_if_its_channels_meet_no_other_and_its_planes_are_small(fields, serves):
    assert depthwise.serves(layer(**fields)) is serves
