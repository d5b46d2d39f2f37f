"""Products of a transposed convolution that land in wrong places: stride, dilation, the cut, the kernel."""

# ruff: noqa: D102  (the hooks are described where TransposedLayer declares them)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from refconv.diagnosis.defects import orientation, padding, stride_dilation
from refconv.diagnosis.defects.transposed.base import TransposedDefect
from refconv.diagnosis.layer import ABSENT, Integers, Layer, Window
from refconv.problem import ConvProblem, TransposedProblem


def windows(bent: Callable[[int, int, int, int], tuple[int, int, int]]) -> type[Layer]:
    """Return a layer with other (stride, dilation, begin), made of them and the extent of the kernel."""

    class Bent(Layer):
        def window(self, problem: ConvProblem, axis: int) -> Window:
            return Window(*bent(*super().window(problem, axis), problem.kernel_size[axis]))

    return Bent


class _WholeKernels(Layer):
    """Uses kernels that lie inside of the plane alone."""

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        inside = ((taps >= 0) & (taps < problem.input_size[axis])).all(1, keepdims=True)
        return np.where(inside, taps, ABSENT)


class TransposedKernelFlipped(TransposedDefect):
    """The kernel is flipped along all axes."""

    usually = "the layer is computed as a convolution of the spread input, whose kernel must be turned round first."
    source = "hand-written layers: the kernel of the spread input is not turned round"
    layer = orientation.KernelFlipped


class TransposedStrideIgnored(TransposedDefect):
    """No zeros stand between the elements of the input: they lie one apart whatever the stride."""

    usually = "the stride enters the output's size only: x[h] belongs at h*sH - top."
    source = "hand-written layers: stride ignored"
    layer = stride_dilation.StrideIgnored


class TransposedStrideZeroTooMany(TransposedDefect):
    """The elements of the input are spread one element too far: stride zeros between them instead of stride - 1."""

    usually = "zeros are inserted by reshaping or by a loop that counts stride of them: it must be stride - 1."
    source = "hand-written layers: zero insertion off by one"

    layer = windows(lambda stride, dilation, begin, kernel: (stride + (stride > 1), dilation, begin))


class TransposedStrideZeroTooFew(TransposedDefect):
    """The elements of the input are spread one element too little: stride - 2 zeros between them."""

    usually = "the zeros between two elements are counted as stride - 2, or the spread row is one element short."
    source = "hand-written layers: zero insertion off by one"

    layer = windows(lambda stride, dilation, begin, kernel: (max(1, stride - 1), dilation, begin))


class TransposedStrideZerosFirst(TransposedDefect):
    """The zeros of the stride are put before each element of the input, not behind it."""

    usually = "spread[stride - 1::stride] = x: it must be spread[::stride] = x."
    source = "hand-written layers: zero insertion at the wrong side"

    layer = windows(lambda stride, dilation, begin, kernel: (stride, dilation, begin - (stride - 1)))


class TransposedStrideAxesSwapped(TransposedDefect):
    """The strides are taken in the reverse order of the axes."""

    usually = "the strides are unpacked as (sW, sH)."
    source = "hand-written layers: parameter of one axis used for the other"
    layer = stride_dilation.StrideAxesSwapped


class TransposedDilationIgnored(TransposedDefect):
    """The taps are dense whatever the dilation."""

    usually = "the dilation is not handed on, or enters the output's size only: tap kh goes to h*sH - top + kh*dH."
    source = "https://github.com/tensorflow/tensorflow/issues/21598"
    layer = stride_dilation.DilationIgnored


class TransposedStrideAndDilationExchanged(TransposedDefect):
    """The stride is used as dilation and the dilation as stride."""

    usually = "the arguments are passed in the order of conv2d: dilation is the last one of conv_transpose2d."
    source = "https://github.com/lcy0604/CTRNet/pull/10"
    layer = stride_dilation.StrideAndDilationExchanged


class TransposedPaddingEndsSwapped(TransposedDefect):
    """What padding cuts off the beginning is cut off the end, and the reverse."""

    usually = "pads are read as (end, begin), or halves of an odd total go to the wrong sides."
    source = "https://github.com/root-project/root/pull/23088"
    layer = padding.PaddingEndsSwapped


class TransposedPaddingCutAtEnd(TransposedDefect):
    """The output is cut at its end only."""

    usually = "[:oH, :oW] of the whole output: it must be [top:top + oH, left:left + oW]."
    source = "https://github.com/tensorflow/tensorflow/issues/45999"
    layer = padding.PaddingIgnored


class TransposedPaddingAxesSwapped(TransposedDefect):
    """The paddings are taken in the reverse order of the axes."""

    usually = "pads (top, left, bottom, right) are taken for (left, top, ...), or begins and ends of axes for pairs."
    source = "https://github.com/robertknight/rten/pull/1399"
    layer = padding.PaddingAxesSwapped


class TransposedPaddingHalved(TransposedDefect):
    """The total of what is cut off an axis is split into equal halves."""

    usually = "one number is kept per axis, half of begin and end together."
    source = "https://github.com/ARM-software/ComputeLibrary/issues/743"

    def adjoint(self, problem: TransposedProblem) -> ConvProblem:
        pairs = zip(problem.padding, problem.output_padding, strict=True)
        halves = tuple((sum(pads) // 2, sum(pads) - sum(pads) // 2 - extra) for pads, extra in pairs)
        return replace(problem.adjoint, padding=halves)


class TransposedPaddingAdded(TransposedDefect):
    """The spread input is padded by padding, not by what the kernel reaches beyond it."""

    usually = "a convolution of the spread input needs dilation*(kernel - 1) - padding zeros around it, not padding."
    source = "https://github.com/Samsung/TICO/issues/420"

    layer = windows(lambda stride, dilation, begin, kernel: (stride, dilation, dilation * (kernel - 1) - begin))


class TransposedPaddingForgetsDilation(TransposedDefect):
    """The spread input is padded by kernel - 1 - padding, as if the kernel were dense."""

    usually = "the zeros around the spread input are dilation*(kernel - 1) - padding."
    source = "https://github.com/microsoft/onnxruntime/issues/2518"

    layer = windows(lambda stride, dilation, begin, kernel: (stride, dilation, begin + (dilation - 1) * (kernel - 1)))


class TransposedCutBeforeAdding(TransposedDefect):
    """Kernels that reach over an edge of the output are dropped whole; their inner products are missing."""

    usually = "the cut is applied to whole patches before they are added: clip each product, or cut the sum."
    source = "hand-written layers: crop before overlap-add"

    layer = _WholeKernels


class TransposedKernelAxesSwapped(TransposedDefect):
    """The last two axes of the kernel are exchanged: its memory is read as (kW, kH)."""

    usually = "the index kw*kH + kh: it must be kh*kW + kw."
    source = "hand-written layers tested on square kernels"

    layer = orientation.KernelTransposed
