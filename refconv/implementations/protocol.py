"""What can be judged: anything with these functions, or some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from refconv.problem import ConvProblem
from refconv.quantization import Quantization

Array = Any


@dataclass(frozen=True)
class Demand:
    """What a case asks for beyond its tensors, where it is not what everybody does.

    Attributes
    ----------
    out_format : str, optional
        The format of the result, where it is not the natural one.
    overflow : {"infinity", "saturate", "nan"}, optional
        What becomes of results beyond the largest finite number, where it matters.
    quantization : Quantization, optional
        For quantised layers, which have a function of their own.
    """

    out_format: str | None = None
    overflow: str | None = None
    quantization: Quantization | None = None

    @property
    def keywords(self) -> dict[str, str]:
        """The keyword arguments that say it."""
        stated = {"out_format": self.out_format, "overflow": self.overflow}
        return {name: value for name, value in stated.items() if value is not None}


PLAIN = Demand()


class Implementation(Protocol):
    """A convolution layer under test: a module, an instance, anything with these names.

    A missing function, or ``NotImplementedError``, means *unsupported*.  Any other exception on a legal
    problem means that the implementation refuses it.

    Any function may also take the keywords ``out_format``, the name of the format of the result, and
    ``overflow``, one of ``"infinity"``, ``"saturate"`` and ``"nan"``; each is passed only where a case
    asks for something else than the natural format and its own way to overflow, and a function without
    the keyword does not support those cases.  Quantised layers are asked of ``quantized_forward(x, weight,
    bias, quantization, problem)``, if there is one; ``quantization`` is a :class:`refconv.quantization.Quantization`.

    A problem that breaks a rule never reaches it, since :class:`refconv.ConvProblem` refuses it at the door,
    unless it says ``unchecked = True``: then it is asked to refuse an :class:`refconv.illegal.IllegalProblem`.

    Transposed convolutions, whose problem is a :class:`refconv.TransposedProblem`, reach it if it says
    ``transposed = True``.
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
