"""NaN and infinities that get lost, and those that reach where nothing reads them."""

# ruff: noqa: D102  (the hooks are described where Fault declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.faults.base import Array, Fault, Work, folded

EPSILON = 1e-6


class NanClampedToLowest(Fault):
    """A clamp without bounds turns NaN into the most negative number and infinities into the largest ones."""

    usually = "max(min(y, high), low) returns a bound where y is NaN: leave the clamp out if there is no activation."
    source = "https://github.com/tensorflow/tensorflow/issues/63391"

    def store(self, sums: Array, work: Work) -> Array:
        if work.operation != "forward" or work.out.is_integer:
            return super().store(sums, work)
        low, high = np.finfo(sums.dtype).min, np.finfo(sums.dtype).max
        return super().store(np.where(np.isnan(sums), low, np.clip(sums, low, high)), work)


class NanRectified(Fault):
    """NaN results of layers without bias come out as zero."""

    usually = "y > 0 ? y : 0 is left over from a fused ReLU, and is only harmless where it is said to be."
    source = "https://github.com/apache/mxnet/issues/11115"

    def forward(self, x, weight, bias, problem, *others, **keywords):  # type: ignore[no-untyped-def]
        y = super().forward(x, weight, bias, problem, *others, **keywords)
        return y if bias is not None or y.dtype.kind in "iu" else np.where(np.isnan(y), y.dtype.type(0), y)


class ZeroWeightsSkipped(Fault):
    """Products with a weight of zero are skipped, also if the other factor is infinite or NaN."""

    usually = "sparse kernels drop zeros: 0 * inf is NaN."
    source = "https://github.com/apache/mxnet/issues/8491"
    operations = ("forward", "grad_input")

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation not in self.operations or np.isfinite(b).all():
            return super().dot(a, b, work)
        return folded(a, b, 1, lambda total, weight, x: total + np.where(weight == 0, 0, weight * x))


class ZeroActivationsSkipped(Fault):
    """Products with a pixel of zero are skipped, also if the weight is infinite or NaN."""

    usually = "if x == 0: continue, to save the zeros that a ReLU leaves."
    source = "hand-written layers: if (x == 0) continue"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "forward" or np.isfinite(a).all():
            return super().dot(a, b, work)
        return folded(a, b, 1, lambda total, weight, x: total + np.where(x == 0, 0, weight * x))


class NanLeaksFromTheNextColumn(Fault):
    """In bfloat16, the products that fill a tile of 32 are those of the next position, times zero."""

    usually = "the tail of a tile is masked in one factor only: 0 * NaN is NaN. Mask both."
    source = "https://github.com/uxlfoundation/oneDNN/issues/5717"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        product = super().dot(a, b, work)
        if work.operation != "forward" or work.element.name != "bfloat16" or a.shape[-1] % 32 == 0:
            return product
        following = np.roll(b, -1, axis=-1)[..., : 32 - a.shape[-1] % 32, :]
        leaked: Array = product + (following * 0).sum(axis=-2, keepdims=True)
        return leaked


class SmallBiasTakenForNone(Fault):
    """A bias counts only if its magnitude is above a small number, which neither NaN nor a tiny bias is."""

    usually = "fabs(bias) > eps decides whether there is a bias: ask for the argument instead."
    source = "hand-written layers: if (fabs(bias[k]) > 1e-6f)"

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if name != "bias" or work.element.is_integer:
            return read
        return np.where(np.abs(read) > EPSILON, read, read.dtype.type(0))


class NonFiniteGradientsCleared(Fault):
    """NaN and infinite gradients of weights and bias are replaced by zero."""

    usually = "a guard of the optimiser has got into the layer: report them, do not hide them."
    source = "https://github.com/mlnomadpy/flaxchat/issues/6"
    operations = ("grad_weight", "grad_bias")

    def store(self, sums: Array, work: Work) -> Array:
        if work.operation in self.operations and not work.element.is_integer:
            sums = np.where(np.isfinite(sums), sums, sums.dtype.type(0))
        return super().store(sums, work)


class TruncationTurnsNanIntoInfinity(Fault):
    """Float32 factors whose NaN has only low payload bits are infinite once the lower half is dropped."""

    usually = "a NaN must stay one when its payload is cut: set the quiet bit."
    source = "https://github.com/groonga/groonga/pull/2961"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def read(self, name: str, tensor: Array, work: Work) -> Array:
        read = super().read(name, tensor, work)
        if tensor.dtype != np.float32:
            return read
        low = np.isnan(read) & (np.ascontiguousarray(tensor).view(np.uint32) & 0x007F0000 == 0)
        return np.where(low, np.copysign(np.float32(np.inf), read), read)


class FirstInfinityWins(Fault):
    """A sum that has become infinite stays so, whatever is added to it."""

    usually = "the loop is left once the sum is infinite: inf - inf is NaN, and so is inf + NaN."
    source = "hand-written layers: if (isinf(sum)) break"

    def dot(self, a: Array, b: Array, work: Work) -> Array:
        if work.operation != "forward" or (np.isfinite(a).all() and np.isfinite(b).all()):
            return super().dot(a, b, work)
        return folded(a, b, 1, lambda total, weight, x: np.where(np.isinf(total), total, total + weight * x))
