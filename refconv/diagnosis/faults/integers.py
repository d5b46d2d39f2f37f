"""Eight-bit products that are added up, or read, in the wrong integer type."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work, folded

LOW, HIGH = -(2**15), 2**15 - 1


class Bytes(Fault):
    """Something that depends on the 8-bit formats of both factors."""

    def forward(self, x, weight, *others, **keywords):  # type: ignore[no-untyped-def]
        self.bytes = (x.dtype.name, weight.dtype.name)
        return super().forward(x, weight, *others, **keywords)

    def quantized_forward(self, x, weight, *others):  # type: ignore[no-untyped-def]
        self.bytes = ("centred", "centred")
        return super().quantized_forward(x, weight, *others)


class EverySumSaturatesInSixteenBits(Bytes):
    """The accumulator has 16 bits and saturates at every product, in the order of channels, rows and columns."""

    usually = "int16 accumulators of bytes (sqadd, vqadd, _mm_adds_epi16): add in 32 bits."
    source = "16-bit accumulators of microcontroller kernels"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "forward" or not work.element.is_integer:
            return super().dot(a, b, work)
        return folded(a, b, 1, lambda total, weight, x: np.clip(total + weight * x, LOW, HIGH))


class SumsWrapInSixteenBits(Bytes):
    """The accumulator has 16 bits and wraps around, before the bias is added."""

    usually = "int16 += int8 * int8: add in 32 bits."
    source = "16-bit accumulators of microcontroller kernels"
    carrier: type[np.signedinteger] = np.int16

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        total = super().dot(a, b, work)
        integer = work.operation == "forward" and work.element.is_integer
        return total.astype(self.carrier).astype(total.dtype) if integer else total


class SumsWrapInEightBits(SumsWrapInSixteenBits):
    """The accumulator has the 8 bits of the image and wraps around, before the bias is added."""

    usually = "sums of int8 arrays stay int8 in NumPy (einsum, @, dot): x.astype(np.int32) before they are multiplied."
    source = "hand-written layers in NumPy"
    carrier = np.int8


class PairsSaturateIn16Bits(Bytes):
    """Products of uint8 and int8 are added in pairs that saturate at 16 bits."""

    usually = "vpmaddubsw in place of VNNI: 255 * 127 * 2 is more than int16 holds. Widen before adding."
    source = "https://github.com/pytorch/pytorch/issues/76390"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "forward" or not work.element.is_integer or self.bytes != ("uint8", "int8"):
            return super().dot(a, b, work)
        return paired(a, b, lambda pair: np.clip(pair, LOW, HIGH))


class ShiftedPairsSaturate(Bytes):
    """Signed images are shifted by 128 for an unsigned instruction, whose pairs saturate at 16 bits."""

    usually = "s8s8 is emulated by u8s8 and a correction, which does not know what has been saturated."
    source = "https://github.com/uxlfoundation/oneDNN/issues/476"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "forward" or not work.element.is_integer or self.bytes != ("int8", "int8"):
            return super().dot(a, b, work)
        correction: Array = 128 * a.sum(axis=-1, keepdims=True, dtype=a.dtype)
        shifted: Array = paired(a, b + 128, lambda pair: np.clip(pair, LOW, HIGH)) - correction
        return shifted


class PairsWrapIn16Bits(Bytes):
    """In 3x3 kernels with stride 1, signed products are added in pairs that wrap around at 16 bits."""

    usually = "vmull_s8 and vmlal_s8 onto the same int16: (-128)*(-128)*2 wraps. Widen after each product."
    source = "https://github.com/Tencent/ncnn/issues/717"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        chosen = work.problem.kernel_size == (3, 3) and work.problem.stride == (1, 1)
        if work.operation != "forward" or self.bytes != ("int8", "int8") or not chosen:
            return super().dot(a, b, work)
        return paired(a, b, lambda pair: pair.astype(np.int16).astype(np.int32))


class SixteenBitSumsOfAThousand(Bytes):
    """Sums are kept in 16 bits over blocks of 32 products, and widened only then."""

    usually = "int16 lanes are folded too late for the largest factors: fold after every pair."
    source = "https://github.com/microsoft/BitNet/issues/629"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "forward" or not work.element.is_integer:
            return super().dot(a, b, work)
        return folded(a, b, 32, lambda total, weights, xs: total + (weights @ xs).astype(np.int16))


class MinusOfTheLowestIsItself(Bytes):
    """The sign of x is moved to the weight, where -(-128) stays -128."""

    usually = "_mm_sign_epi8 on -128: the products of negative x with the lowest weight change their sign."
    source = "https://github.com/ggml-org/ggml/issues/1393"

    def sums(self, a: Array, b: Array | None, work: Work) -> Array:
        total = super().sums(a, b, work)
        if work.operation != "forward" or self.bytes != ("int8", "int8") or b is None:
            return total
        lowest = np.where(b == -128, 128, 0).astype(b.dtype)
        turned: Array = total + 2 * super().sums(np.minimum(a, 0), lowest, work)
        return turned


class LowWeightsWrap(Bytes):
    """Signed weights are made unsigned by adding 64, so that those below -64 wrap around."""

    usually = "weights are thought to have seven bits (reduce_range): test their range, or shift by 128."
    source = "https://github.com/robertknight/rten/issues/574"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "weight" or tensor.dtype != np.int8 or work.operation != "forward":
            return read
        return (read + 64).astype(np.uint8).astype(np.int32) - 64


class UnsignedInputReadAsSigned(Bytes):
    """Images of uint8 are widened with their sign bit."""

    usually = "sign extension (extsi, vmovl_s8) where zero extension is due: 200 becomes -56."
    source = "https://github.com/llvm/torch-mlir/pull/3122"
    operations = ("forward", "grad_weight")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        return super().read(name, tensor.view(np.int8) if name == "x" and tensor.dtype == np.uint8 else tensor, work)


class SumsThroughFloat32(Bytes):
    """The int32 sums pass through float32, which holds 24 bits."""

    usually = "a float epilogue between accumulator and int32 result: sums above 2**24 lose their last bits."
    source = "https://github.com/uxlfoundation/oneDNN/issues/665"

    def store(self, sums: Array, work: Work) -> Array:
        integer = work.operation == "forward" and work.out.name == "int32"
        return super().store(sums.astype(np.float32).astype(np.int64).astype(np.int32) if integer else sums, work)


def paired(a: Array, b: Array, held: Callable[[Array], Array]) -> Array:
    """Return a @ b, where each sum of two neighbouring products goes through ``held``."""
    return folded(a, b, 2, lambda total, weights, xs: total + held(weights @ xs))
