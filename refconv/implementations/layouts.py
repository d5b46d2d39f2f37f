"""Orders of axes: what lies in memory as NHWC or HWIO, and back to NCHW and OIHW.

H and W stand for all spatial axes: along one axis NHWC is NWC, along three it is NDHWC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import FormatError

Array = npt.NDArray[Any]

IMAGES = ("NCHW", "NHWC")
WEIGHTS = ("OIHW", "HWIO", "OHWI")
OWN = {"image": IMAGES[0], "weight": WEIGHTS[0]}
KINDS = {"x": "image", "y": "image", "grad_input": "image", "grad_output": "image",
         "weight": "weight", "grad_weight": "weight"}  # fmt: skip


@dataclass(frozen=True)
class Layouts:
    """How images and weights lie in memory; a bias has one axis only.

    Attributes
    ----------
    image : {"NCHW", "NHWC"}
        Of x, y and their gradients.
    weight : {"OIHW", "HWIO", "OHWI"}
        Of weight and its gradient; I counts the channels of one group, C/G.

    Raises
    ------
    FormatError
        If it is another one.

    Examples
    --------
    >>> layouts = Layouts("NHWC", "HWIO")
    >>> layouts.arranged(np.zeros((3, 2, 5, 4)), "weight").shape
    (5, 4, 2, 3)
    >>> layouts.restored(np.zeros((1, 5, 4, 2)), "y").shape
    (1, 2, 5, 4)
    """

    image: str = OWN["image"]
    weight: str = OWN["weight"]

    def __post_init__(self) -> None:
        for option, given, known in (("layout", self.image, IMAGES), ("weight_layout", self.weight, WEIGHTS)):
            if given not in known:
                raise FormatError(f"{option} must be one of {', '.join(known)}, got {given!r}.")

    def arranged(self, tensor: Array, name: str) -> Array:
        """Return a tensor of refconv in these layouts, packed."""
        return np.ascontiguousarray(tensor.transpose(self._axes(name, tensor.ndim))) if name in KINDS else tensor

    def restored(self, tensor: Array, name: str) -> Array:
        """Return a tensor that lies in these layouts as refconv has it."""
        return tensor.transpose(np.argsort(self._axes(name, tensor.ndim))) if name in KINDS else tensor

    def shape(self, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
        """Return the extents of a tensor of refconv in the order of these layouts.

        Examples
        --------
        >>> Layouts("NHWC").shape((1, 2, 5, 4), "x")
        (1, 5, 4, 2)
        """
        return tuple(shape[axis] for axis in self._axes(name, len(shape))) if name in KINDS else shape

    def order(self, name: str, rank: int = 4) -> str:
        """Return the letters of the axes of a tensor of so many, outermost first.

        Examples
        --------
        >>> Layouts("NHWC").order("grad_output"), Layouts().order("bias")
        ('NHWC', 'O')
        >>> Layouts("NHWC").order("x", 5)
        'NDHWC'
        """
        return _lettered(getattr(self, KINDS[name]), rank) if name in KINDS else "O"

    def _axes(self, name: str, rank: int) -> list[int]:
        own = _lettered(OWN[KINDS[name]], rank)
        return [own.index(letter) for letter in self.order(name, rank)]


def _lettered(order: str, rank: int) -> str:
    return order.replace("HW", "DHW"[5 - rank :])
