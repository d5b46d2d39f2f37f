"""The exact engine: the real-number result of any reference, rounded once."""

from refconv.exact.engine import (
    FACTORS,
    count_terms,
    exact_magnitude,
    exact_sum,
    forward,
    grad_bias,
    grad_input,
    grad_weight,
)
from refconv.exact.places import fetched
from refconv.exact.requantization import ROUNDINGS, centred, requantize
from refconv.exact.sums import ExactSum

__all__ = [
    "FACTORS",
    "ROUNDINGS",
    "ExactSum",
    "centred",
    "count_terms",
    "exact_magnitude",
    "exact_sum",
    "fetched",
    "forward",
    "grad_bias",
    "grad_input",
    "grad_weight",
    "requantize",
]
