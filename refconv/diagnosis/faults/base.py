"""A correct convolution in the ordinary arithmetic of its format, made to be bent into faults."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv.diagnosis.layer import Layer
from refconv.formats import NumberFormat, get_format, natural_output
from refconv.problem import ConvProblem
from refconv.quantization import Quantization

Array = npt.NDArray[Any]

SHOWS_BY = ("values", "mutation", "aliasing", "layout", "repeat", "poison", "dtype")


class Work(NamedTuple):
    """One call: what is asked for."""

    operation: str
    problem: ConvProblem
    element: NumberFormat
    out: NumberFormat
    overflow: str | None = None
    quantized: bool = False


class Fault:
    """A convolution with one bug that somebody has met; an implementation like any other.

    Unlike a defect model, it may depend on the values, the memory, the format and the calls before, and it
    need not be the exact adjoint of anything.  This base class has no bug.

    Attributes
    ----------
    usually : str
        What it usually means, for the author of the code: reads on after "Usually means: ".
    operations : tuple of str
        Where it can show.
    source : str
        The public thread that it re-creates, or an honest phrase.
    shows_by : {"values", "mutation", "aliasing", "layout", "repeat", "poison", "dtype"}
        What reveals it: a single call on fresh dense tensors, a look at the inputs afterwards, at the memory
        of the result, at other strides, at earlier calls, at uninitialised memory, or at the dtype.
    """

    name: ClassVar[str] = "fault"
    usually: ClassVar[str]
    source: ClassVar[str]
    operations: ClassVar[tuple[str, ...]] = ("forward",)
    shows_by: ClassVar[str] = "values"
    border: int = 0  # what stands in the padding
    nearest: Callable[[Fraction], int] = staticmethod(round)  # ties to even

    def __init_subclass__(cls) -> None:
        """Name the fault: ``BiasKept`` is bias-kept."""
        super().__init_subclass__()
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def summary(cls) -> str:
        """Return the sentence that says what is wrong."""
        return (cls.__doc__ or "").strip()

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        """Return a tensor as it enters the products: in the format of the accumulator."""
        return tensor.astype(accumulator_of(tensor.dtype))

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        """Return the sums of products over the last axis of a and the last but one of b."""
        product: Array = a @ b
        return product

    def columns(self, x: Array, work: Work) -> Array:
        """Return what meets the weights, shape (N, G, C/G*T, O)."""
        problem, table = work.problem, Layer().pixels(work.problem)
        N, C, G, (outputs, T) = problem.batch, problem.in_channels, problem.groups, table.shape
        pixels = x.reshape(N, C, math.prod(problem.input_size))
        planes = np.pad(pixels, ((0, 0), (0, 0), (0, 1)), constant_values=self.border)
        patches = planes[:, :, table.T]  # the last pixel is the border, which -1 points to
        return patches.reshape(N, G, C // G * T, outputs)

    def fold(self, columns: Array, work: Work) -> Array:
        """Add columns up where they were read, the adjoint of :meth:`columns`."""
        problem, table = work.problem, Layer().pixels(work.problem)
        N, C, P = problem.batch, problem.in_channels, math.prod(problem.input_size)
        planes = np.zeros((N, C, P + 1), columns.dtype)
        for tap, taken in enumerate(columns.reshape(N, C, table.shape[1], table.shape[0]).swapaxes(0, 2)):
            planes[:, :, table[:, tap]] += taken.swapaxes(0, 1)  # outputs read different pixels by one tap
        return planes[:, :, :P].reshape(problem.x_shape)

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        """Return the sums of products of an operation, in the accumulator's format."""
        N, K, G = work.problem.batch, work.problem.out_channels, work.problem.groups
        outputs = math.prod(work.problem.output_size)
        shape = work.problem.shape_of(work.operation)
        if work.operation == "grad_bias":
            flat = a.reshape(N, K, outputs).swapaxes(0, 1).reshape(K, N * outputs)
            return self.dot(flat, np.ones((N * outputs, 1), a.dtype), work).reshape(shape)
        assert b is not None
        if work.operation == "forward":
            return self.dot(b.reshape(G, K // G, _depth(work.problem)), self.columns(a, work), work).reshape(shape)
        if work.operation == "grad_input":
            weight = b.reshape(G, K // G, _depth(work.problem)).swapaxes(1, 2)
            return self.fold(self.dot(weight, a.reshape(N, G, K // G, outputs), work), work)
        seen = self.columns(a, work).transpose(1, 0, 3, 2).reshape(G, N * outputs, _depth(work.problem))
        sent = b.reshape(N, G, K // G, outputs).transpose(1, 2, 0, 3).reshape(G, K // G, N * outputs)
        return self.dot(sent, seen, work).reshape(shape)

    def add_bias(self, sums: Array, bias: Array, work: Work) -> Array:
        """Add the bias to the sums, shape (N, K, oH, oW), in the accumulator's format."""
        total: Array = sums + bias.reshape(-1, *[1] * (sums.ndim - 2))
        return total

    def store(self, sums: Array, work: Work) -> Array:
        """Return the result: the sums, rounded once."""
        if work.overflow == "saturate":
            sums = np.clip(sums, work.out.smallest, work.out.largest)
        return sums if work.out.is_integer else sums.astype(work.out.dtype)

    def forward(
        self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem,
        out_format: str | None = None, overflow: str | None = None,
    ) -> Array:  # fmt: skip
        """Return y."""
        work = _work("forward", x, problem, out_format, overflow)
        with np.errstate(all="ignore"):
            sums = self.sums(self.read("x", x, work), self.read("weight", weight, work), work)
            if bias is not None:
                sums = self.add_bias(sums, self.read("bias", bias, work), work)
            return self.store(sums, work)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input."""
        work = _work("grad_input", grad_output, problem)
        with np.errstate(all="ignore"):
            sent = self.read("grad_output", grad_output, work)
            return self.store(self.sums(sent, self.read("weight", weight, work), work), work)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight."""
        work = _work("grad_weight", x, problem)
        with np.errstate(all="ignore"):
            sent = self.read("grad_output", grad_output, work)
            return self.store(self.sums(self.read("x", x, work), sent, work), work)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias."""
        work = _work("grad_bias", grad_output, problem)
        with np.errstate(all="ignore"):
            return self.store(self.sums(self.read("grad_output", grad_output, work), None, work), work)

    def quantized_forward(
        self, x: Array, weight: Array, bias: Array | None, quantization: Quantization, problem: ConvProblem
    ) -> Array:
        """Return the y of a quantised layer."""
        work = Work("forward", problem, get_format(x.dtype), get_format(quantization.out_format), None, True)
        sums = self.sums(self.centred_x(x, quantization), self.centred_weight(weight, quantization), work)
        return self.requantized(sums, bias, quantization)

    def centred_x(self, x: Array, quantization: Quantization) -> Array:
        """Return x without its zero point, in int32."""
        return x.astype(np.int32) - np.int32(quantization.x_zero_point)

    def centred_weight(self, weight: Array, quantization: Quantization) -> Array:
        """Return the weight without its zero points, in int32."""
        zero_points = np.array(quantization.weight_zero_point, np.int32)
        return weight.astype(np.int32) - zero_points.reshape(-1, *[1] * (weight.ndim - 1))

    def requantized(self, sums: Array, bias: Array | None, quantization: Quantization) -> Array:
        """Return 8-bit results from int32 sums, shape (N, K, oH, oW)."""
        y = np.empty(sums.shape, quantization.out_format)
        for index in np.ndindex(sums.shape):
            added = 0 if bias is None else int(bias[index[1]])
            y[index] = self.settled(self.scaled(int(sums[index]), added, index, quantization), quantization)
        return y

    def scaled(self, total: int, bias: int, index: tuple[int, ...], quantization: Quantization) -> Fraction:
        """Return the sum at an index of y and its bias, in units of the result."""
        return (total + bias) * Fraction(self.multiplier(index, quantization))

    def multiplier(self, index: tuple[int, ...], quantization: Quantization) -> Fraction | float:
        """Return the scale of the sum at an index of y."""
        return quantization.multipliers[index[1] if len(quantization.multipliers) > 1 else 0]

    def settled(self, real: Fraction, quantization: Quantization) -> int:
        """Round a scaled sum, add the zero point, saturate."""
        return clamped(self.nearest(real) + quantization.y_zero_point, quantization)


def clamped(value: int, quantization: Quantization) -> int:
    """Saturate to the output format of a quantised layer."""
    out = get_format(quantization.out_format)
    return min(max(value, int(out.smallest)), int(out.largest))


def wrapped(value: int, quantization: Quantization) -> int:
    """Keep the eight bits of the output format of a quantised layer."""
    lowest = int(get_format(quantization.out_format).smallest)
    return (value - lowest) % 2**8 + lowest


def accumulator_of(element: Any) -> np.dtype[Any]:
    """Return the dtype in which an ordinary implementation adds products of this format."""
    return get_format(get_format(element).accumulator).dtype


def folded(a: Array, b: Array, width: int, step: Callable[[Array, Array, Array], Array]) -> Array:
    """Return a @ b, added up piece by piece by a function of the sum so far and the next few factors of either side."""
    total = np.zeros((a[..., :0] @ b[..., :0, :]).shape, a.dtype)
    for at in range(0, a.shape[-1], width):
        total = step(total, a[..., at : at + width], b[..., at : at + width, :])
    return total.astype(a.dtype, copy=False)


def rounded(values: Array, element: Any) -> Array:
    """Round to a format and come back: values that the format holds, in the dtype that they came in."""
    return values.astype(element).astype(values.dtype)


def is_half(element: NumberFormat) -> bool:
    """Say whether a format has 16 bits."""
    return element.name in ("float16", "bfloat16")


def _work(operation: str, x: Array, problem: ConvProblem, out: str | None = None, overflow: str | None = None) -> Work:
    element = get_format(x.dtype)
    return Work(operation, problem, element, get_format(out) if out else natural_output(element), overflow)


def _depth(problem: ConvProblem) -> int:
    return math.prod(problem.weight_shape[1:])
