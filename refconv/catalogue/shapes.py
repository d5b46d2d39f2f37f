"""Problems of any number of axes in one line."""

from __future__ import annotations

from refconv.problem import ConvProblem, Padding, Size, TransposedProblem

Pair = tuple[int, int]


def nd(
    batch: int, channels: Pair, size: Size, kernel: Size, stride: Size = (), dilation: Size = (),
    padding: Padding = (), groups: int = 1,
) -> ConvProblem:  # fmt: skip
    """Write a convolution: ``channels`` is (C, K).

    Examples
    --------
    >>> nd(1, (2, 3), (9,), (3,), (2,)).output_size
    (4,)
    """
    return ConvProblem(
        batch=batch, in_channels=channels[0], out_channels=channels[1], input_size=size, kernel_size=kernel,
        stride=stride, dilation=dilation, padding=padding, groups=groups,
    )  # fmt: skip


def up(
    batch: int, channels: Pair, size: Size, kernel: Size, stride: Size = (), dilation: Size = (),
    padding: Padding = (), groups: int = 1, extra: Size = (),
) -> TransposedProblem:  # fmt: skip
    """Write a transposed convolution: ``extra`` is its output_padding.

    Examples
    --------
    >>> up(1, (2, 3), (4,), (3,), (2,), extra=(1,)).output_size
    (10,)
    """
    return TransposedProblem(
        batch=batch, in_channels=channels[0], out_channels=channels[1], input_size=size, kernel_size=kernel,
        stride=stride, dilation=dilation, padding=padding, groups=groups, output_padding=extra,
    )  # fmt: skip
