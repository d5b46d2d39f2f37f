"""The numbers of a problem in the order that all flat exports share."""

from __future__ import annotations

from refconv.errors import CatalogueError
from refconv.problem import Problem, TransposedProblem

COLUMNS = (
    "N", "C", "K", "G", "H", "W", "kH", "kW", "oH", "oW", "sH", "sW", "dH", "dW", "top", "bottom", "left", "right",
)  # fmt: skip


def numbers_of(problem: Problem) -> tuple[int, ...]:
    """Return the numbers of a convolution with two spatial axes.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 4), kernel_size=(3, 2))
    >>> dict(zip(COLUMNS, numbers_of(problem)))["oW"]
    3
    """
    if len(problem.input_size) != 2 or isinstance(problem, TransposedProblem):
        raise CatalogueError(f"a flat export must have convolutions with two spatial axes, got {problem}.")
    return (
        problem.batch, problem.in_channels, problem.out_channels, problem.groups, *problem.input_size,
        *problem.kernel_size, *problem.output_size, *problem.stride, *problem.dilation,
        *(entry for pair in problem.padding for entry in pair),
    )  # fmt: skip
