"""One output element of a layer, used as an adder: n products go in, one sum comes out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import ImplementationError
from refconv.formats import NumberFormat, get_format
from refconv.implementations import Runner
from refconv.problem import ConvProblem

Float64s = npt.NDArray[np.float64]

# Implementations choose their path by the shape, so that each is a fingerprint of its own.  Every output of which one
# is read lies inside the image, and eight images are computed at a time.
SHAPES = {
    "3x3": "n8c4i6x5-k4w3x3-s1x1-d1x1-p0+0x0+0-g1-o4x3",
    "1x1": "n8c24i3x4-k4w1x1-s1x1-d1x1-p0+0x0+0-g1-o3x4",
    "depthwise": "n8c4i6x5-k4w3x3-s1x1-d1x1-p1+1x1+1-g4-o6x5",
    "many channels": "n8c96i4x3-k2w3x3-s1x1-d1x1-p1+1x1+1-g1-o4x3",
    "3x3, larger": "n8c16i14x14-k16w3x3-s1x1-d1x1-p1+1x1+1-g1-o14x14",
    "1x1, larger": "n8c64i14x14-k32w1x1-s1x1-d1x1-p0+0x0+0-g1-o14x14",
    "depthwise, larger": "n8c32i28x28-k32w3x3-s1x1-d1x1-p1+1x1+1-g32-o28x28",
}


@dataclass(frozen=True)
class Bench:
    """A layer of one shape and format.

    Attributes
    ----------
    runner : Runner
    problem : ConvProblem
    element : NumberFormat
        Of inputs and results.

    Examples
    --------
    >>> from refconv.implementations import as_runner
    >>> from refconv.reference import im2col
    >>> bench = Bench(as_runner(im2col), ConvProblem.from_descriptor(SHAPES["3x3"]), get_format("float32"))
    >>> bench.terms, bench.add({0: 1.0, 1: 2.0, 35: 4.0})
    (36, 7.0)
    """

    runner: Runner
    problem: ConvProblem
    element: NumberFormat

    @property
    def terms(self) -> int:
        """n, the number of products of the output element."""
        return self.problem.reduction_length("forward")

    @property
    def kernel(self) -> tuple[int, int, int]:
        """(C/G, kH, kW): the axes along which the products lie, in this order."""
        per_group, kH, kW = self.problem.weight_shape[1:]
        return per_group, kH, kW

    def seconds(self) -> float:
        """Return how long a call takes, the first one not counted."""
        self.add({0: 1.0})
        begin = time.perf_counter()
        self.add({0: 1.0})
        return time.perf_counter() - begin

    def add(self, x: dict[int, float], weight: dict[int, float] | None = None) -> float:
        """Add a few products, given by the place of each; weights are ones where nothing else is said."""
        row = np.zeros((1, self.terms))
        row[0, list(x)] = list(x.values())
        weights = np.ones(self.terms)
        for place, value in (weight or {}).items():
            weights[place] = value
        return float(self.sums(row, weights)[0])

    def sums(self, rows: Float64s, weight: Float64s | None = None) -> Float64s:
        """Add the products of every row.

        Parameters
        ----------
        rows : array, shape (m, n)
            What x holds at the places of the products; numbers of the format.
        weight : array, shape (n,), optional
            By default ones.

        Returns
        -------
        array, shape (m,)
        """
        weights = np.ones(self.terms) if weight is None else weight
        N = self.problem.batch
        parts = [self._run(rows[begin : begin + N], weights) for begin in range(0, len(rows), N)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _run(self, rows: Float64s, weights: Float64s) -> Float64s:
        oh, ow = (size // 2 for size in self.problem.output_size)
        top, left = oh - self.problem.padding[0][0], ow - self.problem.padding[1][0]
        per_group, kH, kW = self.kernel
        x = np.zeros(self.problem.x_shape)
        x[: len(rows), :per_group, top : top + kH, left : left + kW] = rows.reshape(-1, *self.kernel)
        spread = np.broadcast_to(weights.reshape(1, *self.kernel), self.problem.weight_shape)
        tensors: dict[str, Any] = {"x": self._cast(x), "weight": self._cast(spread), "bias": None}
        with np.errstate(all="ignore"):
            y = np.asarray(self.runner.run("forward", tensors, self.problem))
        if y.shape != self.problem.y_shape or y.dtype != self.element.dtype:
            expected = f"{self.element} of shape {self.problem.y_shape}"
            raise ImplementationError(f"y must be {expected}, got {y.dtype.name} of shape {y.shape}.")
        return y[: len(rows), 0, oh, ow].astype(np.float64)

    def _cast(self, values: Float64s) -> npt.NDArray[Any]:
        return np.ascontiguousarray(values.astype(self.element.dtype))


def bench(runner: Runner, shape: str, dtype: str) -> Bench:
    """Return the bench of a shape's name."""
    return Bench(runner, ConvProblem.from_descriptor(SHAPES[shape]), get_format(dtype))
