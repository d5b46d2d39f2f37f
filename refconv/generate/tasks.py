"""The unit of work of the consensus, and what a policy makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.exact import ROUNDINGS
from refconv.formats import NumberFormat, get_format
from refconv.problem import Problem
from refconv.quantization import Quantization

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Task:
    """One operation of one case, wherever it comes from: the catalogue or a file.

    ``accumulator`` is None where the result is judged for equality; ``overflow`` where nothing overflows.
    With a quantization the result is rounded as ``rounding`` says, else to nearest even.
    """

    case_id: str
    operation: str
    problem: Problem
    inputs: dict[str, Array]
    out_format: NumberFormat
    accumulator: NumberFormat | None
    overflow: str | None = None
    quantization: Quantization | None = None
    rounding: str = "half-to-even"


def unstated_overflow(out: NumberFormat) -> str | None:
    """Return the overflow mode of results that are claimed not to overflow: a NaN betrays the claim to the lint."""
    return None if out.has_infinity or out.is_integer else "nan"


def under(policy: str, task: Task) -> Task:
    """Return the task whose plain result is what a policy expects; the empty policy is refconv's rule.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2),
    ...                       padding=((0, 0), (1, 0)))
    >>> task = Task("demo", "forward", problem, {"x": np.ones((1, 1, 1, 2))}, get_format("float32"), None)
    >>> under("padding-is-zero", task).inputs["x"].tolist()
    [[[[0.0, 1.0, 1.0]]]]
    """
    return POLICIES[policy](task)


def _as_it_is(task: Task) -> Task:
    return task


def _padding_is_zero(task: Task) -> Task:
    """Make the padding a part of the image."""
    problem, inputs = task.problem, task.inputs
    pads = ((0, 0), (0, 0), *problem.padding)
    size = tuple(length + sum(pair) for length, pair in zip(problem.input_size, problem.padding, strict=True))
    larger = replace(problem, input_size=size, padding=())
    return replace(task, problem=larger, inputs=inputs | {"x": np.pad(inputs["x"], pads)})


def _no_output_channels(task: Task) -> Task:
    none = {name: task.inputs[name][:0] for name in ("weight", "bias") if name in task.inputs}
    return replace(task, problem=replace(task.problem, out_channels=0), inputs=task.inputs | none)


def _flushed(task: Task) -> Task:
    """Replace subnormal inputs by zeros; results of normal inputs must not be subnormal."""

    def flush(tensor: Array) -> Array:
        subnormal = np.abs(tensor.astype(np.float64)) < 2.0 ** get_format(tensor.dtype).min_exponent
        return np.where(subnormal, np.zeros_like(tensor), tensor)

    return replace(task, inputs={name: flush(tensor) for name, tensor in task.inputs.items()})


def _rounding(name: str) -> Callable[[Task], Task]:
    return lambda task: replace(task, rounding=name)


POLICIES: dict[str, Callable[[Task], Task]] = {
    "": _as_it_is,
    "padding-is-absent": _as_it_is,
    "oversized-kernel-is-empty": _as_it_is,
    "padding-is-zero": _padding_is_zero,
    "no-input-channels-give-bias": _as_it_is,
    "no-input-channels-give-nothing": _no_output_channels,
    "subnormals-are-kept": _as_it_is,
    "subnormals-are-flushed": _flushed,
    **{name: _rounding(name) for name in ROUNDINGS},
}
