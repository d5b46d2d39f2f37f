"""Reproducible inputs: a keyed bit stream, exact-integer fills and real-valued fills."""

from refconv.fills.bits import bits
from refconv.fills.integers import Ranges, exact_integers, exact_ranges, extremes, iota
from refconv.fills.reals import cancelling, full_mantissa, positive, smooth, wide_exponents, zero_mean

__all__ = [
    "Ranges",
    "bits",
    "cancelling",
    "exact_integers",
    "exact_ranges",
    "extremes",
    "full_mantissa",
    "iota",
    "positive",
    "smooth",
    "wide_exponents",
    "zero_mean",
]
