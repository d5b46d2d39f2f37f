"""SAME and asymmetric padding, dilation at the border, and sizes of outputs."""

# ruff: noqa: D102  (applies and the hooks are described where they are declared)

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Triggered
from refconv.diagnosis.defects.padding import (
    ColumnsNotChecked,
    PaddingAtEndIgnored,
    PaddingAxesSwapped,
    PaddingEndsSwapped,
    PaddingIgnored,
    SamePaddingAssumed,
)
from refconv.diagnosis.defects.triggered.shapes import is_asymmetric, is_same, kernel_is, reach
from refconv.diagnosis.layer import Layer, Window
from refconv.problem import ConvProblem


class SameUpperTakenForLower(Triggered):
    """The paddings at the beginning and at the end are exchanged."""

    bug = PaddingEndsSwapped
    trigger = "the pads of an axis differ by one"
    usually = "SAME_UPPER puts the odd element at the end, SAME_LOWER at the beginning."
    source = "https://github.com/root-project/root/issues/21737"
    operations = ("forward",)
    example = "n1c2i6x5-k2w3x2-s2x1-d1x1-p0+1x0+1-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(abs(begin - end) == 1 for begin, end in problem.padding)


class _HalfKernel(Layer):
    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=problem.kernel_size[axis] // 2)


class SameTakenForHalfKernel(Triggered):
    """The window begins half a kernel before its output."""

    bug = _HalfKernel
    trigger = "padding is SAME and the stride is above 1 or the kernel even"
    usually = "SAME is taken for k // 2 on both sides: it depends on the image and the stride."
    source = "https://github.com/root-project/root/pull/21793"
    operations = ("forward",)
    example = "n1c2i6x5-k2w3x4-s2x1-d1x1-p0+1x1+2-g1-o3x5"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        odd = max(problem.stride) > 1 or any(kernel % 2 == 0 for kernel in problem.kernel_size)
        return is_same(problem) and odd


class _SameOfFirstStride(Layer):
    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, length = problem.stride[0], problem.input_size[axis]
        total = (-(-length // stride) - 1) * stride + reach(problem, axis) - length
        return super().window(problem, axis)._replace(begin=max(0, total) // 2)


class SameOfFirstStride(Triggered):
    """The padding of both axes is computed with the vertical stride."""

    bug = _SameOfFirstStride
    trigger = "padding is SAME and the strides of the axes differ"
    usually = "stride[0] stands where stride[i] must."
    source = "https://github.com/PaddlePaddle/Paddle/pull/20997"
    operations = ("forward",)
    example = "n1c2i5x6-k2w3x3-s1x2-d1x1-p1+1x0+1-g1-o5x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_same(problem) and len(set(problem.stride)) > 1


class SamePadsRecomputed(Triggered):
    """The kernel is centred on the output position."""

    bug = SamePaddingAssumed
    trigger = "padding is SAME and the stride is above 1"
    usually = "pads that were computed already are computed again, as for stride 1."
    source = "https://github.com/microsoft/onnxruntime/pull/27249"
    operations = ("forward",)
    example = "n1c2i6x8-k2w3x3-s2x2-d1x1-p0+1x0+1-g1-o3x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_same(problem) and max(problem.stride) > 1


class SamePadsOfOtherAxis(Triggered):
    """The paddings of height and width are exchanged."""

    bug = PaddingAxesSwapped
    trigger = "the strides of the axes differ"
    usually = "SAME pads are computed per axis and then named the wrong way round."
    source = "https://github.com/autogluon/autogluon/pull/438"
    operations = ("forward",)
    example = "n1c2i5x6-k2w3x3-s1x2-d1x1-p1+1x0+1-g1-o5x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return len(set(problem.stride)) > 1


class EndPadsMovedToBeginning(Triggered):
    """The padding at the end is put at the beginning."""

    bug = PaddingEndsSwapped
    trigger = "all padding is at the end and the stride is above 1"
    usually = "one number per axis is passed on: the larger of both pads, or their sum."
    source = "https://github.com/ml-explore/mlx/issues/2038"
    operations = ("forward",)
    example = "n1c2i5x6-k2w3x2-s2x2-d1x1-p0+1x0+1-g1-o2x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        begins, ends = zip(*problem.padding, strict=True)
        return not any(begins) and any(ends) and max(problem.stride) > 1


class EndPadsSkipped(Triggered):
    """Outputs whose window passes the bottom or right edge of the image are left out (zero)."""

    bug = PaddingAtEndIgnored
    trigger = "all padding is at the end"
    usually = "the padding step is skipped if the first two of four pads are zero."
    source = "https://github.com/gmalivenko/onnx2keras/pull/50"
    operations = ("forward",)
    example = "n1c2i5x6-k2w3x2-s1x1-d1x1-p0+1x0+1-g1-o4x6"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        begins, ends = zip(*problem.padding, strict=True)
        return not any(begins) and any(ends)


class _PadsInOtherOrder(Layer):
    def window(self, problem: ConvProblem, axis: int) -> Window:
        (top, bottom), (left, right) = problem.padding
        return super().window(problem, axis)._replace(begin=(top, bottom)[axis])


class PadsFlattenedInOtherOrder(Triggered):
    """The bottom's padding is used at the left."""

    bug = _PadsInOtherOrder
    trigger = "pads are asymmetric"
    usually = "four pads are read as top, left, ... where they are written as top, bottom, left, right."
    source = "https://github.com/FluxML/NNlib.jl/pull/153"
    operations = ("forward",)
    example = "n1c2i5x6-k2w3x2-s1x1-d1x1-p0+1x2+0-g1-o4x7"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return is_asymmetric(problem)


class BlockedLayoutIgnoresAsymmetricPads(Triggered):
    """The window starts inside of the image, as if there were no padding."""

    bug = PaddingIgnored
    trigger = "C is a multiple of 16 and pads are asymmetric"
    usually = "the kernel for blocks of 16 channels reads the offset of a symmetric border."
    source = "https://github.com/openvinotoolkit/openvino/pull/2876"
    operations = ("forward",)
    example = "n1c16i4x3-k2w2x2-s1x1-d1x1-p1+0x0+1-g1-o4x3"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return problem.in_channels % 16 == 0 and is_asymmetric(problem)


class PaddingWiderThanKernel(Triggered):
    """A tap left or right of the image reads the neighbouring row."""

    bug = ColumnsNotChecked
    trigger = "the image is padded by more than the dilated kernel reaches"
    usually = "the loop over the border counts taps within the image, of which there may be none."
    source = "border loops that take the padding for smaller than the kernel"
    example = "n1c2i4x3-k2w2x2-s1x1-d1x1-p0+0x3+2-g1-o3x7"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return any(max(pads) >= reach(problem, axis) for axis, pads in enumerate(problem.padding))


class SmallKernelOfPaddedEnd(Triggered):
    """The padding at the end is put at the beginning."""

    bug = PaddingEndsSwapped
    trigger = "the kernel is 2x2 and pads differ"
    usually = "a 2x2 kernel is padded by one: at the end, as SAME has it, not at the beginning."
    source = "hand-written layers with p = k // 2 at the beginning"
    example = "n1c2i5x4-k2w2x2-s1x1-d1x1-p0+1x0+1-g1-o5x4"

    def applies(self, problem: ConvProblem, dtype: np.dtype[Any]) -> bool:
        return kernel_is(problem, 2, 2) and is_asymmetric(problem)
