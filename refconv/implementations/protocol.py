"""What can be judged: anything with these functions, or some of them."""

from __future__ import annotations

from typing import Any, Protocol

from refconv.problem import ConvProblem

Array = Any


class Implementation(Protocol):
    """A convolution layer under test: a module, an instance, anything with these names.

    A missing function, or ``NotImplementedError``, means *unsupported*.  Any other exception on a legal
    problem means that the implementation refuses it.
    """

    name: str

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y, shape (N, K, oH, oW)."""
        ...

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input, shape (N, C, H, W)."""
        ...

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight, shape (K, C/G, kH, kW)."""
        ...

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias, shape (K,)."""
        ...


ARGUMENTS = {
    "forward": ("x", "weight", "bias"),
    "grad_input": ("grad_output", "weight"),
    "grad_weight": ("x", "grad_output"),
    "grad_bias": ("grad_output",),
}

RESULT_NAMES = {"forward": "y", "grad_input": "grad_input", "grad_weight": "grad_weight", "grad_bias": "grad_bias"}
