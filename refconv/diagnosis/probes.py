"""Problems on which every known defect shows, with exact inputs and results.

The extents within a problem differ wherever they can: on a plain 3x3 layer many bugs *are* the right
operator.  The first three problems are plain enough for layers that know one stride, one symmetric
padding and no groups.  No two problems have weights, or biases, of the same shape, so that a layer that
keeps its buffers cannot carry anything from one to another.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv import exact
from refconv.fills import exact_integers, exact_ranges
from refconv.formats import NumberFormat, get_format, natural_output
from refconv.problem import OPERATIONS, ConvProblem
from refconv.reference import im2col

Array = npt.NDArray[Any]

FORMAT = get_format("float32")
BUDGET = 2 ** (FORMAT.precision - 2)  # of any partial sum; two bits of room for what is added twice

PROBLEMS = {
    # C % 4 != 0, K % 4 != 0, even and odd outputs, nothing else
    "plain": "n2c7i6x7-k5w3x3-s1x1-d1x1-p0+0x0+0-g1-o4x5",
    "padded": "n3c3i7x6-k6w3x3-s2x2-d1x1-p1+1x1+1-g1-o4x3",
    # leftovers, a kernel that is even and larger than 3x3
    "even": "n2c6i8x11-k7w4x4-s3x3-d1x1-p2+2x2+2-g1-o3x4",
    "asymmetric": "n2c6i9x8-k8w3x2-s2x1-d1x2-p1+0x2+1-g2-o4x9",
    # C/G = 6 and K/G = 5, two leftover rows, pads that begin smaller than they end
    "grouped": "n2c12i9x7-k10w1x1-s3x2-d1x1-p0+3x1+2-g2-o4x5",
    # three outputs for each of three channels
    "depthwise": "n2c3i6x8-k9w2x3-s1x2-d3x2-p2+1x0+3-g3-o6x4",
    # windows that see nothing but padding; the second is depthwise, too
    "pointwise": "n2c5i6x7-k3w1x1-s2x3-d1x1-p1+0x2+1-g1-o4x4",
    "wide": "n4c2i10x7-k4w4x5-s2x3-d1x2-p6+1x9+2-g2-o7x4",
}


LAYOUTS = ("C", "Fortran", "strided")
TENSORS = ("x", "weight", "bias", "grad_output")


@dataclass(frozen=True, eq=False)
class Probe:
    """A problem with its inputs and exact results, all read-only.

    Attributes
    ----------
    name : str
    problem : ConvProblem
    tensors : mapping
        ``x``, ``weight``, ``bias`` and ``grad_output``.
    truth : mapping
        The result of each operation.
    element : NumberFormat
        Of the inputs; results are float32 for float32, and float64 otherwise.
    layout : {"C", "Fortran", "strided"}
        How the inputs lie in memory when they are handed over.
    """

    name: str
    problem: ConvProblem
    tensors: Mapping[str, Array]
    truth: Mapping[str, Array]
    element: NumberFormat = FORMAT
    layout: str = "C"

    @property
    def is_usual(self) -> bool:
        """Whether it hands over contiguous float32."""
        return self.element is FORMAT and self.layout == "C"

    def copies(self) -> dict[str, Array]:
        """Return fresh, writable copies of the inputs, in the layout of the probe."""
        return {name: self.prepared(tensor) for name, tensor in self.tensors.items()}

    def prepared(self, tensor: Array) -> Array:
        """Return a copy of a tensor in the format and the layout of the probe."""
        if self.layout == "strided":  # every other element of a wider array
            wide = np.full((*tensor.shape[:-1], 2 * tensor.shape[-1]), 77).astype(self.element.dtype)
            wide[..., ::2] = tensor
            return wide[..., ::2]
        return np.array(tensor, self.element.dtype, order="F" if self.layout == "Fortran" else "C")


@functools.cache
def probes() -> tuple[Probe, ...]:
    """Return all probes."""
    return tuple(_probe(name, ConvProblem.from_descriptor(text)) for name, text in PROBLEMS.items())


@functools.lru_cache(maxsize=1024)
def probe_named(name: str) -> Probe:
    """Return the probe of that name."""
    if name in PROBLEMS:
        return probes()[list(PROBLEMS).index(name)]
    descriptor, *rest = name.split(" ")
    return probe_of(ConvProblem.from_descriptor(descriptor), *rest)


def probe_of(problem: ConvProblem, element: str = FORMAT.name, layout: str = "C") -> Probe:
    """Return a probe for any problem, in any format and layout.

    Raises
    ------
    FormatError
        If the sums are too long to be exact in the format.

    Examples
    --------
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> probe_of(problem, "bfloat16").name
    'n1c1i1x3-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x2 bfloat16 C'
    """
    return _probe_of(problem, element, layout)


@functools.lru_cache(maxsize=1024)  # which takes an argument that is left out for another than the same one given
def _probe_of(problem: ConvProblem, element: str, layout: str) -> Probe:
    return _probe(f"{problem.descriptor} {element} {layout}", problem, get_format(element), layout)


def _probe(name: str, problem: ConvProblem, element: NumberFormat = FORMAT, layout: str = "C") -> Probe:
    wide, tensors = natural_output(element), inputs_of(name, problem, element)
    truth = {
        operation: _read_only(_true(exact.exact_sum(operation, tensors, problem, im2col).round(wide)))
        for operation in OPERATIONS
    }
    return Probe(name, problem, tensors, truth, element, layout)


def inputs_of(
    name: str, problem: ConvProblem, element: NumberFormat = FORMAT, tensors: Sequence[str] = TENSORS
) -> dict[str, Array]:
    """Return inputs whose results are exact in a format, or some of them."""
    wide = natural_output(element)
    budget = BUDGET if wide.precision >= FORMAT.precision else wide.largest_integer
    ranges = exact_ranges(problem, element, budget, has_bias=True)
    return {
        tensor: _filled(f"diagnosis/{name}/{tensor}", problem.shape_of(tensor), getattr(ranges, tensor), element)
        for tensor in tensors
    }


def _true(rounded: Array) -> Array:
    return rounded if rounded.dtype == FORMAT.dtype else rounded.astype(np.float64)


def _filled(key: str, shape: tuple[int, ...], largest: int, element: NumberFormat) -> Array:
    bound = min(largest, element.largest_integer)
    return _read_only(exact_integers(key, shape, bound).astype(element.dtype))


def _read_only(tensor: Array) -> Array:
    tensor.setflags(write=False)
    return tensor
