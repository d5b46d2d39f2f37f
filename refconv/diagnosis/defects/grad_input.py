"""Ways in which the gradient of the input alone goes wrong."""

# ruff: noqa: D102  (the hooks are described where Layer declares them)

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from refconv.diagnosis.defects.base import Defect
from refconv.diagnosis.defects.groups import GroupOffsetIgnored, WeightsOfFirstGroup
from refconv.diagnosis.defects.layout import WeightInputsFirst
from refconv.diagnosis.defects.orientation import KernelFlipped
from refconv.diagnosis.defects.padding import PaddingEndsSwapped, PaddingIgnored
from refconv.diagnosis.defects.placement import WindowsAlignedToEnd
from refconv.diagnosis.defects.stride_dilation import DilationIgnored, StrideIgnored
from refconv.diagnosis.layer import Array, Layer, Window
from refconv.problem import ConvProblem


class GradInputLastTapWins(Defect):
    """Where windows overlap, grad_input holds the product of the last tap instead of the sum."""

    usually = (
        "columns are put back with = (or with fancy-indexed +=, which drops repeats): use += per tap, or np.add.at."
    )
    source = "https://github.com/oreilly-japan/deep-learning-from-scratch/issues/27"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return _overwritten(grad_output, weight, problem, np.ndindex(problem.kernel_size))


class GradInputLastWindowWins(Defect):
    """Where windows overlap, grad_input holds what the last window put there instead of the sum."""

    usually = "each window's patch of the gradient is assigned with =: it must be added with +=."
    source = "hand-written layers: patches of the gradient assigned, not added"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return _overwritten(grad_output, weight, problem, reversed(list(np.ndindex(problem.kernel_size))))


class GradInputNotFlipped(Defect):
    """In grad_input, the kernel is not turned round: taps send gradients to the mirrored positions."""

    usually = "grad_input as a convolution of the padded grad_output needs the kernel flipped on all axes."
    source = "hand-written layers: kernel not turned round"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return KernelFlipped().grad_input(grad_output, weight, problem)


class GradInputNotTransposed(Defect):
    """In grad_input, the weights' memory is taken for (C/G, K, kH, kW)."""

    usually = "input and output channels change roles in grad_input: transpose the weights, do not reshape them."
    source = "hand-written layers: weights reshaped where they must be transposed"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return WeightInputsFirst().grad_input(grad_output, weight, problem)


class GradInputStrideIgnored(Defect):
    """In grad_input, no zeros are inserted between the elements of grad_output."""

    usually = "grad_output must be spread with stride - 1 zeros between its elements."
    source = "https://github.com/enggen/Deep-Learning-Coursera/issues/7"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return StrideIgnored().grad_input(grad_output, weight, problem)


class GradInputStrideTooLarge(Defect):
    """In grad_input, the elements of grad_output are spread one element too far."""

    usually = "stride zeros are inserted between the elements of grad_output: it must be stride - 1."
    source = "hand-written layers: s zeros between the elements of grad_output"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return _StrideTooLarge().grad_input(grad_output, weight, problem)


class GradInputDilationIgnored(Defect):
    """In grad_input, the taps are dense whatever the dilation."""

    usually = "the dilation is forgotten in the backward pass: tap kh sends to oh*sH - top + kh*dH."
    source = "hand-written layers: dilation forgotten in the backward pass"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return DilationIgnored().grad_input(grad_output, weight, problem)


class GradInputLeftoverFirst(Defect):
    """In grad_input, the rows and columns that no window reads are put first instead of last."""

    usually = "the leftover is padded before the gradient: output_padding belongs to the end."
    source = "https://github.com/f-dangel/backpack/issues/30"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return WindowsAlignedToEnd().grad_input(grad_output, weight, problem)


class GradInputNotCropped(Defect):
    """The gradient of the padded input is cropped at its end only."""

    usually = "[:H, :W] of the padded gradient: it must be [top:top + H, left:left + W]."
    source = "hand-written layers: crop of the padded gradient"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return PaddingIgnored().grad_input(grad_output, weight, problem)


class GradInputCroppedFromEnd(Defect):
    """From the gradient of the padded input, the padding of the other end is cut off."""

    usually = "[bottom:, right:] of the padded gradient: it must be [top:top + H, left:left + W]."
    source = "hand-written layers: crop of the padded gradient"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return PaddingEndsSwapped().grad_input(grad_output, weight, problem)


class GradInputGroupIgnored(Defect):
    """The gradients of all groups go to the input channels of the first one."""

    usually = "the offset g*(C/G) is missing where grad_input is written."
    source = "https://github.com/ml-explore/mlx/pull/3800"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return GroupOffsetIgnored().grad_input(grad_output, weight, problem)


class GradInputWeightsOfFirstGroup(Defect):
    """In grad_input, all groups use the weights of the first one."""

    usually = "the offset g*(K/G) is missing where the backward pass reads the weights."
    source = "hand-written layers that index weights within the group"
    operations = ("grad_input",)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        return WeightsOfFirstGroup().grad_input(grad_output, weight, problem)


class _StrideTooLarge(Layer):
    """Its windows stand one element too far apart, unless the stride is 1."""

    def window(self, problem: ConvProblem, axis: int) -> Window:
        stride, dilation, begin = super().window(problem, axis)
        return Window(stride + (stride > 1), dilation, begin)


def _overwritten(grad_output: Array, weight: Array, problem: ConvProblem, order: Iterable[tuple[Any, ...]]) -> Array:
    """Put the gradients back tap by tap, each over what was there."""
    layer, gradient = Layer(), np.zeros(problem.x_shape, np.result_type(grad_output, weight))
    for tap in order:
        here = np.zeros_like(weight)
        here[(..., *tap)] = 1
        touched = layer.grad_input(np.ones_like(grad_output), here, problem) != 0
        gradient = np.where(touched, layer.grad_input(grad_output, here * weight, problem), gradient)
    return gradient
