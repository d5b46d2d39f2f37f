"""Transposed convolutions through the engine of convolutions: an operation of one is an operation of its adjoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from refconv.problem import ConvProblem, TransposedProblem

Array = npt.NDArray[Any]

EXCHANGED = {"forward": "grad_input", "grad_input": "forward", "grad_weight": "grad_weight"}


class Adjoint:
    """A reference of transposed convolutions, seen as one of convolutions: what it computes, it computes itself."""

    def __init__(self, using: Any) -> None:
        self.using = using
        self.unbounded_integers = getattr(using, "unbounded_integers", False)

    def forward(self, x: Array, weight: Array, bias: None, problem: ConvProblem) -> Array:
        """Return y of the convolution: the grad_input of the transposed one."""
        result: Array = self.using.grad_input(x, weight, TransposedProblem.of_adjoint(problem))
        return result

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input of the convolution: the forward of the transposed one."""
        result: Array = self.using.forward(grad_output, weight, None, TransposedProblem.of_adjoint(problem))
        return result

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight: the same, with exchanged roles."""
        result: Array = self.using.grad_weight(grad_output, x, TransposedProblem.of_adjoint(problem))
        return result


def adjoint_call(
    operation: str, tensors: Mapping[str, Array | None], problem: TransposedProblem, using: Any
) -> tuple[str, dict[str, Array | None], ConvProblem, Adjoint]:
    """Say an operation of a transposed convolution, its bias left out, as one of its adjoint.

    Parameters are those of :func:`refconv.exact.exact_sum`, which takes what is returned.
    """
    exchanged = {"x": tensors.get("grad_output"), "grad_output": tensors.get("x"), "weight": tensors.get("weight")}
    return EXCHANGED[operation], exchanged, problem.adjoint, Adjoint(using)
