"""Windows that stand beside their place."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Window
from refconv.problem import ConvProblem


class WindowTooEarly(Defect):
    """Every window begins one element too far up and to the left."""

    usually = "an index counted from 1, or a padding that is one too large: the window begins at oh*sH - top."
    source = "hand-written layers: off by one"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation, begin + 1)


class WindowTooLate(Defect):
    """Every window begins one element too far down and to the right."""

    usually = "an index counted from 1, or a padding that is one too small: the window begins at oh*sH - top."
    source = "hand-written layers: off by one"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation, begin - 1)


class EvenKernelTooEarly(Defect):
    """Windows of kernels of even extent begin one element too early."""

    usually = "the kernel's centre is taken as kH // 2: count taps from the window's beginning, not from its centre."
    source = "https://github.com/Lasagne/Lasagne/pull/438"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation, begin + (problem.kernel_size[axis] % 2 == 0))


class EvenKernelTooLate(Defect):
    """Windows of kernels of even extent begin one element too late."""

    usually = "the kernel's centre is taken as (kH - 1) // 2: count taps from the window's beginning."
    source = "hand-written layers: even kernel shifted"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation, begin - (problem.kernel_size[axis] % 2 == 0))


class WindowsAlignedToEnd(Defect):
    """The windows end at the end of the padded input: leftovers are skipped at its beginning."""

    usually = "the start of the windows is counted back from the end: leftover rows and columns are the last ones."
    source = "https://github.com/ARM-software/CMSIS_5/issues/831"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation, begin - leftover(problem, axis))


class WindowsCentred(Defect):
    """The leftover is split between both sides of the input."""

    usually = "leftovers are distributed, as SAME padding does: the first window begins at -top, whatever is left over."
    source = "https://github.com/tensorflow/tensorflow/issues/11092"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride, dilation, begin - leftover(problem, axis) // 2)


def leftover(problem: ConvProblem, axis: int) -> int:
    """Count the elements at the end of the padded axis that no window reads."""
    reach = problem.dilation[axis] * (problem.kernel_size[axis] - 1) + 1
    return (problem.input_size[axis] + sum(problem.padding[axis]) - reach) % problem.stride[axis]
