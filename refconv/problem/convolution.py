"""The geometry of one convolution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from refconv.errors import GeometryError
from refconv.problem.descriptor import check_output_size, read, write
from refconv.problem.fields import Size, integer, integers, spread, spread_padding
from refconv.problem.geometry import Geometry
from refconv.problem.padding import named_padding
from refconv.problem.rules import (
    check_addressable,
    check_crop,
    check_extents,
    check_groups,
    misfit,
    output_length,
    taps_per_input,
)


@dataclass(frozen=True, kw_only=True)
class ConvProblem(Geometry):
    """One convolution layer: extents, stride, dilation, padding and groups.

    A problem that breaks a rule cannot be constructed, so code that holds one may trust it.
    "Convolution" means cross-correlation, as everywhere in deep learning: the kernel is not flipped.

    Parameters
    ----------
    batch, in_channels, out_channels : int
        N, C and K; zero is legal.
    input_size, kernel_size : tuple of int
        (H, W) and (kH, kW), in elements.
    stride, dilation : tuple of int
        (sH, sW) and (dH, dW), in elements; a dilation of 1 is dense.  Default: all ones.
    padding : tuple of (int, int)
        ((top, bottom), (left, right)), in elements; negative numbers crop the input.  Default: none.
    groups : int
        G; divides C and K.  Output channel k reads the input channels of block ``k // (K/G)``.

    Raises
    ------
    GeometryError
        If the convolution cannot exist; the message states the rule and the numbers.

    Examples
    --------
    >>> problem = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9),
    ...                       kernel_size=(3, 2), stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, 1)))
    >>> problem.output_size, problem.weight_shape, problem.y_shape
    ((3, 10), (6, 2, 3, 2), (2, 6, 3, 10))
    >>> problem.descriptor
    'n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10'
    """

    def __post_init__(self) -> None:
        """Bring every field to its canonical form, then hold all rules against it."""
        self._canonical()
        check_extents(self)
        check_groups(self)
        check_crop(self, "the input", self.input_size)
        self._check_fit()
        check_addressable(self)

    def _check_fit(self) -> None:
        wrong = misfit(self)
        if wrong:
            raise GeometryError(f"the dilated kernel must fit into the padded input, got {wrong}.")

    @cached_property
    def output_size(self) -> Size:
        """(oH, oW), in elements; leftovers are floored away."""
        per_axis = zip(self.input_size, self.kernel_size, self.stride, self.dilation, self.padding, strict=True)
        return tuple(output_length(*axis) for axis in per_axis)

    @property
    def weight_shape(self) -> Size:
        """(K, C/G, kH, kW): the shape of ``weight`` and of ``grad_weight``."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """(K*oH*oW, C*H*W): the shape of W*, the convolution of one image as a matrix."""
        return (math.prod(self.y_shape[1:]), math.prod(self.x_shape[1:]))

    def reduction_length(self, operation: str) -> int:
        """Bound the number of products that are added into one result, bias not counted.

        Parameters
        ----------
        operation : {"forward", "grad_input", "grad_weight", "grad_bias"}

        Examples
        --------
        >>> from refconv.problem import OPERATIONS
        >>> problem = ConvProblem(batch=2, in_channels=3, out_channels=5, input_size=(9, 8),
        ...                       kernel_size=(3, 2), stride=(2, 1))
        >>> [problem.reduction_length(operation) for operation in OPERATIONS]
        [18, 20, 56, 56]
        """
        if operation == "forward":
            return math.prod(self.weight_shape[1:])
        if operation == "grad_input":
            axes = zip(self.kernel_size, self.stride, self.dilation, strict=True)
            return self.out_channels // self.groups * math.prod(taps_per_input(*axis) for axis in axes)
        return self.batch * math.prod(self.output_size)

    @property
    def descriptor(self) -> str:
        """The whole problem in one word that :meth:`from_descriptor` reads back."""
        return write(self)

    @classmethod
    def from_descriptor(cls, text: str) -> ConvProblem:
        """Read a descriptor such as ``n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10``.

        Raises
        ------
        GeometryError
            If the text is not a descriptor, or its output size is not the one that the rest implies.

        Examples
        --------
        >>> ConvProblem.from_descriptor("n1c1i3x3-k1w2x2-s1x1-d1x1-p0+0x0+0-g1-o2x2").y_shape
        (1, 1, 2, 2)
        """
        fields, output_size = read(text, transposed=False)
        problem = (OversizedProblem if 0 in output_size else cls)(**fields)
        check_output_size(problem, output_size, text)
        return problem

    @classmethod
    def from_shapes(
        cls, x_shape: Iterable[int], weight_shape: Iterable[int],
        stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1,
    ) -> ConvProblem:  # fmt: skip
        """Build the problem of a call in PyTorch's words.

        Parameters
        ----------
        x_shape : (N, C, H, W)
        weight_shape : (K, C/G, kH, kW)
        stride, dilation : int or (int, int)
        padding : int, (pH, pW), ((top, bottom), (left, right)), "valid", "same", "same_upper" or "same_lower"
            Negative numbers crop; the names are resolved by :mod:`refconv.problem.padding`.
        groups : int

        Raises
        ------
        GeometryError
            If the shapes do not fit each other or a rule is broken.

        Examples
        --------
        >>> ConvProblem.from_shapes((1, 4, 7, 9), (6, 2, 3, 3), stride=(2, 1), padding=1, groups=2).output_size
        (4, 9)
        """
        x_shape, weight_shape = integers(x_shape, "x.shape"), integers(weight_shape, "weight.shape")
        if len(x_shape) < 3 or len(weight_shape) != len(x_shape):
            raise GeometryError(
                "x must be (N, C, H, W) and weight (K, C/G, kH, kW), with as many axes each, "
                f"got x.shape={x_shape}, weight.shape={weight_shape}."
            )
        groups, axes = integer(groups, "groups"), len(x_shape) - 2
        size, kernel = x_shape[2:], weight_shape[2:]
        steps, gaps = spread(stride, axes, "stride"), spread(dilation, axes, "dilation")
        if x_shape[1] != weight_shape[1] * groups:
            raise GeometryError(
                "weight must hold C/G input channels, so x.shape[1] must equal weight.shape[1] * groups, "
                f"got x.shape[1]={x_shape[1]}, weight.shape[1]={weight_shape[1]}, groups={groups}."
            )
        return cls(
            batch=x_shape[0], in_channels=x_shape[1], out_channels=weight_shape[0], groups=groups,
            input_size=size, kernel_size=kernel, stride=steps, dilation=gaps,
            padding=_resolved(padding, size, kernel, steps, gaps),
        )  # fmt: skip


class OversizedProblem(ConvProblem):
    """A convolution whose dilated kernel exceeds the padded input along some axis: its output is empty.

    Most programs refuse it, as :class:`ConvProblem` does; some return an empty result.  It exists for the
    vectors that hold this choice.

    Raises
    ------
    GeometryError
        If the kernel fits along every axis, or another rule is broken.

    Examples
    --------
    >>> OversizedProblem(batch=1, in_channels=2, out_channels=3, input_size=(2, 4), kernel_size=(3, 2)).y_shape
    (1, 3, 0, 3)
    """

    @property
    def output_size(self) -> Size:
        """(oH, oW), in elements; zero where the kernel does not fit."""
        return tuple(max(0, length) for length in super().output_size)

    def _check_fit(self) -> None:
        if not misfit(self):
            raise GeometryError(f"an OversizedProblem must have a kernel that exceeds the padded input, got {self}.")


def _resolved(padding: Any, size: Size, kernel: Size, stride: Size, dilation: Size) -> Any:
    """Return explicit padding; where no other field is wrong, since names are resolved by dividing by the stride."""
    if not isinstance(padding, str):
        return spread_padding(padding, len(size))
    if len(size) != len(stride) or len(size) != len(dilation) or min(stride) < 1:
        return ()  # the constructor has a sentence for it
    return named_padding(padding, size, kernel, stride, dilation)
