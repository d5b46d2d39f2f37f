"""The ends of the range: subnormal and largest numbers, and what lies beyond."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import ml_dtypes
import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work

ALL = ("forward", "grad_input", "grad_weight", "grad_bias")


class Float16Saturates(Fault):
    """Float16 gradients of the weights end at 65504, also where they are infinite."""

    usually = "the kernel clamps what it converts: beyond the largest number lies infinity."
    source = "https://github.com/ROCm/MIOpen/issues/2496"
    operations = ("grad_weight",)

    def store(self, sums: Array, work: Work) -> Array:
        clamps = work.operation == "grad_weight" and work.out.name == "float16"
        return super().store(np.clip(sums, -65504, 65504) if clamps else sums, work)


class ClampedBeforeTheBias(Fault):
    """Float16 sums are clamped to the largest number before the bias is added."""

    usually = "a clamp that was put in against overflow stands in the middle of the layer: keep float32 to its end."
    source = "https://github.com/openvinotoolkit/openvino/pull/37041"

    def add_bias(self, sums: Array, bias: Array, work: Work) -> Array:
        half = work.out.name == "float16"
        return super().add_bias(np.clip(sums, -65504, 65504) if half else sums, bias, work)


class SubnormalsFlushed(Fault):
    """Subnormal float32 numbers count as zero, as factors and as results."""

    usually = "the flags for flushing to zero are set (fast math): clear them where gradual underflow is promised."
    source = "https://github.com/ROCm/rocMLIR/pull/1962"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        return _flushed(super().read(name, tensor, work), work)

    def store(self, sums: Array, work: Work) -> Array:
        return super().store(_flushed(sums, work), work)


class SubnormalBiasFlushed(Fault):
    """A subnormal bias counts as zero."""

    usually = "constants are flushed when the model is loaded, although the arithmetic keeps subnormal numbers."
    source = "https://github.com/openvinotoolkit/openvino/pull/15929"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "bias" or work.element.is_integer:
            return read
        return np.where(np.abs(read) < 2.0**work.element.min_exponent, read.dtype.type(0), read)


class SubnormalResultsWrap(Fault):
    """Where a narrow result is subnormal, its exponent wraps around and it comes out large."""

    usually = "the conversion takes the biased exponent without looking whether it is below one."
    source = "https://github.com/iree-org/iree/pull/20242"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        if work.out.name != "float16":
            return super().store(sums, work)
        tiny = (np.abs(sums) < 2.0**-14) & (np.abs(sums) >= 2.0**-24)
        return super().store(np.where(tiny, np.ldexp(sums, 32), sums), work)


class Float8EndsInItsLargest(Fault):
    """Results beyond the largest float8_e4m3fn number become that number where NaN is asked for."""

    usually = "the conversion saturates: without infinity, overflow is NaN unless saturation is asked for."
    source = "https://github.com/ROCm/rocm-systems/pull/8800"

    def store(self, sums: Array, work: Work) -> Array:
        saturates = work.out.name == "float8_e4m3fn" and not np.isnan(sums).any()
        return super().store(np.clip(sums, -448, 448) if saturates else sums, work)


class Float8OverflowsBeforeRounding(Fault):
    """Sums a little above the largest float8 number overflow, although they round to it."""

    usually = "the range is tested before the rounding: round first, as if there were no largest number."
    source = "https://github.com/stillwater-sc/universal/pull/1351"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        if "float8" not in work.out.name or work.overflow == "saturate":
            return super().store(sums, work)
        beyond = np.copysign(np.inf, sums).astype(sums.dtype)
        return super().store(np.where(np.abs(sums) > work.out.largest, beyond, sums), work)


class Float8SpecialsDecodedAsNumbers(Fault):
    """Infinities and NaN of float8_e5m2 are read as if their exponent were an ordinary one."""

    usually = "a table or a shift decodes eight bits without the two special cases."
    source = "hand-written float8 decoders without the special cases"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if tensor.dtype != ml_dtypes.float8_e5m2:
            return read
        bits = np.ascontiguousarray(tensor).view(np.uint8)
        value = np.ldexp(1 + (bits & 3) / 4, 16) * np.where(bits & 0x80, -1, 1)
        return np.where((bits & 0x7C) == 0x7C, value, read).astype(read.dtype)


class GradientsOverflowInFloat16(Fault):
    """On the way to the matrix unit, float32 gradients pass through float16 and overflow."""

    usually = "mixed precision without loss scaling: gradients beyond 65504 are infinite, tiny ones zero."
    source = "mixed-precision backward passes without loss scaling"
    operations = ("grad_input", "grad_weight")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "grad_output" or work.element.name != "float32" or work.operation == "grad_bias":
            return read
        outside = (np.abs(read) >= 65520) | (np.abs(read) < 2.0**-25)
        return np.where(outside, read.astype(np.float16).astype(read.dtype), read)


def _flushed(values: Array, work: Work) -> Array:
    if work.element.name != "float32":
        return values
    return np.where(np.abs(values) < np.float32(2.0**-126), np.float32(0), values)
