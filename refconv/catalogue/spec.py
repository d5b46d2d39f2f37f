"""One case before it is computed: its problem, its fill, and the bugs that it hunts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.catalogue.elements import Elements, parse_elements
from refconv.catalogue.inputs import FILLS
from refconv.catalogue.planting import Planted, flags_of, plant
from refconv.catalogue.traits import traits
from refconv.fills import iota
from refconv.formats import NumberFormat, canonical_nans, get_format
from refconv.problem import OPERATIONS, Problem, TransposedProblem
from refconv.quantization import Quantization
from refconv.suite import flag_of

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """A problem worth testing, before it is given a number format and a fill.

    Attributes
    ----------
    slug : str
        Names the case within its group.
    comment : str
        What the case is, in one line.
    problem : ConvProblem or TransposedProblem
    flags : tuple of str
        Beside those that follow from the geometry.
    bias : bool
    operations : tuple of str
        Those whose results the case holds.
    planted : tuple of Planted
        Special values that replace elements of the fill.
    subnormal : tuple of str
        Tensors whose unit is the smallest subnormal number of the format.
    policies : tuple of str
        For a choice: the policies under which its results are computed, refconv's own first.
    overflow : {"infinity", "saturate", "nan"}, optional
        What becomes of results beyond the largest finite number; stated where there are any.
    quantization : Quantization, optional
        For quantised layers; the results then have its output format instead of int32.
    invalid : bool
        Whether the operations must be refused instead.
    shapes : tuple of (str, tuple of int)
        For what is invalid: the tensors whose shapes are not those of the problem.
    """

    slug: str
    comment: str
    problem: Problem
    flags: tuple[str, ...] = ()
    bias: bool = True
    operations: tuple[str, ...] = OPERATIONS
    planted: tuple[Planted, ...] = ()
    subnormal: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    overflow: str | None = None
    quantization: Quantization | None = None
    invalid: bool = False
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class CaseSpec:
    """A row with a number format and a fill: everything that determines the bytes of a case.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 3), kernel_size=(1, 2))
    >>> spec = CaseSpec("demo-float32-exact", Row("small", "An example.", problem), "float32", "exact")
    >>> spec.id, spec.flags
    ('demo-float32-exact/small', ('NonSquareInput', 'NonSquareKernel', 'EvenKernel', 'ExactInteger'))
    >>> spec.inputs()["x"].tolist()
    [[[[1003.0, 1161.0, 25.0], [562.0, 1670.0, 384.0]]]]
    """

    group: str
    row: Row
    element: str
    fill: str

    @property
    def id(self) -> str:
        """The name of the case, unique in the suite; it also keys the bits of the fill."""
        return f"{self.group}/{self.row.slug}"

    @property
    def problem(self) -> Problem:
        """The geometry."""
        return self.row.problem

    @property
    def elements(self) -> Elements:
        """The formats of x, weight and results; ``element`` is their label."""
        return parse_elements(self.element)

    @property
    def in_format(self) -> NumberFormat:
        """The format of x and grad_output."""
        return self.elements.x

    @property
    def out_format(self) -> NumberFormat:
        """The format of the results and of the bias."""
        return self.elements.out

    @property
    def rule(self) -> str:
        """``"exact"`` or ``"standard"``."""
        return FILLS[self.fill].rule

    @property
    def has_bias(self) -> bool:
        """Whether a bias is added."""
        return self.row.bias

    @property
    def operations(self) -> tuple[str, ...]:
        """Which results the case holds: those of the row, but no grad_bias without a bias."""
        return tuple(name for name in self.row.operations if name != "grad_bias" or self.row.bias)

    def accumulator(self, operation: str) -> NumberFormat:
        """Return the format whose rounding errors the interval of an operation allows.

        It is the ordinary accumulator of the format, except that gradients of 16-bit formats may be
        added up in steps of the format itself; so may the output of a transposed convolution, which is
        the input gradient of another.
        """
        gathers = operation == "forward" and not isinstance(self.problem, TransposedProblem)
        narrow = not gathers and self.in_format.accumulator != self.in_format.name
        return self.in_format if narrow else get_format(self.in_format.accumulator)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """What the case is about: the row's own flags, those of the geometry and those of the fill."""
        row = self.row
        if row.invalid:
            return row.flags
        special = (*map(flag_of, row.policies), *flags_of(row.planted, row.subnormal))
        found = (*row.flags, *special, *traits(self.problem), *FILLS[self.fill].flags)
        mixed = ("MixedDtype",) if self.elements.mixed else ()
        return tuple(dict.fromkeys(found + mixed))

    def inputs(self) -> dict[str, Array]:
        """Make the tensors that the operations read, in their dtypes; the same bits everywhere."""
        if self.row.invalid:
            return self._misfits()
        filled = FILLS[self.fill].make(self.id, self.problem, self.elements, self.has_bias)
        made = plant(filled, self.row.planted, self.row.subnormal, self.in_format)
        if self.operations == ("forward",):
            del made["grad_output"]
        return {name: self._cast(name, values) for name, values in made.items()}

    def _misfits(self) -> dict[str, Array]:
        """Make the tensors of a case that must be refused: only their shapes matter."""
        names = ("x", "weight", *(("bias",) if self.has_bias else ()))
        names += () if self.operations == ("forward",) else ("grad_output",)
        shapes = {name: self.problem.shape_of(name) for name in names} | dict(self.row.shapes)
        return {name: self._cast(name, iota(shape)) for name, shape in shapes.items()}

    def _cast(self, name: str, values: npt.NDArray[np.float64]) -> Array:
        formats = {"weight": self.elements.weight, "bias": self.elements.out}
        return canonical_nans(values.astype(formats.get(name, self.elements.x).dtype))
