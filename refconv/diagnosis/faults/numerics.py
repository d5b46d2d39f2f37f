"""Sums that are rounded where they must not be, in formats that do not hold them."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import ml_dtypes
import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work, folded, is_half, rounded

FEW_CHANNELS = 4
ENOUGH_PRODUCTS = 64


class HalfAccumulatorForFewChannels(Fault):
    """In float16 with few channels in a group, the products are added up in float16."""

    usually = "small-channel and depthwise kernels leave the matrix unit, and its float32 accumulator, behind."
    source = "https://github.com/uxlfoundation/oneDNN/pull/5041"
    operations = ("forward", "grad_input")

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        few = work.problem.in_channels // work.problem.groups <= FEW_CHANNELS
        if work.element.name != "float16" or not few or work.operation not in self.operations:
            return super().dot(a, b, work)
        return added_one_by_one(a, b, np.float16)


class GradBiasAddedInItsFormat(Fault):
    """The gradient of the bias is added up in 16 bits, where it stops growing."""

    usually = "a sum over all positions in half precision: 2048 + 1 is 2048 in float16. Add in float32."
    source = "https://github.com/tinygrad/tinygrad/pull/3005"
    operations = ("grad_bias",)

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "grad_bias" or not is_half(work.element):
            return super().dot(a, b, work)
        return added_one_by_one(a, b, work.element.dtype)


class SplitGradientAddedInHalf(Fault):
    """Long reductions of 16-bit weight gradients are split, and the parts rounded before they are added up."""

    usually = "split-K adds into the 16-bit result: keep the partial sums in float32 and round once."
    source = "https://github.com/ROCm/rocm-libraries/issues/8029"
    operations = ("grad_weight",)

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        long = a.shape[-1] >= ENOUGH_PRODUCTS and work.operation == "grad_weight" and is_half(work.element)
        return in_pieces(a, b, a.shape[-1] // 8, work) if long else super().dot(a, b, work)


class DepthwiseGradientAddedPerImage(Fault):
    """Float16 gradients of depthwise weights are added to the result image by image."""

    usually = "every image adds to the gradient atomically in float16: reduce in float32 first."
    source = "https://github.com/tensorflow/tensorflow/pull/27213"
    operations = ("grad_weight",)

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        depthwise = work.problem.in_channels == work.problem.groups > 1 and work.element.name == "float16"
        if work.operation != "grad_weight" or not depthwise or work.problem.batch < 2:
            return super().dot(a, b, work)
        return in_pieces(a, b, a.shape[-1] // work.problem.batch, work)


class ChannelBlocksAddedInHalf(Fault):
    """Many channels are read in blocks, and the sum of each block is added to y in 16 bits."""

    usually = "y serves as accumulator between blocks of channels: use a float32 buffer."
    source = "blocked kernels that add up in a 16-bit destination"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        taps = int(np.prod(work.problem.kernel_size))
        many = work.problem.in_channels // work.problem.groups > 16 and is_half(work.element)
        return in_pieces(a, b, 16 * taps, work) if many and work.operation == "forward" else super().dot(a, b, work)


class BiasAddedAfterRounding(Fault):
    """The sum is rounded to the result's format, and then the bias is added and rounded again."""

    usually = "the epilogue computes in the bias's format: add the bias to the float32 accumulator."
    source = "https://github.com/pytorch/pytorch/pull/134112"

    def add_bias(self, sums: Array, bias: Array, work: Work) -> Array:
        narrow = not work.out.is_integer and work.overflow is None
        return super().add_bias(rounded(sums, work.out.dtype) if narrow else sums, bias, work)


class Float16OverflowsOnTheWay(Fault):
    """The sums of single channels are float16, which overflow although the total does not."""

    usually = "each channel is finished in float16 before the next one is added: add in float32."
    source = "https://github.com/ROCm/AMDMIGraphX/issues/850"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.element.name != "float16" or work.operation != "forward":
            return super().dot(a, b, work)
        taps = int(np.prod(work.problem.kernel_size))
        parts = [a[..., at : at + taps] @ b[..., at : at + taps, :] for at in range(0, a.shape[-1], taps)]
        large = [np.abs(part) > 65504 for part in parts]
        total: Array = super().dot(a, b, work)
        for over, part in zip(large, parts, strict=True):
            total += np.where(over, np.inf * part, 0).astype(total.dtype)
        return total


