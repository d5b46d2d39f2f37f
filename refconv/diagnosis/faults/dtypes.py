"""Formats: results of another dtype, and paths that only one format takes."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work, is_half


class IntegersReturnedAsFloat(Fault):
    """The sums of bytes come out as float32."""

    usually = "an integer layer is computed by a float kernel: convert the result back to int32."
    source = "hand-written layers: np.zeros(shape) for a result that is meant to be integer"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")
    shows_by = "dtype"

    def store(self, sums: Array, work: Work) -> Array:
        return sums.astype(np.float32) if work.out.name == "int32" and not work.quantized else super().store(sums, work)


class Float32Raised(Fault):
    """Float32 results come out as float64."""

    usually = "the result is allocated without a dtype: allocate it with that of x."
    source = "hand-written layers: np.zeros(shape) without dtype"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")
    shows_by = "dtype"

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        return result.astype(np.float64) if work.out.name == "float32" else result


class AccumulatorReturned(Fault):
    """Results of 16-bit layers are handed out as the accumulator holds them, in float32."""

    usually = "the last cast is missing: float32 values are not those of the format."
    source = "hand-written layers: the accumulator is returned where a 16-bit tensor is due"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        return sums if is_half(work.out) else super().store(sums, work)


class GradientTakesBiasFormat(Fault):
    """Float16 gradients of the bias come out as float32."""

    usually = "a reduction returns its accumulator's dtype: cast it to that of the bias."
    source = "hand-written layers: grad_output.sum(dtype=float32)"
    operations = ("grad_bias",)
    shows_by = "dtype"

    def store(self, sums: Array, work: Work) -> Array:
        result = super().store(sums, work)
        return result.astype(np.float32) if work.operation == "grad_bias" and is_half(work.out) else result


class OnlyFirstTapInBfloat16(Fault):
    """In bfloat16 with one input and one output channel, only the first tap is counted."""

    usually = "a kernel for blocks of channels meets a single one: fall back to plain loops."
    source = "https://github.com/pytorch/pytorch/issues/163347"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        single = work.problem.in_channels == work.problem.out_channels == 1 and work.operation == "forward"
        if work.element.name == "bfloat16" and single:
            return super().dot(a[..., :1], b[..., :1, :], work)
        return super().dot(a, b, work)


class OddProductMissingInBfloat16(Fault):
    """Bfloat16 products are added in pairs, and an odd one at the end is left out."""

    usually = "the instruction takes two products at a time: fill an odd reduction up with a zero."
    source = "pairwise bfloat16 instructions (VDPBF16PS, BFDOT) on reductions of odd length"
    operations = ("forward", "grad_weight")

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        even = a.shape[-1] // 2 * 2
        if work.element.name != "bfloat16" or work.operation not in self.operations or even in (0, a.shape[-1]):
            return super().dot(a, b, work)
        return super().dot(a[..., :even], b[..., :even, :], work)


class ChannelTailSharesItsExponent(Fault):
    """With channels that are no multiple of eight, bfloat16 pixels share the exponent of their block."""

    usually = "a block format is chosen where its blocks are not full: keep bfloat16, or fill up to eight channels."
    source = "https://github.com/tenstorrent/tt-metal/issues/20808"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "x" or work.element.name != "bfloat16" or work.operation != "forward" or read.shape[1] % 8 == 0:
            return read
        largest = np.abs(read).max(axis=1, keepdims=True, initial=0)
        step = np.ldexp(np.float32(1), np.frexp(largest)[1] - 7)
        shared: Array = np.where(np.isfinite(largest), np.rint(read / step) * step, read).astype(read.dtype)
        return shared


class OddWidthHalvesSplit(Fault):
    """Float16 pixels are read in pairs, and in rows of odd length the last one is taken from the next row."""

    usually = "half2 loads need an even pitch: the last pixel of an odd row has no partner of its own."
    source = "half2 kernels on images of odd width"

    def columns(self, x: Array, work: Work) -> Array:
        odd = work.element.name == "float16" and work.operation == "forward" and x.ndim == 4 and x.shape[-1] % 2
        if odd and x.size:
            x = x.copy()
            x[:, :, :-1, -1] = x[:, :, 1:, 0]
        return super().columns(x, work)


class ReluSixLeftOn(Fault):
    """Depthwise results are held within 0 ... 6."""

    usually = "depthwise layers are thought to be followed by ReLU6: clamp only if the activation is there."
    source = "https://github.com/pytorch/executorch/pull/6894"

    def store(self, sums: Array, work: Work) -> Array:
        depthwise = work.problem.in_channels == work.problem.groups > 1 and work.operation == "forward"
        return super().store(np.clip(sums, 0, 6) if depthwise else sums, work)
