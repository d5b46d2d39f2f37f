"""Shortcuts that are taken where they do not lead."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import ABSENT, Integers, Window
from refconv.problem import ConvProblem

HARD_CODED = 3


class PointwiseIgnoresStride(Defect):
    """With 1x1 kernels, the stride is ignored."""

    usually = "the matrix product for 1x1 kernels is taken at any stride: it needs stride 1, or a subsampled x."
    source = "https://github.com/majianjia/nnom/issues/84"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        window = super().window(problem, axis)
        return window._replace(stride=1) if _is_pointwise(problem) else window


class PointwiseIgnoresPadding(Defect):
    """With 1x1 kernels, the padding is ignored."""

    usually = "the matrix product for 1x1 kernels is taken with padding, too: it needs none."
    source = "https://github.com/majianjia/nnom/issues/84"

    def window(self, problem: ConvProblem, axis: int) -> Window:
        window = super().window(problem, axis)
        return window._replace(begin=0) if _is_pointwise(problem) else window


class KernelSizeHardCoded(Defect):
    """Of larger kernels, only the first 3x3 taps are used."""

    usually = "a literal 3 in the loops over kh and kw: they run to kH and kW."
    source = "https://github.com/apache/tvm/pull/4276"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[:, :, HARD_CODED:] = table[..., HARD_CODED:] = ABSENT
        return table


class KernelTakenForSquare(Defect):
    """Only as many columns of the kernel are used as it has rows."""

    usually = "both loops over taps run to kH: the one over kw must run to kW."
    source = "hand-written layers tested with square kernels"

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        table = super().places(tensor, problem)
        if tensor == "weight":
            table[..., problem.kernel_size[0] :] = ABSENT
        return table


def _is_pointwise(problem: ConvProblem) -> bool:
    return set(problem.kernel_size) == {1}