class Tf32ForAlignedChannels(Fault):
    """Float32 factors are cut to the 11 bits of tf32 where the channels suit the tensor cores."""

    usually = "tf32 is allowed by default, and taken for some shapes only: forbid it where float32 is promised."
    source = "https://github.com/pytorch/pytorch/issues/107514"
    operations = ("forward", "grad_input", "grad_weight")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read, problem = super().read(name, tensor, work), work.problem
        aligned = problem.in_channels // problem.groups % 4 == 0 and problem.out_channels // problem.groups % 4 == 0
        if work.element.name != "float32" or not aligned or name == "bias" or work.operation == "grad_bias":
            return read
        fraction, exponent = np.frexp(read)
        cut: Array = np.ldexp(np.rint(np.ldexp(fraction, 11)), exponent - 11).astype(read.dtype)
        return cut


class WeightsStoredInFloat16(Fault):
    """Float32 weights have been compressed to float16."""

    usually = "the converter stores weights in float16 by default: small ones vanish, large ones become infinite."
    source = "model converters that compress constants to float16 unless told otherwise"
    operations = ("forward", "grad_input")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        return rounded(read, np.float16) if name == "weight" and work.element.name == "float32" else read


class Float64ComputedInFloat32(Fault):
    """Float64 tensors are cast to float32, computed with, and cast back."""

    usually = "a hard-coded astype(float32) in front of the kernel: refuse float64, or compute in it."
    source = "https://github.com/xarray-contrib/xarray-spatial/pull/1097"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        return rounded(read, np.float32) if work.element.name == "float64" else read


class Float64BiasThroughFloat32(Fault):
    """Only the bias of a float64 layer passes through float32."""

    usually = "a scalar argument has the type float: the bias of a float64 layer needs double."
    source = "https://github.com/ml-explore/mlx/issues/4159"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        return rounded(read, np.float32) if name == "bias" and work.element.name == "float64" else read


class ResultTruncatedToBfloat16(Fault):
    """Results are made bfloat16 by dropping the lower half of float32."""

    usually = "bits >> 16 rounds toward zero: round to nearest, ties to even."
    source = "https://github.com/tenstorrent/tt-metal/pull/27171"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        if work.out.name != "bfloat16":
            return super().store(sums, work)
        return (sums.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32).astype(ml_dtypes.bfloat16)


class Float8RoundedTwice(Fault):
    """On their way to float8, results are rounded to bfloat16 first."""

    usually = "there is no direct conversion to float8, so that it goes through 16 bits: round float32 once."
    source = "https://github.com/MurrellGroup/Microfloats.jl/pull/25"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        return super().store(rounded(sums, ml_dtypes.bfloat16) if "float8" in work.out.name else sums, work)


class WidenedFromTheNarrowResult(Fault):
    """A float32 result of narrow tensors is computed in their own format and widened."""

    usually = "out_format is a cast behind the layer: write the accumulator out as it is."
    source = "hand-written layers: conv(x, weight).astype(float32)"

    def store(self, sums: Array, work: Work) -> Array:
        wider = work.out.precision > work.element.precision and not work.element.is_integer and not work.quantized
        return super().store(rounded(sums, work.element.dtype) if wider else sums, work)


def added_one_by_one(a: Array, b: Array, element: object) -> Array:
    """Return a @ b, rounded to a format after every product and every sum."""
    return folded(a, b, 1, lambda total, one, other: rounded(total + rounded(one * other, element), element))


def in_pieces(a: Array, b: Array, length: int, work: Work) -> Array:
    """Return a @ b, with the sums of pieces rounded to the result's format and added up in it."""
    narrow = work.element.dtype
    return folded(a, b, max(length, 1), lambda total, one, other: rounded(total + rounded(one @ other, narrow), narrow))
