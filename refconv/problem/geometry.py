"""What every kind of convolution has: extents, stride, dilation, padding, groups, and tensors of known shapes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from refconv.errors import TensorError
from refconv.problem.fields import Padding, Size, integer, integers, listed, pairs
from refconv.problem.rules import check_axes

OPERATIONS = ("forward", "grad_input", "grad_weight", "grad_bias")
SHAPES = {
    "x": "x_shape", "weight": "weight_shape", "bias": "bias_shape", "y": "y_shape",
    "grad_input": "x_shape", "grad_weight": "weight_shape", "grad_bias": "bias_shape",
    "grad_output": "y_shape", "forward": "y_shape",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """The fields of a convolution, transposed or not; see :class:`refconv.ConvProblem`."""

    batch: int
    in_channels: int
    out_channels: int
    input_size: Size
    kernel_size: Size
    stride: Size = ()
    dilation: Size = ()
    padding: Padding = ()
    groups: int = 1

    def _canonical(self) -> None:
        """Bring every field to its canonical form, with one entry per axis."""
        for name in ("batch", "in_channels", "out_channels", "groups"):
            self._set(name, integer(getattr(self, name), name))
        for name in ("input_size", "kernel_size"):
            self._set(name, integers(getattr(self, name), name))
        axes = len(self.input_size)
        self._set("stride", integers(self.stride, "stride") or (1,) * axes)
        self._set("dilation", integers(self.dilation, "dilation") or (1,) * axes)
        self._set("padding", pairs(self.padding) or ((0, 0),) * axes)
        check_axes(self)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    @abstractmethod
    def output_size(self) -> Size:
        """(oH, oW), in elements."""

    @property
    @abstractmethod
    def weight_shape(self) -> Size:
        """The shape of ``weight`` and of ``grad_weight``."""

    @property
    @abstractmethod
    def descriptor(self) -> str:
        """The whole problem in one word."""

    @abstractmethod
    def reduction_length(self, operation: str) -> int:
        """Bound the number of products that are added into one result, bias not counted."""

    @property
    def x_shape(self) -> Size:
        """(N, C, H, W): the shape of ``x`` and of ``grad_input``."""
        return (self.batch, self.in_channels, *self.input_size)

    @property
    def bias_shape(self) -> Size:
        """(K,): the shape of ``bias`` and of ``grad_bias``."""
        return (self.out_channels,)

    @property
    def y_shape(self) -> Size:
        """(N, K, oH, oW): the shape of ``y`` and of ``grad_output``."""
        return (self.batch, self.out_channels, *self.output_size)

    @property
    def layout(self) -> str:
        """The order of the axes of x and y: ``"NCW"``, ``"NCHW"`` or ``"NCDHW"``."""
        axes = len(self.input_size)
        return "NC" + ("DHW"[-axes:] if axes <= 3 else f"{axes}")

    def shape_of(self, name: str) -> Size:
        """Return the shape of a tensor by its name (``"x"``, ``"weight"``, ``"grad_output"`` ...)."""
        shape: Size = getattr(self, SHAPES[name])
        return shape

    def __str__(self) -> str:
        return self.descriptor

    def check_tensor(self, name: str, shape: Iterable[int]) -> None:
        """Refuse a tensor whose shape is not the one that this problem gives it.

        Raises
        ------
        TensorError
            With the name, the expected and the actual shape.
        """
        got = tuple(shape)
        if got != self.shape_of(name):
            raise TensorError(f"{name} must have shape {self.shape_of(name)} for {self}, got {got}.")

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists and integers, in the order of their declaration."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: listed(value) for name, value in plain.items()}
