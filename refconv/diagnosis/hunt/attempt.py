"""One thing to try: a legal problem with inputs, named by what it takes to make them again."""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from refconv.catalogue import FILLS
from refconv.catalogue.elements import Elements, parse_elements
from refconv.errors import CatalogueError
from refconv.problem import OPERATIONS, ConvProblem

Array = npt.NDArray[Any]

SCHEMA = "refconv.attempt.v1"
LAYOUTS = ("contiguous", "channels-last", "every-second", "reversed")


@dataclass(frozen=True)
class Attempt:
    """A problem, a number format, a fill, and the circumstances of the call.

    Attributes
    ----------
    problem : ConvProblem
    dtype : str
        The format of the inputs.
    fill : str
        One of the catalogue's.
    bias : bool
    layout : {"contiguous", "channels-last", "every-second", "reversed"}
        How the inputs lie in memory.
    again : bool
        Whether the layer is called a second time, with other numbers of the same shapes.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    >>> Attempt(problem).tensors()["x"].tolist()
    [[[[-1950.0, 3508.0]]]]
    """

    problem: ConvProblem
    dtype: str = "float32"
    fill: str = "exact"
    bias: bool = False
    layout: str = "contiguous"
    again: bool = False

    @property
    def elements(self) -> Elements:
        """The formats of x, weight and results."""
        return parse_elements(self.dtype)

    @property
    def exact(self) -> bool:
        """Whether every result must be equal to the exact one."""
        return FILLS[self.fill].rule == "exact"

    @property
    def size(self) -> int:
        """The elements of x, weight and y: how hard the problem is to follow by hand."""
        return sum(math.prod(self.problem.shape_of(name)) for name in ("x", "weight", "y"))

    @property
    def oddity(self) -> int:
        """How many attributes are unusual: the circumstances, the geometry's, the number format's."""
        p = self.problem
        pads = [size for pair in p.padding for size in pair]
        odd = [p.groups != 1, *(s != 1 for s in p.stride), *(d != 1 for d in p.dilation), *(pad != 0 for pad in pads)]
        odd += [self.bias, self.layout != LAYOUTS[0], self.again, self.dtype != "float32", self.fill != "exact"]
        return sum(odd)

    @property
    def weight_of_numbers(self) -> int:
        """The sum of all numbers of the descriptor, which tells attempts of equal size and oddity apart."""
        p = self.problem
        return sum((p.groups, *p.stride, *p.dilation, *(size for pair in p.padding for size in pair)))

    @property
    def rank(self) -> tuple[int, int, int]:
        """By which of two failing attempts the simpler one is chosen."""
        return self.size, self.oddity, self.weight_of_numbers

    def tensors(self, call: str = "first") -> dict[str, Array]:
        """Make x, weight, grad_output, and bias or None; the same bits everywhere.

        Raises
        ------
        FormatError
            If the problem is too large for an exact fill in the format.
        """
        tensors = _filled(self.problem, self.dtype, self.fill, self.bias, call)
        return {name: laid_out(tensor, self.layout) for name, tensor in tensors.items()}

    def as_json(self, operation: str) -> str:
        """Return the description that ``--save`` writes and :meth:`from_json` reads."""
        own = {item.name: getattr(self, item.name) for item in fields(self)} | {"problem": self.problem.descriptor}
        return json.dumps({"schema": SCHEMA, "operation": operation} | own, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> tuple[Self, str]:
        """Read a description; return the attempt and the operation that goes wrong.

        The fields are ``schema`` (refconv.attempt.v1), ``operation``, ``problem`` (a descriptor), ``dtype``,
        ``fill``, ``bias``, ``layout`` and ``again``, see the attributes of the class.  The numbers follow
        from them.

        Raises
        ------
        CatalogueError
            If it is no such description.
        """
        try:
            stated = json.loads(text)
            if stated.pop("schema") != SCHEMA or (operation := stated.pop("operation")) not in OPERATIONS:
                raise ValueError(text)
            found = cls(**stated | {"problem": ConvProblem.from_descriptor(stated["problem"])})
            found.tensors()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, MemoryError) as error:
            raise CatalogueError(f"a saved case must be JSON of schema {SCHEMA}, got {_short(text)}.") from error
        return found, operation


@functools.lru_cache(maxsize=2)  # the four operations ask for the same, one after the other
def _filled(problem: ConvProblem, dtype: str, fill: str, bias: bool, call: str) -> dict[str, Array]:
    elements = parse_elements(dtype)
    made = FILLS[fill].make(f"hunt/{problem.descriptor}/{call}", problem, elements, bias)
    formats = {"weight": elements.weight, "bias": elements.out}
    return {name: values.astype(formats.get(name, elements.x).dtype) for name, values in made.items()}


def read_attempt(path: Path) -> tuple[Attempt, str]:
    """Read a file that ``refconv hunt --save`` wrote."""
    return Attempt.from_json(path.read_text("utf-8", "replace"))


def laid_out(tensor: Array, layout: str) -> Array:
    """Return the same numbers, writable, in another place of memory.

    Examples
    --------
    >>> laid_out(np.zeros((2, 3), np.int8), "every-second").strides
    (6, 2)
    """
    if layout == "channels-last" and tensor.ndim > 1:
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(tensor, 1, -1)), -1, 1)
    if layout == "every-second":
        room = np.ones((*tensor.shape[:-1], 2 * tensor.shape[-1]), tensor.dtype)
        room[..., ::2] = tensor
        return room[..., ::2]
    if layout == "reversed":
        return np.ascontiguousarray(tensor[..., ::-1])[..., ::-1]
    if layout not in LAYOUTS:
        raise CatalogueError(f"a layout must be one of {', '.join(LAYOUTS)}, got {layout!r}.")
    return np.array(tensor)


def _short(text: str) -> str:
    return repr(text if len(text) < 60 else text[:57] + "...")
