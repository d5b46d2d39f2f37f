"""Cases that anybody can check by hand: the worked example, and the figures of the arithmetic guide."""

from __future__ import annotations

from refconv.catalogue.spec import Row
from refconv.problem import ConvProblem


def square(size: int, padding: int, kernel: int, stride: int, dilation: int = 1) -> ConvProblem:
    """Return a figure of the guide: one image, one channel, everything square."""
    return ConvProblem(
        batch=1, in_channels=1, out_channels=1, input_size=(size, size), kernel_size=(kernel, kernel),
        stride=(stride, stride), dilation=(dilation, dilation), padding=((padding, padding),) * 2,
    )  # fmt: skip


def worked_example() -> list[Row]:
    """Return X = 1 ... 9 under W = 1 ... 4, whose output is [[37, 47], [67, 77]]."""
    comment = "x = [[1,2,3],[4,5,6],[7,8,9]], weight = [[1,2],[3,4]] gives y = [[37,47],[67,77]]."
    return [Row("x3x3-w2x2", comment, square(3, 0, 2, 1), ("Basic", "WorkedExample"), bias=False)]


# (name, input, padding, kernel, stride) of the figures of Dumoulin and Visin, "A guide to convolution
# arithmetic for deep learning", which come in pairs: the convolution and its transpose.
FIGURES = (
    ("no-padding-no-strides", 4, 0, 3, 1),
    ("arbitrary-padding-no-strides", 5, 2, 4, 1),
    ("same-padding-no-strides", 5, 1, 3, 1),
    ("full-padding-no-strides", 5, 2, 3, 1),
    ("no-padding-strides", 5, 0, 3, 2),
    ("padding-strides", 5, 1, 3, 2),
    ("padding-strides-odd", 6, 1, 3, 2),
)


def arithmetic_guide() -> list[Row]:
    """Return the fifteen figures: seven convolutions, their transposes, and the dilated one."""
    rows = []
    for name, *numbers in FIGURES:
        problem = square(*numbers)
        size = f"{problem.input_size[0]} -> {problem.output_size[0]}"
        back = f"{problem.output_size[0]} -> {problem.input_size[0]}"
        rows.append(Row(name, f"Figure {name!r} of the arithmetic guide: {size}.", problem, ("Basic",), bias=False))
        transposed = f"Its transpose, {back}: the transposed convolution's output is grad_input, its input grad_output."
        flags = ("Basic", "Transposed")
        rows.append(Row(f"{name}-transposed", transposed, problem, flags, False, ("grad_input",)))
    comment = "Figure 'dilation' of the arithmetic guide: 7 -> 3."
    return [*rows, Row("dilation", comment, square(7, 0, 3, 1, 2), ("Basic",), bias=False)]
