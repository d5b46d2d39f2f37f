"""What a slow reference computes of a large problem: a stated sample, each part of it a smaller problem of its own.

Up to a number of products every reference computes every element.  Beyond it, ``direct``, whose loops are
Python's, and far beyond it ``sparse``, whose matrix has an entry for every product, compute windows: of y, in the
first and the last channel, the first, the middle and the last row and the first and the last column, corners
included; of gradients, the first and the last channel in whole planes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from refconv.generate.tasks import Task
from refconv.problem import Problem, TransposedProblem

LIMITS = {"direct": 2**21, "sparse": 2**27}  # products; im2col always computes everything
STATED = (
    "of y, in the first and the last channel, the first, middle and last row and the first and last column; "
    "of gradients, the first and the last channel"
)


@dataclass(frozen=True, eq=False)
class Window:
    """A part of the results of a task, and the smaller task whose whole result it is."""

    at: tuple[slice, ...]
    task: Task


def computes_all(problem: Problem, operation: str, reference: Any) -> bool:
    """Tell whether a reference computes every element of an operation; of transposed convolutions all do.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> from refconv.reference import direct
    >>> problem = ConvProblem(batch=1, in_channels=3, out_channels=64, input_size=(224, 224), kernel_size=(7, 7))
    >>> computes_all(problem, "forward", direct)
    False
    """
    limit = LIMITS.get(reference.name)
    return limit is None or isinstance(problem, TransposedProblem) or count_products(problem, operation) <= limit


def count_products(problem: Problem, operation: str) -> int:
    """Bound the products of all elements together; a bias gradient has a term for each output."""
    if operation == "grad_bias":
        return math.prod(problem.y_shape)
    meets_all_taps = problem.x_shape if isinstance(problem, TransposedProblem) else problem.y_shape
    return math.prod(meets_all_taps) * math.prod(problem.weight_shape[1:])


def windows(task: Task) -> Iterator[Window]:
    """Cut the sample out of a task."""
    cut = {"forward": _of_y, "grad_input": _of_grad_input, "grad_weight": _of_grad_weight, "grad_bias": _of_grad_bias}
    yield from cut[task.operation](task)


def _of_y(task: Task) -> Iterator[Window]:
    oH, oW = task.problem.output_size
    everything = slice(None)
    for k in _ends(task.problem.out_channels):
        channel = _channels(task, inputs=None, outputs=k)
        for rows in sorted({0, oH // 2, oH - 1}):
            yield _region(channel, k, (slice(rows, rows + 1), everything))
        for columns in _ends(oW):
            yield _region(channel, k, (everything, slice(columns, columns + 1)))


def _region(task: Task, k: int, region: tuple[slice, slice]) -> Window:
    """Crop the image to what a rectangle of outputs reads; pads remain where it reaches over the edge."""
    problem, reads, pads = task.problem, [], []
    for axis, part in enumerate(region):
        first, last, _ = part.indices(problem.output_size[axis])
        stride, dilation, length = problem.stride[axis], problem.dilation[axis], problem.input_size[axis]
        start = first * stride - problem.padding[axis][0]
        stop = (last - 1) * stride - problem.padding[axis][0] + dilation * (problem.kernel_size[axis] - 1) + 1
        begin = min(max(start, 0), length - 1)  # one row at least, though a window may lie in the padding
        end = max(min(stop, length), begin + 1)
        reads.append(slice(begin, end))
        pads.append((begin - start, stop - end))
    if min(map(min, pads)) < 0:  # wholly inside of the padding: nothing can be cropped
        return Window((slice(None), slice(k, k + 1)), task)
    x = task.inputs["x"][:, :, *reads]
    smaller = replace(problem, input_size=x.shape[2:], padding=tuple(pads))
    at = (slice(None), slice(k, k + 1), *region)
    return Window(at, replace(task, problem=smaller, inputs=task.inputs | {"x": x}))


def _of_grad_input(task: Task) -> Iterator[Window]:
    for c in _ends(task.problem.in_channels):
        yield Window((slice(None), slice(c, c + 1)), _channels(task, inputs=c, outputs=None))


def _of_grad_weight(task: Task) -> Iterator[Window]:
    width = task.problem.weight_shape[1]
    for k in _ends(task.problem.out_channels):
        for c in _ends(width):
            group = k // (task.problem.out_channels // task.problem.groups)
            yield Window((slice(k, k + 1), slice(c, c + 1)), _channels(task, inputs=group * width + c, outputs=k))


def _of_grad_bias(task: Task) -> Iterator[Window]:
    for k in _ends(task.problem.out_channels):
        yield Window((slice(k, k + 1),), _channels(task, inputs=None, outputs=k))


def _channels(task: Task, inputs: int | None, outputs: int | None) -> Task:
    """Restrict a task to one input channel, one output channel, or both, and to the one group that they are in."""
    p = task.problem
    inner, outer = p.in_channels // p.groups, p.out_channels // p.groups
    group = outputs // outer if outputs is not None else (inputs or 0) // inner
    c = slice(group * inner, (group + 1) * inner) if inputs is None else slice(inputs, inputs + 1)
    k = slice(group * outer, (group + 1) * outer) if outputs is None else slice(outputs, outputs + 1)
    parts = {"x": (slice(None), c), "weight": (k, slice(c.start - group * inner, c.stop - group * inner)), "bias": (k,),
             "grad_output": (slice(None), k)}  # fmt: skip
    smaller = replace(p, in_channels=c.stop - c.start, out_channels=k.stop - k.start, groups=1)
    return replace(task, problem=smaller, inputs={name: value[parts[name]] for name, value in task.inputs.items()})


def _ends(length: int) -> list[int]:
    return sorted({0, length - 1})
