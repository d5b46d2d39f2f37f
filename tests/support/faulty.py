"""Small calls on which faults show: integers that ordinary arithmetic does not round, and what makes them special."""

from dataclasses import dataclass
from typing import Any

import ml_dtypes  # noqa: F401  (registers the names of its dtypes)
import numpy as np

from refconv import ConvProblem
from refconv.diagnosis.faults.base import Fault
from refconv.formats import get_format
from refconv.implementations.protocol import ARGUMENTS

PLAIN = {"batch": 1, "in_channels": 3, "out_channels": 4, "input_size": (5, 6), "kernel_size": (2, 3)}
SEEDS = {"x": 1, "weight": 5, "bias": 9, "grad_output": 13}


def problem_of(**changes):
    return ConvProblem(**(PLAIN | changes))


def integers(shape, element, seed=0, top=4):
    """Fill with the integers of -top ... top but zero, in an order without symmetry."""
    values = (np.arange(np.prod(shape, dtype=int)) * 7 + seed * 3) % (2 * top) - top
    values = np.where(values >= 0, values + 1, values)
    if np.dtype(element).kind == "u":
        values = np.abs(values)
    return values.reshape(shape).astype(element)


@dataclass
class Call:
    """One call: an operation, its problem, format and tensors; ``edit`` changes the tensors."""

    operation: str = "forward"
    element: str = "float32"
    weight_element: str | None = None
    bias: bool = True
    seed: int = 0
    edit: Any = None
    quantization: Any = None
    keywords: Any = None
    change: Any = None

    @property
    def problem(self):
        return problem_of(**(self.change or {}))

    def tensors(self):
        element = get_format(self.element).dtype
        kinds = {"weight": get_format(self.weight_element).dtype} if self.weight_element else {}
        if element.kind in "iu":
            kinds["bias"] = np.dtype("int32")
        names = ARGUMENTS[self.operation]
        made = {
            name: integers(self.problem.shape_of(name), kinds.get(name, element), SEEDS[name] + self.seed)
            for name in names
        }
        if "bias" in made and not self.bias:
            made["bias"] = None
        if self.edit:
            self.edit(made)
        return made

    def run(self, implementation, tensors=None):
        tensors = self.tensors() if tensors is None else tensors
        arguments = list(tensors.values())
        if self.quantization is not None:
            return implementation.quantized_forward(*arguments, self.quantization, self.problem)
        return getattr(implementation, self.operation)(*arguments, self.problem, **(self.keywords or {}))

    def truth(self):
        return self.run(Fault())


def same(a, b):
    """Say whether two results hold equal numbers; the dtype does not matter."""
    a, b = (np.asarray(value).astype(np.float64) for value in (a, b))
    return np.array_equal(a, b, equal_nan=True)


def put(name, index, value):
    """Return an edit that writes a value to one place."""

    def edit(tensors):
        tensors[name][index] = value

    return edit


def fill(**values):
    """Return an edit that fills tensors with constants."""

    def edit(tensors):
        for name, value in values.items():
            tensors[name][...] = value

    return edit


def both(*edits):
    """Return an edit that makes several, one after the other."""

    def edit(tensors):
        for each in edits:
            each(tensors)

    return edit
