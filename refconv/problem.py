"""The geometry of one convolution: every shape rule, and the only output-size formula.

The three references share this module and nothing else.  It is watched by hand-written tables and
by PyTorch in the tests, because whatever is wrong here is wrong everywhere.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from refconv.errors import GeometryError, TensorError

Size = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]

LARGEST = 2**63 - 1
OPERATIONS = ("forward", "grad_input", "grad_weight", "grad_bias")


def output_length(length: int, kernel: int, stride: int, dilation: int, padding: tuple[int, int]) -> int:
    """Count the places where a dilated kernel fits along one axis.

    ``floor((length + begin + end - dilation * (kernel - 1) - 1) / stride) + 1``, relationship 15 of
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (arXiv:1603.07285).
    Leftover rows and columns at the end are not read.

    Parameters
    ----------
    length, kernel, stride, dilation : int
        Extent of the input, extent of the kernel, step, and distance between taps (1 is dense),
        in elements.
    padding : (int, int)
        Elements added at the beginning and at the end.

    Returns
    -------
    int
        Zero or less where the kernel does not fit.

    Examples
    --------
    >>> output_length(7, kernel=3, stride=2, dilation=1, padding=(1, 0))
    3
    """
    reach = dilation * (kernel - 1) + 1
    return (length + sum(padding) - reach) // stride + 1


@dataclass(frozen=True, kw_only=True)
class ConvProblem:
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
        ((top, bottom), (left, right)), in elements.  Default: none.
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

    batch: int
    in_channels: int
    out_channels: int
    input_size: Size
    kernel_size: Size
    stride: Size = ()
    dilation: Size = ()
    padding: Padding = ()
    groups: int = 1

    def __post_init__(self) -> None:
        """Bring every field to its canonical form, then hold all rules against it."""
        self._canonical()
        _check_extents(self)
        _check_groups(self)
        self._check_fit()
        _check_addressable(self)

    def _canonical(self) -> None:
        """Bring every field to its canonical form, with one entry per axis."""
        for name in ("batch", "in_channels", "out_channels", "groups"):
            self._set(name, _integer(getattr(self, name), name))
        for name in ("input_size", "kernel_size"):
            self._set(name, _integers(getattr(self, name), name))
        axes = len(self.input_size)
        self._set("stride", _integers(self.stride, "stride") or (1,) * axes)
        self._set("dilation", _integers(self.dilation, "dilation") or (1,) * axes)
        self._set("padding", _pairs(self.padding) or ((0, 0),) * axes)
        _check_axes(self)

    def _check_fit(self) -> None:
        misfit = _misfit(self)
        if misfit:
            raise GeometryError(f"the dilated kernel must fit into the padded input, got {misfit}.")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def output_size(self) -> Size:
        """(oH, oW), in elements; leftovers are floored away."""
        per_axis = zip(self.input_size, self.kernel_size, self.stride, self.dilation, self.padding, strict=True)
        return tuple(output_length(*axis) for axis in per_axis)

    @property
    def x_shape(self) -> Size:
        """(N, C, H, W): the shape of ``x`` and of ``grad_input``."""
        return (self.batch, self.in_channels, *self.input_size)

    @property
    def weight_shape(self) -> Size:
        """(K, C/G, kH, kW): the shape of ``weight`` and of ``grad_weight``."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    @property
    def bias_shape(self) -> Size:
        """(K,): the shape of ``bias`` and of ``grad_bias``."""
        return (self.out_channels,)

    @property
    def y_shape(self) -> Size:
        """(N, K, oH, oW): the shape of ``y`` and of ``grad_output``."""
        return (self.batch, self.out_channels, *self.output_size)

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """(K*oH*oW, C*H*W): the shape of W*, the convolution of one image as a matrix."""
        return (math.prod(self.y_shape[1:]), math.prod(self.x_shape[1:]))

    def shape_of(self, name: str) -> Size:
        """Return the shape of a tensor by its name (``"x"``, ``"weight"``, ``"grad_output"`` ...)."""
        return {
            "x": self.x_shape, "weight": self.weight_shape, "bias": self.bias_shape, "y": self.y_shape,
            "grad_input": self.x_shape, "grad_weight": self.weight_shape, "grad_bias": self.bias_shape,
            "grad_output": self.y_shape, "forward": self.y_shape,
        }[name]  # fmt: skip

    def reduction_length(self, operation: str) -> int:
        """Bound the number of products that are added into one result, bias not counted.

        Parameters
        ----------
        operation : {"forward", "grad_input", "grad_weight", "grad_bias"}

        Examples
        --------
        >>> problem = ConvProblem(batch=2, in_channels=3, out_channels=5, input_size=(9, 8),
        ...                       kernel_size=(3, 2), stride=(2, 1))
        >>> [problem.reduction_length(operation) for operation in OPERATIONS]
        [18, 20, 56, 56]
        """
        if operation == "forward":
            return math.prod(self.weight_shape[1:])
        if operation == "grad_input":
            axes = zip(self.kernel_size, self.stride, self.dilation, strict=True)
            return self.out_channels // self.groups * math.prod(_taps_per_input(*axis) for axis in axes)
        return self.batch * math.prod(self.output_size)

    @property
    def descriptor(self) -> str:
        """The whole problem in one word that :meth:`from_descriptor` reads back."""
        return "-".join(
            (
                f"n{self.batch}c{self.in_channels}i{_by(self.input_size)}",
                f"k{self.out_channels}w{_by(self.kernel_size)}",
                f"s{_by(self.stride)}",
                f"d{_by(self.dilation)}",
                "p" + "x".join(f"{begin}+{end}" for begin, end in self.padding),
                f"g{self.groups}",
                f"o{_by(self.output_size)}",
            )
        )

    def __str__(self) -> str:
        return self.descriptor

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
        match = _DESCRIPTOR.fullmatch(text)
        if match is None:
            raise GeometryError(f"descriptor must look like n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10, got {text!r}.")
        part = match.groupdict()
        kind = OversizedProblem if 0 in _split(part["o"]) else cls
        problem = kind(
            batch=int(part["n"]), in_channels=int(part["c"]), out_channels=int(part["k"]), groups=int(part["g"]),
            input_size=_split(part["i"]), kernel_size=_split(part["w"]),
            stride=_split(part["s"]), dilation=_split(part["d"]),
            padding=tuple((int(a), int(b)) for a, b in (pair.split("+") for pair in part["p"].split("x"))),
        )  # fmt: skip
        if problem.output_size != _split(part["o"]):
            raise GeometryError(
                f"descriptor states the output size {part['o']}, but its geometry gives "
                f"{_by(problem.output_size)}: {text!r}."
            )
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
        padding : int, (pH, pW) or ((top, bottom), (left, right))
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
        x_shape, weight_shape = _integers(x_shape, "x.shape"), _integers(weight_shape, "weight.shape")
        if len(x_shape) < 3 or len(weight_shape) != len(x_shape):
            raise GeometryError(
                "x must be (N, C, H, W) and weight (K, C/G, kH, kW), with as many axes each, "
                f"got x.shape={x_shape}, weight.shape={weight_shape}."
            )
        groups, axes = _integer(groups, "groups"), len(x_shape) - 2
        if x_shape[1] != weight_shape[1] * groups:
            raise GeometryError(
                "weight must hold C/G input channels, so x.shape[1] must equal weight.shape[1] * groups, "
                f"got x.shape[1]={x_shape[1]}, weight.shape[1]={weight_shape[1]}, groups={groups}."
            )
        return cls(
            batch=x_shape[0], in_channels=x_shape[1], out_channels=weight_shape[0], groups=groups,
            input_size=x_shape[2:], kernel_size=weight_shape[2:],
            stride=_spread(stride, axes, "stride"), dilation=_spread(dilation, axes, "dilation"),
            padding=_spread_padding(padding, axes),
        )  # fmt: skip

    def check_tensor(self, name: str, shape: Iterable[int]) -> None:
        """Refuse a tensor whose shape is not the one that this problem gives it.

        Raises
        ------
        TensorError
            With the name, the expected and the actual shape.
        """
        if tuple(shape) != self.shape_of(name):
            raise TensorError(f"{name} must have shape {self.shape_of(name)} for {self}, got {tuple(shape)}.")

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain lists and integers, in the order of their declaration."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _listed(value) for name, value in plain.items()}


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
        if not _misfit(self):
            raise GeometryError(f"an OversizedProblem must have a kernel that exceeds the padded input, got {self}.")


