"""Class ``winograd``: 3×3 kernels by minimal filtering, F(2×2, 3×3) or F(4×4, 3×3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from refconv.judge.bounds import error_bound, growth
from refconv.judge.classes.base import AccuracyClass, Float64s, upward
from refconv.judge.classes.norms import channel_norm, over_channels, window_maximum
from refconv.judge.evidence import Evidence

KERNEL = 3


class Transform(NamedTuple):
    """The one-dimensional transforms of Lavin and Gray, as far as errors depend on them.

    ``roundings`` counts those that one element meets in the input, kernel and output transform;
    ``amplification`` is the largest, over outputs i and taps t, of the sum over j of
    ``abs(A[j, i]) * abs(G[j, t]) * sum(abs(B[:, j]))``; ``sums`` are the largest row sums of abs(B^T) and
    abs(A^T).
    """

    roundings: tuple[int, int, int]
    amplification: float
    sums: tuple[float, float]


# Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), section 4; the matrices
# stand in the tests, which derive these numbers from them.
TRANSFORMS = {2: Transform((1, 2, 2), 4.0, (2.0, 3.0)), 4: Transform((3, 4, 4), 88 / 3, (10.0, 19.0))}


@dataclass(frozen=True)
class Winograd(AccuracyClass):
    """``E = t(2 * (b + g + a) + C/G) * k**2 * sum_c max(abs(x_c)) * norm1(w_c)``, t(n) = (1 + u)**n - 1.

    An output is ``A^T (sum_c (G w_c G^T) * (B^T x_c B)) A``: every term of it meets 2b, 2g and 2a roundings in
    the transforms, one in its product and C/G - 1 in the sum over channels, and one more with a bias.
    Its magnitude is bounded by the transforms of absolute values, at most k**2 times the largest input in
    the tile's window times the 1-norm of the kernel (Barabasz, Anderson, Soodhalter and Gregg, "Error
    analysis and improving the accuracy of Winograd convolution for deep neural networks", ACM TOMS 46,
    2020, theorem 2, here in the maximum norm).  Where tiles begin is not known, so the window is that of
    all tiles in which an output can lie.

    It holds for the points 0, 1, -1, (2, -2) and infinity.  An implementation of this class has plain
    arithmetic for all other kernels, strides, dilations and operations, and may choose it here too.

    Examples
    --------
    >>> Winograd(4).name
    'winograd:4'
    """

    tile: int

    @property
    def name(self) -> str:
        """The text form."""
        return f"winograd:{self.tile}"

    def bound(self, evidence: Evidence) -> Float64s:
        """Return E, at least that of plain arithmetic."""
        plain = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
        if not self.applies(evidence):
            return plain
        return np.maximum(plain, self._transformed(evidence))

    def applies(self, evidence: Evidence) -> bool:
        """Whether the operation can be computed by these transforms."""
        problem, plain = evidence.problem, (1, 1)
        shape = (problem.kernel_size, problem.stride, problem.dilation)
        return evidence.operation in ("forward", "grad_input") and shape == ((KERNEL, KERNEL), plain, plain)

    def _transformed(self, evidence: Evidence) -> Float64s:
        roundings, amplification, (of_input, of_output) = TRANSFORMS[self.tile]
        image, weight = evidence.factors
        channels = evidence.problem.reduction_length(evidence.operation) // KERNEL**2
        largest = self._largest(evidence, image)
        product = over_channels(evidence, largest, channel_norm(weight, 1))
        bias = 0.0 if evidence.bias is None else np.abs(evidence.bias)
        factor = growth(2 * sum(roundings) + channels + (evidence.bias is not None), evidence.accumulator.precision)
        # What underflows: C products, and up to six multiplications by 1/6, 1/12, 1/24 in each transformed kernel.
        step = 2.0**evidence.accumulator.quantum_exponent
        inputs = over_channels(evidence, largest, np.ones(weight.shape[:2]))
        underflow = step * of_output**2 * (channels + 6 * of_input**2 * inputs)
        total = factor * (amplification**2 * product + bias) + (1 + factor) * underflow
        return upward(total, 16)

    def _largest(self, evidence: Evidence, image: Float64s) -> Float64s:
        problem, reach = evidence.problem, 2 * self.tile + 1
        begins = [begin for begin, _ in problem.padding]
        if evidence.operation == "forward":
            start, length = [-begin - self.tile + 1 for begin in begins], problem.output_size
        else:  # a correlation of grad_output with the flipped kernel, padded by 2 - begin
            start, length = [begin - KERNEL + 1 - self.tile + 1 for begin in begins], problem.input_size
        return window_maximum(image, tuple(start), length, reach)
