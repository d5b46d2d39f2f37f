"""Strides and dilations that are lost, exchanged or off by one."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Window
from refconv.problem import ConvProblem


class StrideAxesSwapped(Defect):
    """The strides of height and width are exchanged."""

    usually = "the stride is unpacked as (sW, sH), or the ratio of rows is applied to columns: ih = oh*sH, iw = ow*sW."
    source = "https://github.com/mlpack/mlpack/pull/3146"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(stride=problem.stride[::-1][axis])


class StrideOfHeightForBoth(Defect):
    """The stride of the height is used for the width, too."""

    usually = "a single stride is stored (stride[0]), or sH was copied into the line that computes iw."
    source = "hand-written layers: parameter of one axis used for the other"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(stride=problem.stride[0])


class StrideOfWidthForBoth(Defect):
    """The stride of the width is used for the height, too."""

    usually = "a single stride is stored (stride[-1]), or sW was copied into the line that computes ih."
    source = "hand-written layers: parameter of one axis used for the other"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(stride=problem.stride[-1])


class StrideIgnored(Defect):
    """The window moves by one element whatever the stride, and the output is cropped to its size."""

    usually = "the dense result is cropped to (oH, oW) where every sH-th row and sW-th column must be taken."
    source = "hand-written layers: stride ignored"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(stride=1)


class StrideAndDilationExchanged(Defect):
    """The stride is used as dilation and the dilation as stride."""

    usually = "the two parameters are passed in the wrong order: ih = oh*stride - top + kh*dilation."
    source = "https://github.com/wangmaolin/niti/issues/6"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(dilation, stride, begin)


class StrideMultipliedByDilation(Defect):
    """The window moves by stride times dilation."""

    usually = "a misplaced bracket, (oh*sH + kh)*dH: it must be oh*sH + kh*dH."
    source = "hand-written layers: a misplaced bracket"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride * dilation, dilation, begin)


class DilationIgnored(Defect):
    """The taps are dense whatever the dilation."""

    usually = "the dilation enters the output's size only: the tap reads at oh*sH - top + kh*dH."
    source = "https://github.com/apache/mxnet/issues/8557"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(dilation=1)


class DilationAxesSwapped(Defect):
    """The dilations of height and width are exchanged."""

    usually = "the dilation is unpacked as (dW, dH): rows are kh*dH apart, columns kw*dW."
    source = "hand-written layers: parameter of one axis used for the other"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(dilation=problem.dilation[::-1][axis])


class DilationOfHeightForBoth(Defect):
    """The dilation of the height is used for the width, too."""

    usually = "a single dilation is stored (dilation[0]), or dH was copied into the line that computes iw."
    source = "hand-written layers: parameter of one axis used for the other"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(dilation=problem.dilation[0])


class DilationOfWidthForBoth(Defect):
    """The dilation of the width is used for the height, too."""

    usually = "a single dilation is stored (dilation[-1]), or dW was copied into the line that computes ih."
    source = "https://github.com/alibaba/MNN/pull/154"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(dilation=problem.dilation[-1])


class DilationOneTooLarge(Defect):
    """The taps are one element farther apart than the dilation says."""

    usually = "a library that counts the skipped elements (0 is dense, as in oneDNN) was given 1 for dense: pass d - 1."
    source = "https://github.com/uxlfoundation/oneDNN/issues/438"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation + 1, begin)
