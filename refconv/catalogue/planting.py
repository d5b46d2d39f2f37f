"""Special values planted into a fill: where each one stands is written in the catalogue, not drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refconv.formats import NumberFormat

Tensors = dict[str, npt.NDArray[np.float64]]

_FLAGS = {
    "nan": "NanPropagation", "inf": "InfPropagation", "-inf": "InfPropagation", "-0": "NegativeZero",
    "largest": "Overflow", "-largest": "Overflow",
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One element of one input that does not come from the fill.

    Attributes
    ----------
    tensor : {"x", "weight", "bias", "grad_output"}
    index : tuple of int
        May be shorter than the tensor has axes: then all elements below it.
    value : str
        ``"nan"``, ``"inf"``, ``"-inf"``, ``"-0"``, ``"largest"``, ``"-largest"``, or a number.

    Examples
    --------
    >>> from refconv.formats import get_format
    >>> Planted("x", (0, 1), "-largest").number(get_format("float16"))
    -65504.0
    """

    tensor: str
    index: tuple[int, ...]
    value: str

    def number(self, element: NumberFormat) -> float:
        """Return the value as a number of the format."""
        if self.value.endswith("largest"):
            return float(self.value.replace("largest", repr(float(element.largest))))
        return float(self.value)


def plant(made: Tensors, planted: Iterable[Planted], subnormal: Iterable[str], element: NumberFormat) -> Tensors:
    """Put the special values into a fill.

    Parameters
    ----------
    made : dict of arrays
        Left as it is.
    planted : iterable of Planted
    subnormal : iterable of str
        Tensors of integers whose unit becomes the smallest subnormal number of the format.
    element : NumberFormat
    """
    tensors = {name: np.array(values) for name, values in made.items()}
    for name in set(subnormal) & set(tensors):
        tensors[name] = np.ldexp(tensors[name], element.quantum_exponent)
    for item in planted:
        tensors[item.tensor][item.index] = item.number(element)
    return tensors


def flags_of(planted: Iterable[Planted], subnormal: Iterable[str]) -> tuple[str, ...]:
    """Name what was planted, in the words of the flags.

    Examples
    --------
    >>> flags_of([Planted("x", (0,), "nan"), Planted("x", (1,), "2")], ())
    ('NanPropagation',)
    """
    found = [_FLAGS[item.value] for item in planted if item.value in _FLAGS]
    return tuple(dict.fromkeys([*found, *(["Subnormal"] if tuple(subnormal) else [])]))