_DESCRIPTOR = re.compile(
    r"n(?P<n>\d+)c(?P<c>\d+)i(?P<i>\d+(x\d+)*)-k(?P<k>\d+)w(?P<w>\d+(x\d+)*)-s(?P<s>\d+(x\d+)*)"
    r"-d(?P<d>\d+(x\d+)*)-p(?P<p>\d+\+\d+(x\d+\+\d+)*)-g(?P<g>\d+)-o(?P<o>\d+(x\d+)*)",
    re.ASCII,
)


def _taps_per_input(kernel: int, stride: int, dilation: int) -> int:
    """Count the taps of one axis that can meet the same input: those congruent modulo the stride."""
    period = stride // math.gcd(stride, dilation)
    return -(-kernel // period)


def _by(sizes: Size) -> str:
    return "x".join(map(str, sizes))


def _split(text: str) -> Size:
    return tuple(map(int, text.split("x")))


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


def _integer(value: Any, name: str) -> int:
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise GeometryError(f"{name} must be an integer, got {value!r}.")


def _integers(values: Any, name: str) -> Size:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise GeometryError(f"{name} must be a tuple with one integer per axis, got {values!r}.")
    return tuple(_integer(value, name) for value in values)


def _pairs(padding: Any) -> Padding:
    pairs = [_integers(pair, "padding") for pair in padding] if isinstance(padding, Iterable) else [()]
    if any(len(pair) != 2 for pair in pairs):
        raise GeometryError(f"padding must be ((top, bottom), (left, right)), got {padding!r}.")
    return tuple((begin, end) for begin, end in pairs)


def _spread(value: Any, axes: int, name: str) -> Size:
    return _integers(value, name) if isinstance(value, Iterable) else (_integer(value, name),) * axes


def _spread_padding(padding: Any, axes: int) -> Any:
    if not isinstance(padding, Iterable):
        return ((padding, padding),) * axes
    if isinstance(padding, str):
        raise GeometryError(f"padding must be explicit numbers, got {padding!r}.")
    return tuple(pair if isinstance(pair, Iterable) else (pair, pair) for pair in padding)


def _check_axes(problem: ConvProblem) -> None:
    axes = len(problem.input_size)
    if axes == 0:
        raise GeometryError(f"input_size must name at least one axis, got {problem.input_size}.")
    for name in ("kernel_size", "stride", "dilation", "padding"):
        value = getattr(problem, name)
        if len(value) != axes:
            raise GeometryError(
                f"{name} must have one entry per axis of input_size, got {name}={value}, "
                f"input_size={problem.input_size}."
            )


def _check_extents(problem: ConvProblem) -> None:
    least = {"batch": 0, "in_channels": 0, "out_channels": 0, "groups": 1, "input_size": 1,
             "kernel_size": 1, "stride": 1, "dilation": 1, "padding": 0}  # fmt: skip
    for name, bound in least.items():
        value = getattr(problem, name)
        flat = [value] if isinstance(value, int) else [n for entry in value for n in _flat(entry)]
        if min(flat) < bound:
            raise GeometryError(f"{name} must be {bound} or more, got {name}={value}.")


def _flat(entry: int | tuple[int, int]) -> Iterable[int]:
    return (entry,) if isinstance(entry, int) else entry


def _check_groups(problem: ConvProblem) -> None:
    for name in ("in_channels", "out_channels"):
        channels = getattr(problem, name)
        if channels % problem.groups:
            raise GeometryError(f"{name} must be divisible by groups, got {name}={channels}, groups={problem.groups}.")


def _misfit(problem: ConvProblem) -> str:
    """Describe the first axis along which the dilated kernel exceeds the padded input; empty if it fits."""
    for axis, length in enumerate(problem.input_size):
        kernel, dilation, pads = problem.kernel_size[axis], problem.dilation[axis], problem.padding[axis]
        reach = dilation * (kernel - 1) + 1
        if reach > length + sum(pads):
            return (
                f"on axis {axis} a reach of {reach} (kernel_size={kernel}, dilation={dilation}) "
                f"in {length + sum(pads)} elements (input_size={length}, padding={pads})"
            )
    return ""


def _check_addressable(problem: ConvProblem) -> None:
    for name in ("x", "weight", "y"):
        shape = problem.shape_of(name)
        if math.prod(shape) > LARGEST or max(shape, default=0) > LARGEST:
            raise GeometryError(f"{name} must hold at most 2**63 - 1 elements, got shape {shape}.")
