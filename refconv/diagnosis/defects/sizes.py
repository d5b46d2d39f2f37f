"""Defects of the output's size alone: what is computed is right, but there is more or less of it."""

from __future__ import annotations

from refconv.diagnosis.defects.placement import leftover
from refconv.diagnosis.defects.resized import Missized
from refconv.problem import ConvProblem


class OutputSizeRoundedUp(Missized):
    """The output has one row or column more where something is left over."""

    usually = "the division by the stride is rounded up: leftover rows and columns are floored away."

    def end(self, problem: ConvProblem, axis: int) -> int:
        """Add what the leftover lacks."""
        rest = leftover(problem, axis)
        return problem.padding[axis][1] + (problem.stride[axis] - rest if rest else 0)


class LastOutputRowMissing(Missized):
    """The output has one row too few."""

    usually = "the last + 1 is missing in the formula of oH, or a range over rows ends one too early."
    rows, columns = True, False

    def end(self, problem: ConvProblem, axis: int) -> int:
        """Take one stride off."""
        less = (self.rows, self.columns)[axis - len(problem.input_size)]
        return problem.padding[axis][1] - less * problem.stride[axis]


class LastOutputColumnMissing(LastOutputRowMissing):
    """The output has one column too few."""

    usually = "the last + 1 is missing in the formula of oW, or a range over columns ends one too early."
    rows, columns = False, True


class LastOutputRowAndColumnMissing(LastOutputRowMissing):
    """The output has one row and one column too few."""

    usually = "the last + 1 is missing in (H + 2*padding - dilation*(kH - 1) - 1) // stride + 1."
    rows, columns = True, True


class DilationMissingInSize(Missized):
    """The output is as large as that of a kernel without dilation."""

    usually = "the size is computed from kH where it must be dH*(kH - 1) + 1."

    def end(self, problem: ConvProblem, axis: int) -> int:
        """Add what the dilation adds to the kernel."""
        return problem.padding[axis][1] + (problem.dilation[axis] - 1) * (problem.kernel_size[axis] - 1)


class PaddingAtEndMissing(Missized):
    """The output is as large as if there were no padding at the bottom and on the right."""

    usually = "H + padding where H + 2*padding belongs, or only top and left are padded."

    def end(self, problem: ConvProblem, axis: int) -> int:
        """Leave it out."""
        return 0
