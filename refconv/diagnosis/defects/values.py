"""Values that are narrowed, saturated or clipped."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import ml_dtypes
import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Array
from refconv.problem import OPERATIONS, ConvProblem

OF_PRODUCTS = ("forward", "grad_input", "grad_weight")


class OperandsRoundedToBfloat16(Defect):
    """The factors are rounded to the 8 bits of bfloat16."""

    usually = "mixed precision is on: ask for float32 products, or judge the layer as bfloat16."
    source = "mixed precision that was not asked for"

    def operand(self, name: str, tensor: Array) -> Array:
        return tensor.astype(ml_dtypes.bfloat16).astype(tensor.dtype)


class OperandsTruncatedToBfloat16(Defect):
    """The factors are cut off after the 8 bits of bfloat16."""

    usually = "float32 is made bfloat16 by dropping its lower half: round to nearest, ties to even."
    source = "conversions that drop the lower half of float32"

    def operand(self, name: str, tensor: Array) -> Array:
        return _kept_bits(tensor, 8, np.trunc)


class OperandsRoundedToTf32(Defect):
    """The factors are rounded to the 11 bits of tf32 (float16 has as many)."""

    usually = "tensor cores are allowed to use tf32 or float16: switch that off where float32 is asked for."
    source = "https://github.com/pytorch/pytorch/issues/107514"
    operations = ("forward", "grad_input")

    def operand(self, name: str, tensor: Array) -> Array:
        return _kept_bits(tensor, 11, np.rint)


class OperandsTruncatedToTf32(Defect):
    """The factors are cut off after the 11 bits of tf32."""

    usually = "tensor cores are fed with float32 bits, of which they ignore the last 13: switch tf32 off."
    source = "https://github.com/pytorch/pytorch/pull/79537"
    operations = ("forward", "grad_input")

    def operand(self, name: str, tensor: Array) -> Array:
        return _kept_bits(tensor, 11, np.trunc)


class ResultRoundedToFloat16(Defect):
    """The result is rounded to float16."""

    usually = "the result passes through a float16 tensor."
    source = "results that pass through a tensor of 16 bits"
    operations = OPERATIONS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        with np.errstate(over="ignore"):
            return value.astype(np.float16).astype(value.dtype)


class ResultRoundedToBfloat16(Defect):
    """The result is rounded to bfloat16."""

    usually = "the result passes through a bfloat16 tensor."
    source = "results that pass through a tensor of 16 bits"
    operations = OPERATIONS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return value.astype(ml_dtypes.bfloat16).astype(value.dtype)


class ResultSaturatedToInt8(Defect):
    """The result is held within -128 ... 127."""

    usually = "the accumulator is narrowed to int8 before it is scaled: keep it in int32."
    source = "accumulators narrowed before they are scaled"
    operations = OPERATIONS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return value.clip(-(2**7), 2**7 - 1)


class ResultSaturatedToInt16(Defect):
    """The result is held within -32768 ... 32767."""

    usually = "an instruction that adds pairs with 16-bit saturation (vpmaddubsw): add in 32 bits."
    source = "onnxruntime 1.31.1 on AVX2: ConvInteger of u8 and i8"
    operations = OF_PRODUCTS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return value.clip(-(2**15), 2**15 - 1)


class ResultWrappedToInt16(Defect):
    """The result is reduced to 16 bits and wraps around."""

    usually = "a 16-bit accumulator overflows: add in 32 bits."
    source = "16-bit accumulators of microcontroller kernels"
    operations = OF_PRODUCTS

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return (value + 2**15) % 2**16 - 2**15


class NegativeResultsClipped(Defect):
    """Negative outputs are set to zero."""

    usually = "an activation (ReLU) is fused into the layer, or the output type is unsigned."
    source = "activations fused into a layer"
    operations = ("forward",)

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        return np.maximum(value, 0) if operation == "forward" else value


def _kept_bits(tensor: Array, bits: int, integral: np.ufunc) -> Array:
    fraction, exponent = np.frexp(tensor)
    kept: Array = np.ldexp(integral(np.ldexp(fraction, bits)), exponent - bits).astype(tensor.dtype)
    return kept
