"""Padding of the wrong width or with the wrong contents."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import ABSENT, Booleans, Integers, Window
from refconv.problem import ConvProblem


class PaddingIgnored(Defect):
    """The window starts inside of the image, as if there were no padding."""

    usually = "the padding enters the output's size only: subtract top and left where the input is read."
    source = "https://github.com/openvinotoolkit/openvino/pull/33681"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=0)


class PaddingEndsSwapped(Defect):
    """The paddings at the beginning and at the end are exchanged."""

    usually = "(begin, end) is unpacked the wrong way round, or the input is indexed with bottom and right."
    source = "https://github.com/root-project/root/issues/21737"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=problem.padding[axis][1])


class PaddingAxesSwapped(Defect):
    """The paddings of height and width are exchanged."""

    usually = "the pads are listed last axis first, as torch.nn.functional.pad wants them, or unpacked as (pW, pH)."
    source = "https://github.com/autogluon/autogluon/pull/438"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=problem.padding[::-1][axis][0])


class PaddingOfHeightForBoth(Defect):
    """The padding of the height is used for the width, too."""

    usually = "a single padding is stored (padding[0]): columns start at ow*sW - left."
    source = "hand-written layers: parameter of one axis used for the other"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=problem.padding[0][0])


class PaddingOfWidthForBoth(Defect):
    """The padding of the width is used for the height, too."""

    usually = "a single padding is stored (padding[-1]): rows start at oh*sH - top."
    source = "https://github.com/ROCm/MIOpen/pull/179"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=problem.padding[-1][0])


class PaddingSplitEvenly(Defect):
    """The total padding of an axis is split into equal halves."""

    usually = "only the sum of the pads is kept: begin and end must be stored apart."
    source = "https://github.com/vtjeng/MIPVerify.jl/pull/23"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        return super().window(problem, axis)._replace(begin=sum(problem.padding[axis]) // 2)


class SamePaddingAssumed(Defect):
    """The kernel is centred on the output position whatever the padding."""

    usually = "a library's mode='same' stands in for explicit padding: the window begins at oh*sH - top."
    source = "https://github.com/microsoft/onnxruntime/pull/27249"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, _ = super().window(problem, axis)
        return Window(stride, dilation, dilation * (problem.kernel_size[axis] - 1) // 2)


class PaddingAtEndIgnored(Defect):
    """Outputs whose window passes the bottom or right edge of the image are left out (zero)."""

    usually = "only top and left are padded, or the loop stops where the kernel no longer fits into the image itself."
    source = "https://github.com/gmalivenko/onnx2keras/pull/50"
    operations = ("forward", "grad_input", "grad_weight", "grad_bias")

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "y":
            for axis, length in enumerate(problem.input_size):
                beyond = self.taps(problem, axis)[:, -1] >= length
                np.moveaxis(table, axis + 2, 0)[beyond] = ABSENT
        return table


class PaddingReplicated(Defect):
    """Beyond the image, its edge is repeated instead of zeros."""

    usually = "indices are clamped (min, max, np.clip), or np.pad is called with mode='edge': padding is zero."
    source = "image libraries whose default border is not zero"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        return np.clip(super().taps(problem, axis), 0, problem.input_size[axis] - 1)


class PaddingReflected(Defect):
    """Beyond the image, its mirror image is read instead of zeros."""

    usually = "np.pad is called with mode='reflect', or abs() is taken of a negative index: padding is zero."
    source = "image libraries whose default border is not zero"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        period = max(1, 2 * (problem.input_size[axis] - 1))
        taps = super().taps(problem, axis) % period
        return np.minimum(taps, period - taps)


class PaddingWrapped(Defect):
    """Beyond the image, its other side is read instead of zeros."""

    usually = "negative indices wrap around in Python, or an FFT is used without room for the overlap."
    source = "layers computed by FFT"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        return super().taps(problem, axis) % problem.input_size[axis]


class NegativeIndicesWrapped(Defect):
    """Before the image, its other side is read; beyond its end there are zeros."""

    usually = "a bounds check tests index < H only, and Python takes negative indices from the end."
    source = "layers written in Python"

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        taps = super().taps(problem, axis)
        return np.where(taps < 0, taps + problem.input_size[axis], taps)


class PaddingOfOnes(Defect):
    """The padding holds ones instead of zeros."""

    usually = "the padded buffer is created with ones, or with the value of another layer: padding is zero."
    source = "https://github.com/larq/compute-engine/issues/49"
    operations = ("forward", "grad_weight")
    padding_value = 1


class ColumnsNotChecked(Defect):
    """A tap left or right of the image reads the neighbouring row."""

    usually = "the flat index ih*W + iw is checked, or ih alone: check 0 <= iw < W as well."
    source = "https://github.com/opencv/opencv/issues/23151"

    def inside(self, taps: Integers, problem: ConvProblem, axis: int) -> Booleans:
        last = axis == len(problem.input_size) - 1
        return np.ones_like(taps, bool) if last else super().inside(taps, problem, axis)
