"""Quantised tensors: integers that stand for ``scale * (integer - zero point)``, as ONNX and TFLite have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isfinite
from struct import pack, unpack
from typing import Any

from refconv.errors import FormatError


@dataclass(frozen=True)
class Quantization:
    """The scales and zero points of a quantised convolution.

    The result is ``y_zero_point + round(multiplier * sum of (x - x_zero_point) * (weight -
    weight_zero_point) + bias)``, saturated to the output format.  Padding is absent, as if it held the
    zero point; the bias is an int32 in units of ``x_scale * weight_scale``.

    Attributes
    ----------
    x_scale, y_scale : float
        Positive numbers of float32.
    x_zero_point, y_zero_point : int
    weight_scale : tuple of float
        One for all output channels, or one for each.
    weight_zero_point : tuple of int
        Likewise.
    out_format : {"int8", "uint8"}

    Raises
    ------
    FormatError
        If a scale is no positive finite float32, or the output format is another one.

    Examples
    --------
    >>> Quantization(0.5, 3, (0.25, 1.0), (0,), 2.0, 7, "int8").multipliers
    (Fraction(1, 16), Fraction(1, 4))
    """

    x_scale: float
    x_zero_point: int
    weight_scale: tuple[float, ...]
    weight_zero_point: tuple[int, ...]
    y_scale: float
    y_zero_point: int
    out_format: str

    def __post_init__(self) -> None:
        for scale in (self.x_scale, *self.weight_scale, self.y_scale):
            if not _is_float32(scale) or scale <= 0:
                raise FormatError(f"a scale must be a positive finite float32, got {scale!r}.")
        if self.out_format not in ("int8", "uint8"):
            raise FormatError(f"the quantised output must be int8 or uint8, got {self.out_format!r}.")

    @cached_property
    def multipliers(self) -> tuple[Fraction, ...]:
        """The exact ``x_scale * weight_scale / y_scale``, one or one for each output channel."""
        return tuple(Fraction(self.x_scale) * Fraction(scale) / Fraction(self.y_scale) for scale in self.weight_scale)

    @property
    def doubles(self) -> tuple[float, ...]:
        """The multipliers as a program in double precision has them: the product is exact, the quotient rounded."""
        return tuple(self.x_scale * scale / self.y_scale for scale in self.weight_scale)

    @property
    def weight_pairs(self) -> tuple[tuple[float, int], ...]:
        """Scale and zero point of the weight, one pair for all or one for each output channel.

        Examples
        --------
        >>> Quantization(0.5, 3, (0.25,), (-9, 4), 2.0, 7, "int8").weight_pairs
        ((0.25, -9), (0.25, 4))
        """
        count = max(len(self.weight_scale), len(self.weight_zero_point))
        spread = (
            values * count if len(values) == 1 else values for values in (self.weight_scale, self.weight_zero_point)
        )
        return tuple(zip(*spread, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """Return plain objects without floats: scales are hex-float strings.

        Examples
        --------
        >>> Quantization(0.5, 3, (0.25,), (0,), 2.0, 7, "int8").as_dict()["y"]
        {'scale': '0x1.0000000000000p+1', 'zero_point': 7, 'dtype': 'int8'}
        """
        weights = {"scale": [scale.hex() for scale in self.weight_scale], "zero_point": list(self.weight_zero_point)}
        return {
            "x": {"scale": self.x_scale.hex(), "zero_point": self.x_zero_point},
            "weight": weights,
            "y": {"scale": self.y_scale.hex(), "zero_point": self.y_zero_point, "dtype": self.out_format},
        }


def parse_quantization(stated: Mapping[str, Any]) -> Quantization:
    """Read what :meth:`Quantization.as_dict` wrote.

    Raises
    ------
    FormatError
        If a scale is no positive finite float32.
    """
    x, weight, y = stated["x"], stated["weight"], stated["y"]
    return Quantization(
        float.fromhex(x["scale"]), x["zero_point"], tuple(map(float.fromhex, weight["scale"])),
        tuple(weight["zero_point"]), float.fromhex(y["scale"]), y["zero_point"], y["dtype"],
    )  # fmt: skip


def _is_float32(value: float) -> bool:
    try:
        return isfinite(value) and unpack("<f", pack("<f", value))[0] == value
    except OverflowError:
        return False
