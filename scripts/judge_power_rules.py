"""The rules that are compared: each says whether it rejects a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from refconv.formats import NumberFormat
from refconv.judge import Evidence, companion, parse_class

Array = np.ndarray[Any, Any]

# torch.testing.assert_close, defaults by dtype (documentation of PyTorch 2): (rtol, atol)
TORCH = {"float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


@dataclass(frozen=True, eq=False)
class Sample:
    """A result beside everything that rules compare it with."""

    evidence: Evidence
    fill: str
    got: Array | None = None

    @property
    def out(self) -> NumberFormat:
        """The format of the result."""
        return self.evidence.out

    @property
    def truth(self) -> Array:
        """The exact result, rounded once."""
        return self.evidence.truth

    @cached_property
    def interval(self) -> tuple[Array, Array, Array]:
        """The interval of class standard."""
        return parse_class("standard").interval(self.evidence)

    @cached_property
    def pair(self) -> tuple[Array, Array]:
        """The result and the exact one, in float64."""
        return np.asarray(self.got).astype(np.float64), self.truth.astype(np.float64)


def close(rtol: float, atol: float) -> Callable[[Sample], bool]:
    """Reject where abs(got - exact) > atol + rtol * abs(exact), as numpy.testing.assert_allclose does."""

    def rejects(one: Sample) -> bool:
        got, exact = one.pair
        return not bool((np.abs(got - exact) <= atol + rtol * np.abs(exact)).all())

    return rejects


def interval(one: Sample) -> bool:
    """Reject outside of the interval of class standard."""
    lo, hi, _ = one.interval
    got = one.pair[0]
    return not bool(((lo.astype(np.float64) <= got) & (got <= hi.astype(np.float64))).all())


def statistics(one: Sample) -> bool:
    """Reject what is suspicious; the companion of the interval, of no use elsewhere."""
    found = companion(np.asarray(one.got), one.evidence, one.evidence.accumulator)
    return found is not None and found.suspicious


def torch_default(one: Sample) -> bool:
    """PyTorch's assert_close with the tolerances of the dtype."""
    return close(*TORCH[one.out.name])(one)


def miopen(one: Sample) -> bool:
    """MIOpen's rms_range <= 80 * epsilon (ThresholdChecks of its convolution tests)."""
    got, exact = one.pair
    largest = max(float(np.abs(got).max()), float(np.abs(exact).max()), float(np.finfo(np.float64).tiny))
    rms = float(np.sqrt(np.sum((got - exact) ** 2))) / (np.sqrt(got.size) * largest)
    return not rms <= 80 * 2.0 ** (1 - one.out.precision)


def ggml(one: Sample) -> bool:
    """Reject where the normalised mean squared error of GGML's test-backend-ops exceeds 5e-4."""
    got, exact = one.pair
    scale = max(float(np.abs(exact).max()), 1e-300)  # so that subnormal squares do not vanish
    return not float(np.sum(((got - exact) / scale) ** 2)) <= 5e-4 * float(np.sum((exact / scale) ** 2))


def webnn(one: Sample) -> bool:
    """WebNN's conv2d: 2 * K units in the last place, K the number of products, counted on the bit patterns."""
    got, exact = (_ordered(np.asarray(array), one.out) for array in (one.got, one.truth))
    return bool((np.abs(got - exact) > 2 * one.evidence.problem.reduction_length("forward")).any())


def _ordered(values: Array, out: NumberFormat) -> Array:
    """Return the place of each float in the order of all, as int64."""
    bits = values.astype(out.dtype).view(f"i{out.dtype.itemsize}").astype(np.int64)
    lowest = np.int64(-(2 ** (8 * out.dtype.itemsize - 1)))
    return np.where(bits < 0, lowest - bits, bits)


def cutlass(one: Sample) -> bool:
    """CUTLASS's BlockCompareRelativelyEqual with epsilon 0.05 and a floor of the smallest normal number."""
    got, exact = one.pair
    floor = 2.0**one.out.min_exponent
    difference, size = np.abs(got - exact), np.abs(got) + np.abs(exact)
    small = (got == 0) | (exact == 0) | (size < floor)
    return bool((difference >= np.where(small, 0.05 * floor, 0.05 * size))[got != exact].any())


def tosa(one: Sample) -> bool:
    """Arm TOSA's dot-product rule."""
    return not parse_class("tosa").judge(np.asarray(one.got), one.evidence).passed


RULES: dict[str, Callable[[Sample], bool]] = {
    "interval": interval,
    "statistics": statistics,
    "ONNX": close(1e-3, 1e-7),
    "torch": torch_default,
    "MIOpen": miopen,
    "GGML": ggml,
    "WebNN": webnn,
    "CUTLASS": cutlass,
    "TOSA": tosa,
}
