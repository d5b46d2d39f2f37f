"""One case before it is computed: its problem, its fill, and the bugs that it hunts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.catalogue.inputs import FILLS
from refconv.catalogue.planting import Planted, flags_of, plant
from refconv.catalogue.traits import traits
from refconv.formats import NumberFormat, canonical_nans, get_format
from refconv.problem import OPERATIONS, ConvProblem
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
    problem : ConvProblem
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
    """

    slug: str
    comment: str
    problem: ConvProblem
    flags: tuple[str, ...] = ()
    bias: bool = True
    operations: tuple[str, ...] = OPERATIONS
    planted: tuple[Planted, ...] = ()
    subnormal: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class CaseSpec:
    """A row with a number format and a fill: everything that determines the bytes of a case.

    Examples
    --------
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
    def problem(self) -> ConvProblem:
        """The geometry."""
        return self.row.problem

    @property
    def in_format(self) -> NumberFormat:
        """The format of x, weight and grad_output (and of the bias, except that int8 has int32)."""
        return get_format(self.element)

    @property
    def out_format(self) -> NumberFormat:
        """The format of the results: that of the inputs, except that int8 gives int32."""
        return get_format(self.in_format.accumulator) if self.in_format.is_integer else self.in_format

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
        added up in steps of the format itself.
        """
        narrow = operation != "forward" and self.in_format.accumulator != self.element
        return self.in_format if narrow else get_format(self.in_format.accumulator)

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """What the case is about: the row's own flags, those of the geometry and those of the fill."""
        row = self.row
        special = (*map(flag_of, row.policies), *flags_of(row.planted, row.subnormal))
        found = (*row.flags, *special, *traits(self.problem), *FILLS[self.fill].flags)
        mixed = ("MixedDtype",) if self.in_format.is_integer else ()
        return tuple(dict.fromkeys(found + mixed))

    def inputs(self) -> dict[str, Array]:
        """Make the tensors that the operations read, in their dtypes; the same bits everywhere."""
        filled = FILLS[self.fill].make(self.id, self.problem, self.in_format, self.has_bias)
        made = plant(filled, self.row.planted, self.row.subnormal, self.in_format)
        if self.operations == ("forward",):
            del made["grad_output"]
        return {name: self._cast(name, values) for name, values in made.items()}

    def _cast(self, name: str, values: npt.NDArray[np.float64]) -> Array:
        dtype = self.out_format.dtype if name == "bias" else self.in_format.dtype
        return canonical_nans(values.astype(dtype))
