"""Cases that are made for what stands around them: the case before, and the way a tensor lies in memory.

One implementation runs the cases of a group one after the other.  Neighbours here have the same shapes and
differ in what the key of a cache may lack, so that whoever keeps too much gives the answer of the neighbour.
"""

from __future__ import annotations

from refconv.catalogue.families import conv
from refconv.catalogue.spec import Row

_FLAGS = ("SameShapes",)


def neighbours() -> list[Row]:
    """Layers in a row whose tensors have equal shapes, or equal shapes of x and y."""
    return [
        Row("dilation-1-padding-1", "Dense, with a frame of 1: the next case has the same shapes.",
            conv(2, (3, 4), (7, 9), (3, 3), padding=((1, 1), (1, 1))), _FLAGS),
        Row("dilation-2-padding-2", "Dilation 2 within a frame of 2: all shapes are those of the case before.",
            conv(2, (3, 4), (7, 9), (3, 3), dilation=(2, 2), padding=((2, 2), (2, 2))), _FLAGS),
        Row("padding-top-left", "Padding 2 and 1 at the top and left.",
            conv(2, (3, 4), (7, 9), (3, 3), padding=((2, 0), (1, 0))), _FLAGS),
        Row("padding-bottom-right", "The same amount of padding at the bottom and right.",
            conv(2, (3, 4), (7, 9), (3, 3), padding=((0, 2), (0, 1))), _FLAGS),
        Row("stride-2-1", "Strides 2 and 1; x and weight have the shapes of the case before.",
            conv(2, (3, 4), (7, 9), (3, 3), (2, 1), padding=((0, 2), (0, 1))), _FLAGS),
        Row("stride-1-2", "Strides 1 and 2.",
            conv(2, (3, 4), (7, 9), (3, 3), (1, 2), padding=((0, 2), (0, 1))), _FLAGS),
        Row("groups-1", "One group.", conv(2, (4, 6), (5, 7), (3, 2)), _FLAGS),
        Row("groups-2", "Two groups: x and y as before, half as many weights.",
            conv(2, (4, 6), (5, 7), (3, 2), groups=2), _FLAGS),
        Row("pointwise", "A 1x1 kernel.", conv(2, (4, 6), (5, 7), (1, 1)), _FLAGS),
        Row("wider-kernel", "A 3x3 kernel on the x of the case before, and as large a y.",
            conv(2, (4, 6), (5, 7), (3, 3), padding=((1, 1), (1, 1))), _FLAGS),
        Row("bias", "With a bias.", conv(2, (4, 5), (5, 6), (2, 3)), _FLAGS),
        Row("no-bias", "All shapes as before, but no bias.", conv(2, (4, 5), (5, 6), (2, 3)), _FLAGS, bias=False),
        Row("batch-larger", "Three images.", conv(3, (4, 5), (5, 6), (2, 3)), _FLAGS),
        Row("batch-smaller", "One image: buffers of the case before are too large.", conv(1, (4, 5), (5, 6), (2, 3)),
            _FLAGS),
        Row("transposed-sizes", "Height and width exchanged: as many elements, other shapes.",
            conv(1, (4, 5), (6, 5), (3, 2)), _FLAGS),
    ]  # fmt: skip


def constant() -> list[Row]:
    """Weights and gradients of ones: box sums, and the gradient of a plain sum, which is one number spread out."""
    flags = ("ConstantTensor",)
    return [
        Row("identity-depthwise", "A 1x1 kernel of one for each channel: y equals x, and must be a tensor of its own.",
            conv(2, (3, 3), (4, 5), (1, 1), groups=3), flags, bias=False),
        Row("box", "Box sums of 3x2.", conv(2, (2, 3), (5, 6), (3, 2)), flags),
        Row("box-stride-2", "Box sums at stride 2 with padding.",
            conv(2, (2, 4), (6, 7), (3, 3), (2, 2), padding=((1, 0), (1, 1))), flags),
        Row("pointwise-sums", "Sums over the channels.", conv(1, (5, 4), (4, 3), (1, 1)), flags),
        Row("depthwise-box", "Box sums of every channel.", conv(1, (4, 4), (6, 5), (3, 3), groups=4), flags),
    ]  # fmt: skip
