"""JAX: ``lax.conv_general_dilated`` and what ``jax.vjp`` makes of it, compiled by XLA for the default device."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.implementations.limits import require, require_formats
from refconv.problem import Problem, TransposedProblem

Array = npt.NDArray[Any]
FLOATS = ("float64", "float32", "float16", "bfloat16")
INTEGERS = ("int8", "uint8")
WIDE = {"float16": "float32", "bfloat16": "float32"}  # in which a bias is added, as preferred_element_type allows


class JaxEngine:
    """The whole layer under ``jax.jit``, with Precision.HIGHEST; padding is handed over as pairs.

    The convolution takes no bias, so it is added to the result: for narrow floats in float32 before the
    result is rounded, for integers in int32.  A transposed one spreads its input (lhs_dilation), as Flax does.
    """

    name = "jax"
    transposed = True

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax: Any = jax
        self.version = f"jax {jax.__version__}"

    def forward(
        self, x: Array, weight: Array, bias: Array | None, problem: Problem, out_format: str | None = None
    ) -> Array:
        """Return y; another ``out_format`` is asked of XLA as preferred_element_type."""
        require_formats("jax", (*FLOATS, *INTEGERS), x, weight)
        out = out_format or ("int32" if x.dtype.name in INTEGERS else x.dtype.name)
        arguments = [tensor for tensor in (x, weight, bias) if tensor is not None]
        return np.asarray(self.jax.jit(lambda *tensors: self._layer(problem, out, *tensors))(*arguments))

    def grad_input(self, grad_output: Array, weight: Array, problem: Problem) -> Array:
        """Return grad_input."""
        x = np.zeros(problem.x_shape, grad_output.dtype)
        return self._gradient(grad_output, x, lambda x, weight: self._layer(problem, None, x, weight), weight)

    def grad_weight(self, x: Array, grad_output: Array, problem: Problem) -> Array:
        """Return grad_weight."""
        weight = np.zeros(problem.weight_shape, grad_output.dtype)
        return self._gradient(grad_output, weight, lambda weight, x: self._layer(problem, None, x, weight), x)

    def grad_bias(self, grad_output: Array, problem: Problem) -> Array:
        """Return grad_bias: of the addition of the bias alone."""
        bias = np.zeros(problem.bias_shape, grad_output.dtype)
        return self._gradient(grad_output, bias, lambda bias, sums: sums + _column(bias, problem), grad_output)

    def _gradient(self, grad_output: Array, at: Array, layer: Any, other: Array) -> Array:
        require_formats("jax.vjp", FLOATS, grad_output, other)

        def pull(at: Any, other: Any, grad_output: Any) -> Any:
            return self.jax.vjp(lambda at: layer(at, other), at)[1](grad_output)[0]

        return np.asarray(self.jax.jit(pull)(at, other, grad_output))

    def _layer(self, problem: Problem, out: str | None, x: Any, weight: Any, bias: Any = None) -> Any:
        require(len(problem.stride) <= 3, "this adapter speaks of one to three axes.")
        lax, axes = self.jax.lax, "DHW"[-len(problem.stride) :]
        wide = out if bias is None else WIDE.get(str(out), out)
        if isinstance(problem, TransposedProblem):
            weight = _turned(weight, problem)
            windows = {"window_strides": (1,) * len(axes), "padding": _reaches(problem), "lhs_dilation": problem.stride}
        else:
            windows = {"window_strides": problem.stride, "padding": problem.padding}
        sums = lax.conv_general_dilated(
            x, weight, **windows, rhs_dilation=problem.dilation,
            dimension_numbers=(f"NC{axes}", f"OI{axes}", f"NC{axes}"), feature_group_count=problem.groups,
            precision=lax.Precision.HIGHEST, preferred_element_type=wide,
        )  # fmt: skip
        return sums if bias is None else (sums + _column(bias, problem)).astype(out)


def _turned(weight: Any, problem: TransposedProblem) -> Any:
    """Return the weight of a transposed convolution as (K, C/G, ...), with the taps from last to first."""
    C, each, *kernel = weight.shape
    grouped = weight.reshape(problem.groups, C // problem.groups, each, *kernel).swapaxes(1, 2)
    swapped = grouped.reshape(problem.out_channels, C // problem.groups, *kernel)
    return swapped[:, :, *[slice(None, None, -1)] * len(kernel)]


def _reaches(problem: TransposedProblem) -> list[tuple[int, int]]:
    """Return what to pad the spread input by: all that the kernel reaches beyond it, less what is cut off."""
    axes = zip(problem.kernel_size, problem.dilation, problem.padding, problem.output_padding, strict=True)
    return [(d * (k - 1) - begin, d * (k - 1) - end + extra) for k, d, (begin, end), extra in axes]


def _column(bias: Any, problem: Problem) -> Any:
    return bias.reshape(-1, *(1,) * len(problem.stride))


def create() -> JaxEngine:
    """Make the engine ``jax``."""
    return JaxEngine()
