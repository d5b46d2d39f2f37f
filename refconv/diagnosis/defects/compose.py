"""Layers with several defects at once."""

# ruff: noqa: D102  (the operations are described where Layer declares them)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Defect, Triggered
from refconv.diagnosis.layer import Array, Layer
from refconv.problem import ConvProblem


class Together(Layer):
    """A layer with all of some defects.

    Defects that bend tables compose; of several that replace a whole operation, the first prevails.

    Examples
    --------
    >>> from refconv.diagnosis.defects import all_defects
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> layer = Together(all_defects()["kernel-flipped"], all_defects()["bias-twice"])
    >>> layer.forward(np.array([[[[1, 2, 3]]]]), np.array([[[[10, 1]]]]), np.array([100]), problem).tolist()
    [[[[221, 232]]]]
    """

    def __init__(self, *defects: type[Defect]) -> None:
        self.defects = defects
        self._layers: dict[tuple[type[Layer], ...], Layer] = {}  # kept: some remember their calls

    def layer(self, operation: str, problem: ConvProblem, dtype: np.dtype[Any]) -> Layer:
        """Return who computes an operation: a child of all that is wrong there."""
        active = [_active(defect, operation, problem, dtype) for defect in self.defects]
        distinct = tuple(dict.fromkeys(bug for bug in active if not _is_covered(bug, active)))
        if distinct not in self._layers:
            self._layers[distinct] = type("Together", distinct or (Layer,), {})()
        return self._layers[distinct]

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        return self.layer("forward", problem, x.dtype).forward(x, weight, bias, problem)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return self.layer("grad_input", problem, weight.dtype).grad_input(grad_output, weight, problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        return self.layer("grad_weight", problem, x.dtype).grad_weight(x, grad_output, problem)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        return self.layer("grad_bias", problem, grad_output.dtype).grad_bias(grad_output, problem)


def _active(defect: type[Defect], operation: str, problem: ConvProblem, dtype: np.dtype[Any]) -> type[Layer]:
    """Return what a defect makes of an operation of a problem."""
    if issubclass(defect, Triggered):
        return defect.bug if defect().holds(operation, problem, dtype) else Layer
    return defect


def _is_covered(bug: type[Layer], others: list[type[Layer]]) -> bool:
    """Say whether another bug is a child of this one."""
    return any(other is not bug and issubclass(other, bug) for other in others)
