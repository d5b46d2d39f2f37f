"""A plain, correct convolution that is written so that it can be bent.

Where every product of the layer stands is said by a few tables of integers, each made by one small
method.  Whoever overrides such a method gets a layer with one particular defect, whose gradients are
still the exact adjoints of its forward pass.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

ABSENT = -1  # in any table: nothing is read or written there


class Window(NamedTuple):
    """What places the taps along one axis, in elements."""

    stride: int
    dilation: int
    begin: int


class Layer:
    """A convolution made of tables; an implementation like any other.

    Letters: P = H·W pixels of a plane, O = oH·oW positions of an output plane, T = kH·kW taps.  Entries
    of a table that lie outside of what they point into are absent.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> Layer().forward(np.array([[[[1, 2, 3]]]]), np.array([[[[10, 1]]]]), None, problem).tolist()
    [[[[12, 23]]]]
    """

    name = "layer"
    padding_value = 0

    def window(self, problem: ConvProblem, axis: int) -> Window:
        """Return stride, dilation and leading padding along an axis."""
        return Window(problem.stride[axis], problem.dilation[axis], problem.padding[axis][0])

    def taps(self, problem: ConvProblem, axis: int) -> Integers:
        """Return the input position that each kernel tap reads along an axis, shape (oH, kH)."""
        stride, dilation, begin = self.window(problem, axis)
        positions = np.arange(problem.output_size[axis])[:, None]
        return positions * stride - begin + np.arange(problem.kernel_size[axis]) * dilation

    def inside(self, taps: Integers, problem: ConvProblem, axis: int) -> Booleans:
        """Return which taps read within the input along an axis, shape (oH, kH)."""
        return (taps >= 0) & (taps < problem.input_size[axis])

    def pixels(self, problem: ConvProblem) -> Integers:
        """Return the pixel that each tap reads, shape (O, T); composed of the taps along all axes."""
        index, present = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for axis, length in enumerate(problem.input_size):
            taps = self.taps(problem, axis)
            inside = self.inside(taps, problem, axis)
            shape = (index.shape[0] * taps.shape[0], index.shape[1] * taps.shape[1])
            index = (index[:, None, :, None] * length + taps[None, :, None, :]).reshape(shape)
            present = (present[:, None, :, None] & inside[None, :, None, :]).reshape(shape)
        return np.where(present, index, ABSENT)

    def channels(self, problem: ConvProblem) -> Integers:
        """Return the input channel that each output channel reads, shape (K, C/G)."""
        per_group = problem.in_channels // problem.groups
        group = np.repeat(np.arange(problem.groups), problem.out_channels // problem.groups)
        return group[:, None] * per_group + np.arange(per_group)

    def places(self, tensor: str, problem: ConvProblem) -> Integers:
        """Return where in memory each element of ``"x"``, ``"weight"`` or ``"y"`` lies, in its shape."""
        shape = problem.shape_of(tensor)
        return np.arange(math.prod(shape)).reshape(shape)

    def operand(self, name: str, tensor: Array) -> Array:
        """Return the factor of a product as it is used; ``name`` is x, weight or grad_output."""
        return tensor

    def add_bias(self, y: Array, bias: Array, problem: ConvProblem) -> Array:
        """Add the bias to y, shape (N, K, O)."""
        return y + bias[:, None]

    def result(self, operation: str, value: Array, problem: ConvProblem) -> Array:
        """Return the result of an operation as it is handed out."""
        return value

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y, shape (N, K, oH, oW)."""
        weight = self._taken("weight", self.operand("weight", weight), problem)
        y = np.einsum("nkcot,kct->nko", self._patches(x, problem), weight)
        y = y if bias is None else self.add_bias(y, bias, problem)
        return self.result("forward", self._put("y", y, problem), problem)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input, shape (N, C, H, W)."""
        grad_output = self._taken("y", self.operand("grad_output", grad_output), problem)
        weight = self._taken("weight", self.operand("weight", weight), problem)
        products = np.einsum("nko,kct->nkcot", grad_output, weight)
        N, C, P = problem.batch, problem.in_channels, math.prod(problem.input_size)
        channels, pixels = _slots(self.channels(problem), C), _slots(self.pixels(problem), P)
        planes = np.arange(N)[:, None, None] * (C + 1) + channels
        index = planes[..., None, None] * (P + 1) + pixels
        gradient = np.zeros(N * (C + 1) * (P + 1), products.dtype)  # with a slot for what is absent
        np.add.at(gradient, index.ravel(), products.ravel())
        gradient = gradient.reshape(N, C + 1, P + 1)[:, :C, :P]
        return self.result("grad_input", self._put("x", gradient, problem), problem)

    def grad_weight(self, x: Array, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_weight, shape (K, C/G, kH, kW)."""
        grad_output = self._taken("y", self.operand("grad_output", grad_output), problem)
        gradient = np.einsum("nkcot,nko->kct", self._patches(x, problem), grad_output)
        return self.result("grad_weight", self._put("weight", gradient, problem), problem)

    def grad_bias(self, grad_output: Array, problem: ConvProblem) -> Array:
        """Return grad_bias, shape (K,)."""
        gradient = self._taken("y", grad_output, problem).sum((0, 2), dtype=grad_output.dtype)
        return self.result("grad_bias", gradient, problem)

    def _patches(self, x: Array, problem: ConvProblem) -> Array:
        """Return what meets the weights, shape (N, K, C/G, O, T)."""
        planes = self._taken("x", self.operand("x", x), problem)
        N, C, P = planes.shape
        wide = np.zeros((N, C + 1, P + 1), planes.dtype)  # with a slot for what is absent
        wide[:, :C, :P], wide[:, :C, P] = planes, self.padding_value
        patches: Array = wide[:, _slots(self.channels(problem), C)[..., None, None], _slots(self.pixels(problem), P)]
        return patches

    def _taken(self, name: str, tensor: Array, problem: ConvProblem) -> Array:
        """Read a tensor from its memory; spatial axes become one."""
        flat = np.append(tensor.ravel(), tensor.dtype.type(0))
        taken: Array = flat[_slots(self.places(name, problem), tensor.size)]
        return taken.reshape(*taken.shape[:2], math.prod(taken.shape[2:]))

    def _put(self, name: str, values: Array, problem: ConvProblem) -> Array:
        """Write a tensor to its memory: the adjoint of reading it."""
        memory = np.zeros(values.size + 1, values.dtype)
        np.add.at(memory, _slots(self.places(name, problem), values.size).ravel(), values.ravel())
        return memory[:-1].reshape(problem.shape_of(name))


def _slots(table: Integers, count: int) -> Integers:
    """Send all that lies outside of 0 ... count - 1 to one more slot, ``count``."""
    return np.where((table >= 0) & (table < count), table, count)
