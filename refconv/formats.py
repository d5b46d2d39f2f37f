"""Number formats: precision, exponent range, and the NumPy dtype that carries the bits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

from refconv.errors import FormatError


@dataclass(frozen=True)
class NumberFormat:
    """A binary floating-point or integer format.

    Attributes
    ----------
    name : str
        As in ml_dtypes and LLVM: ``"float32"``, ``"bfloat16"``, ``"float8_e4m3fn"``, ``"int8"`` ...
    dtype : numpy.dtype
        The dtype whose bits are the format's bits.
    precision : int
        p, in bits, the hidden bit counted; the width without sign for integers.
    min_exponent : int
        The exponent of the smallest normal number, ``2**min_exponent``; 0 for integers.
    largest : int or float
        The largest finite value.
    smallest : int or float
        The most negative finite value.
    has_infinity : bool
        False for integers and for float8_e4m3fn, whose overflow mode a case must state.
    accumulator : str
        The format in which an ordinary implementation adds the products.
    """

    name: str
    dtype: np.dtype[Any]
    precision: int
    min_exponent: int
    largest: int | float
    smallest: int | float
    has_infinity: bool
    accumulator: str

    @property
    def is_integer(self) -> bool:
        """Whether the format holds integers only."""
        return self.name.startswith(("int", "uint"))

    @property
    def quantum_exponent(self) -> int:
        """The exponent of the smallest positive number, subnormals included."""
        return 0 if self.is_integer else self.min_exponent - self.precision + 1

    @property
    def largest_integer(self) -> int:
        """The largest m such that all of -m ... m are values of the format."""
        return int(self.largest) if self.is_integer else 2**self.precision

    @property
    def nan_bits(self) -> int:
        """The one NaN of golden values: positive, quiet, without payload; 0x7fc00000 for float32."""
        payload = self.precision - 2 if self.has_infinity else 0
        return (1 << (8 * self.dtype.itemsize - 1)) - (1 << payload)

    def __str__(self) -> str:
        return self.name


def _floating(name: str, dtype: Any, accumulator: str) -> NumberFormat:
    info = ml_dtypes.finfo(dtype)
    infinite = name != "float8_e4m3fn"
    return NumberFormat(
        name, np.dtype(dtype), info.nmant + 1, int(info.minexp), float(info.max), float(info.min), infinite, accumulator
    )


def _integral(name: str, accumulator: str) -> NumberFormat:
    info = np.iinfo(name)
    bits = info.bits - (info.min < 0)
    return NumberFormat(name, np.dtype(name), bits, 0, int(info.max), int(info.min), False, accumulator)


FORMATS: dict[str, NumberFormat] = {
    item.name: item
    for item in (
        _floating("float64", np.float64, "float64"),
        _floating("float32", np.float32, "float32"),
        _floating("float16", np.float16, "float32"),
        _floating("bfloat16", ml_dtypes.bfloat16, "float32"),
        _floating("float8_e4m3fn", ml_dtypes.float8_e4m3fn, "float32"),
        _floating("float8_e5m2", ml_dtypes.float8_e5m2, "float32"),
        _integral("int8", "int32"),
        _integral("uint8", "int32"),
        _integral("int32", "int32"),
    )
}


def get_format(name: Any) -> NumberFormat:
    """Return a format by its name or dtype.

    Raises
    ------
    FormatError
        If refconv does not know the format.

    Examples
    --------
    >>> get_format("bfloat16").precision, get_format(np.float32).min_exponent
    (8, -126)
    """
    if isinstance(name, NumberFormat):
        return name
    text = name if isinstance(name, str) else name_of(np.dtype(name))
    if text not in FORMATS:
        raise FormatError(f"format must be one of {', '.join(FORMATS)}, got {text!r}.")
    return FORMATS[text]


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    """Return the name of a dtype, which NumPy puts together anew every time.

    Examples
    --------
    >>> name_of(np.dtype(">f4"))
    'float32'
    """
    return str(dtype.name)


def natural_output(element: Any) -> NumberFormat:
    """Return the format of results where nobody says another: that of the inputs, but int32 for integers.

    Examples
    --------
    >>> natural_output("uint8").name, natural_output("bfloat16").name
    ('int32', 'bfloat16')
    """
    own = get_format(element)
    return get_format(own.accumulator) if own.is_integer else own


def canonical_nans(tensor: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a tensor with every NaN replaced by the canonical one of its format, so that bytes compare.

    Examples
    --------
    >>> hex(canonical_nans(np.array([-np.nan], np.float32)).view(np.uint32)[0])
    '0x7fc00000'
    """
    element = get_format(tensor.dtype)
    missing = np.zeros(tensor.shape, bool) if element.is_integer else np.isnan(tensor)
    if not missing.any():
        return tensor
    changed = tensor.copy()
    changed.view(f"u{element.dtype.itemsize}")[missing] = element.nan_bits
    return changed
