"""The geometry of one transposed convolution, and of the convolution whose adjoint it is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from refconv.errors import GeometryError
from refconv.problem.convolution import ConvProblem
from refconv.problem.descriptor import check_output_size, read, write
from refconv.problem.fields import Size, integer, integers, spread, spread_padding
from refconv.problem.geometry import Geometry
from refconv.problem.padding import named_transposed_padding
from refconv.problem.rules import check_addressable, check_extents, check_groups, spread_length


@dataclass(frozen=True, kw_only=True)
class TransposedProblem(Geometry):
    """One transposed convolution layer, in the fields of :class:`refconv.ConvProblem` and ``output_padding``.

    Every element of the input is multiplied by the whole kernel and added to the output, one stride further for each:
    ``y[n, g*K/G + k, h*sH - top + kh*dH, w*sW - left + kw*dW] += x[n, c, h, w] * weight[c, k, kh, kw]``, with
    ``g = c // (C/G)``.  It is the adjoint of a convolution, :attr:`adjoint`: multiplication by (W*)ᵀ.

    Parameters
    ----------
    batch, in_channels, out_channels, input_size, kernel_size, stride, dilation, groups
        As for :class:`refconv.ConvProblem`: N, C, K, (H, W), (kH, kW), (sH, sW), (dH, dW) and G.
    padding : tuple of (int, int)
        ((top, bottom), (left, right)): what is cut off the output, in elements; negative numbers add to it.
    output_padding : tuple of int
        How much longer the output is at its end, in elements; less than stride or dilation.  It tells apart the inputs
        that a convolution with a stride maps to outputs of one length.  Default: none.

    Raises
    ------
    GeometryError
        If the layer cannot exist; the message states the rule and the numbers.

    Examples
    --------
    >>> problem = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 5),
    ...                             kernel_size=(3, 2), stride=(2, 1), padding=((1, 0), (0, 0)), output_padding=(1, 0))
    >>> problem.output_size, problem.weight_shape, problem.y_shape
    ((7, 6), (4, 3, 3, 2), (2, 6, 7, 6))
    >>> problem.adjoint.output_size, problem.adjoint.padding
    ((3, 5), ((1, -1), (0, 0)))
    >>> problem.descriptor
    't-n2c4i3x5-k6w3x2-s2x1-d1x1-p1+0x0+0-e1x0-g2-o7x6'
    """

    output_padding: Size = ()

    def __post_init__(self) -> None:
        """Bring every field to its canonical form, then hold all rules against it."""
        self._canonical()
        check_extents(self)
        check_groups(self)
        self._check_output()
        check_addressable(self)

    def _canonical(self) -> None:
        super()._canonical()
        extra = integers(self.output_padding, "output_padding") or (0,) * len(self.input_size)
        self._set("output_padding", extra)
        if len(extra) != len(self.input_size):
            raise GeometryError(
                f"output_padding must have one entry per axis of input_size, got output_padding={extra}, "
                f"input_size={self.input_size}."
            )

    def _check_output(self) -> None:
        for axis, (extra, pads) in enumerate(zip(self.output_padding, self.padding, strict=True)):
            limit = max(self.stride[axis], self.dilation[axis])
            if not 0 <= extra < limit:
                raise GeometryError(
                    f"output_padding must be 0 or more and less than stride or dilation, got {extra} on axis {axis} "
                    f"with stride={self.stride[axis]}, dilation={self.dilation[axis]}."
                )
            full, (begin, end) = self.full_size[axis], pads
            if min(self.output_size[axis], full - begin, full - end + extra) < 1:
                raise GeometryError(
                    f"padding must leave an element of the {full} that the input reaches, got {pads} and "
                    f"output_padding={extra} on axis {axis}."
                )

    @property
    def full_size(self) -> Size:
        """The extents that the input reaches before anything is cut off, in elements."""
        axes = zip(self.input_size, self.kernel_size, self.stride, self.dilation, strict=True)
        return tuple(spread_length(*axis) for axis in axes)

    @property
    def output_size(self) -> Size:
        """(oH, oW), in elements."""
        axes = zip(self.full_size, self.padding, self.output_padding, strict=True)
        return tuple(full - begin - end + extra for full, (begin, end), extra in axes)

    @property
    def weight_shape(self) -> Size:
        """(C, K/G, kH, kW): the shape of ``weight`` and of ``grad_weight``."""
        return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)

    @cached_property
    def adjoint(self) -> ConvProblem:
        """The convolution that maps y to x with the same weight: this layer is its ``grad_input``.

        What ``output_padding`` adds is cropped, since that convolution does not read it.
        """
        padding = tuple((begin, end - extra) for (begin, end), extra in
                        zip(self.padding, self.output_padding, strict=True))  # fmt: skip
        return ConvProblem(
            batch=self.batch, in_channels=self.out_channels, out_channels=self.in_channels, groups=self.groups,
            input_size=self.output_size, kernel_size=self.kernel_size, stride=self.stride, dilation=self.dilation,
            padding=padding,
        )  # fmt: skip

    @classmethod
    def of_adjoint(cls, problem: ConvProblem) -> TransposedProblem:
        """Return the transposed convolution that is the adjoint of a convolution.

        Examples
        --------
        >>> convolution = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(6,), kernel_size=(3,),
        ...                           stride=(2,))
        >>> TransposedProblem.of_adjoint(convolution).output_padding  # the leftover
        (1,)
        """
        fields = problem.as_dict() | {"in_channels": problem.out_channels, "out_channels": problem.in_channels}
        plain = cls(**(fields | {"input_size": problem.output_size, "padding": ()}))
        extra = [length + sum(pads) - full for length, pads, full in
                 zip(problem.input_size, problem.padding, plain.full_size, strict=True)]  # fmt: skip
        return cls(**(fields | {"input_size": problem.output_size, "output_padding": extra}))

    def reduction_length(self, operation: str) -> int:
        """Bound the number of products that are added into one result, bias not counted.

        Parameters
        ----------
        operation : {"forward", "grad_input", "grad_weight", "grad_bias"}

        Examples
        --------
        >>> from refconv.problem import OPERATIONS
        >>> problem = TransposedProblem(batch=2, in_channels=3, out_channels=5, input_size=(4, 7), kernel_size=(3, 2),
        ...                             stride=(2, 1))
        >>> [problem.reduction_length(operation) for operation in OPERATIONS]
        [12, 30, 56, 144]
        """
        if operation == "grad_bias":
            return self.batch * math.prod(self.output_size)
        exchanged = {"forward": "grad_input", "grad_input": "forward"}
        return self.adjoint.reduction_length(exchanged.get(operation, operation))

    @property
    def descriptor(self) -> str:
        """The whole problem in one word that :meth:`from_descriptor` reads back."""
        return write(self, self.output_padding)

    @classmethod
    def from_descriptor(cls, text: str) -> TransposedProblem:
        """Read a descriptor such as ``t-n2c4i3x5-k6w3x2-s2x1-d1x1-p1+0x0+0-e1x0-g2-o7x6``.

        Raises
        ------
        GeometryError
            If the text is not a descriptor, or its output size is not the one that the rest implies.
        """
        fields, output_size = read(text, transposed=True)
        problem = cls(**fields)
        check_output_size(problem, output_size, text)
        return problem

    @classmethod
    def from_shapes(
        cls, x_shape: Iterable[int], weight_shape: Iterable[int], stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, dilation: Any = 1,
    ) -> TransposedProblem:  # fmt: skip
        """Build the problem of a call in PyTorch's words, in PyTorch's order.

        Parameters
        ----------
        x_shape : (N, C, H, W)
        weight_shape : (C, K/G, kH, kW)
        stride, output_padding, dilation : int or (int, int)
        padding : int, (pH, pW), ((top, bottom), (left, right)), "valid", "same", "same_upper" or "same_lower"
            With a name, see :mod:`refconv.problem.padding`.
        groups : int

        Raises
        ------
        GeometryError
            If the shapes do not fit each other or a rule is broken.

        Examples
        --------
        >>> TransposedProblem.from_shapes((1, 4, 7, 9), (4, 3, 3, 3), stride=(2, 1), padding=1, groups=2).y_shape
        (1, 6, 13, 9)
        """
        x_shape, weight_shape = integers(x_shape, "x.shape"), integers(weight_shape, "weight.shape")
        if len(x_shape) < 3 or len(weight_shape) != len(x_shape) or x_shape[1] != weight_shape[0]:
            raise GeometryError(
                "x must be (N, C, H, W) and weight (C, K/G, kH, kW), with as many axes each and the same C, "
                f"got x.shape={x_shape}, weight.shape={weight_shape}."
            )
        groups, size, kernel = integer(groups, "groups"), x_shape[2:], weight_shape[2:]
        axes = len(size)
        steps, gaps = spread(stride, axes, "stride"), spread(dilation, axes, "dilation")
        extra = spread(output_padding, axes, "output_padding")
        pads = padding
        if isinstance(padding, str) and len(steps) == len(gaps) == len(extra) == axes:
            pads, extra = named_transposed_padding(padding, kernel, steps, gaps, extra)
        return cls(
            batch=x_shape[0], in_channels=x_shape[1], out_channels=weight_shape[1] * groups, groups=groups,
            input_size=size, kernel_size=kernel, stride=steps, dilation=gaps, output_padding=extra,
            padding=spread_padding(() if isinstance(pads, str) else pads, axes),
        )  # fmt: skip
