"""output_padding that is lost, taken for padding with zeros, or put at the wrong side."""

# ruff: noqa: D102  (the hooks are described where TransposedLayer declares them)

from __future__ import annotations

from dataclasses import replace

import numpy as np

from refconv.diagnosis.defects.transposed.base import TransposedDefect
from refconv.diagnosis.layer import Array
from refconv.problem import ConvProblem, TransposedProblem


class OutputPaddingIgnored(TransposedDefect):
    """The output is as short as without output_padding."""

    usually = "output_padding is missing from the output's size."
    source = "https://github.com/pytorch/pytorch/issues/98129"
    operations = ("forward",)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        return super().forward(x, weight, bias, replace(problem, output_padding=()))


class OutputPaddingOfZeros(TransposedDefect):
    """What output_padding adds to the output is zero."""

    usually = "the finished output is padded with zeros: it must be cut less, and the bias added to all of it."
    source = "https://github.com/apache/tvm/pull/5758"
    operations = ("forward",)

    def result(self, operation: str, value: Array, problem: TransposedProblem) -> Array:
        return _cleared(value, problem) if operation == "forward" else value


class OutputPaddingOfBias(TransposedDefect):
    """What output_padding adds to the output holds the bias alone, also where the input reaches it."""

    usually = "the output is cut by the whole padding first and lengthened then: products that reach there are lost."
    source = "https://github.com/Tencent/ncnn/pull/1122"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        y = _cleared(super().forward(x, weight, None, problem), problem)
        return y if bias is None else self.add_bias(y, bias, problem)

    def grad_input(self, grad_output: Array, weight: Array, problem: TransposedProblem) -> Array:
        return super().grad_input(_cleared(grad_output, problem), weight, problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: TransposedProblem) -> Array:
        return super().grad_weight(x, _cleared(grad_output, problem), problem)


class OutputPaddingFirst(TransposedDefect):
    """output_padding lengthens the output at its beginning."""

    usually = "output_padding is subtracted from the wrong end of the padding: it belongs to the end of the output."
    source = "https://github.com/f-dangel/backpack/issues/30"

    def adjoint(self, problem: TransposedProblem) -> ConvProblem:
        pairs = zip(problem.padding, problem.output_padding, strict=True)
        return replace(problem.adjoint, padding=tuple((begin - extra, end) for (begin, end), extra in pairs))


class OutputPaddingSpread(TransposedDefect):
    """output_padding pads the input, and so the output grows by a whole stride for each element."""

    usually = "zeros are put behind the input: they belong behind the spread input, where each is one element."
    source = "https://github.com/apple/coreai-torch/issues/57"
    operations = ("forward",)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> Array:
        size = tuple(map(sum, zip(problem.input_size, problem.output_padding, strict=True)))
        wide = np.pad(x, [(0, 0), (0, 0), *((0, extra) for extra in problem.output_padding)])
        return super().forward(wide, weight, bias, replace(problem, input_size=size, output_padding=()))


class OutputPaddingLeftOutOfGradBias(TransposedDefect):
    """grad_bias does not count what output_padding adds to the output."""

    usually = "the gradient is summed over the size without output_padding."
    source = "hand-written layers: gradients over a size computed twice"
    operations = ("grad_bias",)

    def grad_bias(self, grad_output: Array, problem: TransposedProblem) -> Array:
        return super().grad_bias(_cleared(grad_output, problem), problem)


def _cleared(y: Array, problem: TransposedProblem) -> Array:
    """Set what output_padding adds to zero."""
    y = y.copy()
    for axis, extra in enumerate(problem.output_padding, start=2):
        np.moveaxis(y, axis, 0)[y.shape[axis] - extra :] = 0
    return y
