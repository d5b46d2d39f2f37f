"""Layers whose output has another size than it must, because the size follows from their mistake.

The models of the other families give an output of the right size, as code does that gets the size from elsewhere.
Where a stride, a dilation or a padding is mistaken before the size is computed, the layer is a right one of another
problem.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.layer import Array, Layer
from refconv.errors import GeometryError
from refconv.problem import ConvProblem


def resized(layer: Layer, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array | None:
    """Return y as a layer gives it whose output size follows from its mistake; None if there is no such problem.

    Examples
    --------
    >>> import numpy as np
    >>> from refconv.diagnosis.defects.stride_dilation import StrideOfHeightForBoth
    >>> problem = ConvProblem.from_descriptor("n1c1i3x5-k1w1x1-s1x2-d1x1-p0+0x0+0-g1-o3x3")
    >>> resized(StrideOfHeightForBoth(), np.ones((1, 1, 3, 5)), np.ones((1, 1, 1, 1)), None, problem).shape
    (1, 1, 3, 5)
    """
    try:
        return Layer().forward(x, weight, bias, mistaken(layer, problem))
    except GeometryError:
        return None


def mistaken(layer: Layer, problem: ConvProblem) -> ConvProblem:
    """Return the problem that a layer takes for the one at hand: its windows tell, and those of the mirrored one."""
    axes = range(len(problem.input_size))
    mirrored = replace(problem, padding=tuple((end, begin) for begin, end in problem.padding))
    windows, ends = ([layer.window(one, axis) for axis in axes] for one in (problem, mirrored))
    return replace(
        problem,
        stride=tuple(window.stride for window in windows),
        dilation=tuple(window.dilation for window in windows),
        padding=tuple((window.begin, end.begin) for window, end in zip(windows, ends, strict=True)),
    )


class Missized(Defect):
    """A layer that is right but for the padding at the end, and so for the size of its output."""

    operations = ("forward",)
    source = "hand-written layers: formula of the output size"

    @abstractmethod
    def end(self, problem: ConvProblem, axis: int) -> int:
        """Return the padding at the end of an axis, as the layer has it."""

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y of the size that follows."""
        pads = ((begin, self.end(problem, axis)) for axis, (begin, _) in enumerate(problem.padding))
        return super().forward(x, weight, bias, replace(problem, padding=tuple(pads)))
