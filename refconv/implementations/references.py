"""The three references as implementations under test, as an ordinary program would run them.

Inputs are widened to the accumulator of their format, the reference computes there, and the result is
rounded once to the output format.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.exact import centred, requantize
from refconv.formats import get_format, natural_output
from refconv.problem import Problem, TransposedProblem
from refconv.quantization import Quantization
from refconv.reference import direct as direct_module
from refconv.reference import im2col as im2col_module
from refconv.reference import sparse as sparse_module
from refconv.reference import transposed

Array = npt.NDArray[Any]
QUIET: dict[str, Any] = {"over": "ignore", "invalid": "ignore"}  # inf and NaN are results like any others


class Reference:
    """A reference module, or an object with its functions, made to compute in the accumulator of its inputs' format.

    Parameters
    ----------
    module : module or object
        For convolutions.
    transposed : module or object, optional
        For transposed convolutions.

    Examples
    --------
    >>> from refconv import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    >>> x, weight = np.full((1, 1, 1, 2), 100, np.int8), np.full((1, 1, 1, 2), 100, np.int8)
    >>> im2col().forward(x, weight, None, problem)
    array([[[[20000]]]], dtype=int32)
    """

    def __init__(self, module: Any, transposed: Any = None) -> None:
        self.module, self.transposed = module, transposed  # an implementation says by the second that it has them
        self.name = str(module.name)

    def _module(self, problem: Problem) -> Any:
        if isinstance(problem, TransposedProblem) and self.transposed is not None:
            return self.transposed
        return self.module

    def forward(
        self, x: Array, weight: Array, bias: Array | None, problem: Problem,
        out_format: str | None = None, overflow: str | None = None,
    ) -> Array:  # fmt: skip
        """Return y, by default in the natural format of x; see :class:`refconv.implementations.Demand`."""
        wide_bias = None if bias is None else _widened(bias)
        with np.errstate(**QUIET):
            y = self._module(problem).forward(_widened(x), _widened(weight), wide_bias, problem)
            return _narrowed(y, x, out_format, overflow)

    def quantized_forward(
        self, x: Array, weight: Array, bias: Array | None, quantization: Quantization, problem: Problem
    ) -> Array:
        """Return the y of a quantised layer: added in int32, rounded half to even."""
        plain = centred({"x": x, "weight": weight}, quantization)
        accumulators = self._module(problem).forward(plain["x"], plain["weight"], bias, problem)
        return requantize(accumulators, quantization, "half-to-even")

    def grad_input(self, grad_output: Array, weight: Array, problem: Problem) -> Array:
        """Return grad_input."""
        with np.errstate(**QUIET):
            return _narrowed(
                self._module(problem).grad_input(_widened(grad_output), _widened(weight), problem), grad_output
            )

    def grad_weight(self, x: Array, grad_output: Array, problem: Problem) -> Array:
        """Return grad_weight."""
        with np.errstate(**QUIET):
            return _narrowed(self._module(problem).grad_weight(_widened(x), _widened(grad_output), problem), x)

    def grad_bias(self, grad_output: Array, problem: Problem) -> Array:
        """Return grad_bias."""
        with np.errstate(**QUIET):
            return _narrowed(self._module(problem).grad_bias(_widened(grad_output), problem), grad_output)


def direct() -> Reference:
    """Return the seven loops."""
    return Reference(direct_module, transposed.direct)


def sparse() -> Reference:
    """Return the sparse matrix W*."""
    return Reference(sparse_module, transposed.sparse)


def im2col() -> Reference:
    """Return columns and matrix products."""
    return Reference(im2col_module, transposed.im2col)


def _widened(tensor: Array) -> Array:
    return tensor.astype(get_format(get_format(tensor.dtype).accumulator).dtype)


def _narrowed(result: Array, like: Array, out_format: str | None = None, overflow: str | None = None) -> Array:
    out = get_format(out_format) if out_format else natural_output(like.dtype)
    if overflow == "saturate":
        result = np.clip(result, out.smallest, out.largest)
    return result if out.is_integer else np.asarray(result).astype(out.dtype)
