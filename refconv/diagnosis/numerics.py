"""Which arithmetic explains small differences?  Each is simulated on real-valued inputs; what fits is named."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import ml_dtypes
import numpy as np

from refconv.diagnosis.observe import call
from refconv.diagnosis.products import ROLES, Array, Floats, Products, slots_of
from refconv.fills import zero_mean
from refconv.formats import get_format
from refconv.implementations import Runner
from refconv.problem import ConvProblem

PROBLEM = ConvProblem.from_descriptor("n2c12i6x5-k4w3x2-s1x1-d1x1-p1+0x1+0-g1-o5x5")
SMALL = -13  # the exponent of one operand: subnormal in float16, and not in tf32
SHARE = 0.05  # what a simulation may leave unexplained

Rounding = Callable[[Floats], Floats]


def explain_rounding(runner: Runner, operation: str) -> str:
    """Say which arithmetic gives what an implementation gives for real numbers; empty if it is none of those tried.

    Examples
    --------
    >>> from refconv.diagnosis.defects.values import OperandsRoundedToTf32
    >>> from refconv.implementations import as_runner
    >>> explain_rounding(as_runner(OperandsRoundedToTf32()), "forward")
    'The inputs are rounded to tf32.'
    """
    if operation == "grad_bias":
        return ""
    tensors = _inputs(operation)
    try:
        got = call(runner, operation, {name: tensor.astype(np.float32) for name, tensor in tensors.items()}, PROBLEM)
    except Exception:
        return ""
    truth = _summed(operation, tensors)
    distance = float(np.abs(got - truth).sum())
    noise = 2.0**-24 * float(np.abs(_summed(operation, {k: np.abs(v) for k, v in tensors.items()})).sum())
    if got.shape != truth.shape or not math.isfinite(distance) or distance < 2 * noise:
        return ""
    scored = [(float(np.abs(got - result).sum()), text) for text, result in arithmetics(operation, tensors)]
    best, text = min(scored, key=lambda entry: entry[0])  # the first of equals
    return text if best <= SHARE * distance + noise else ""


def arithmetics(operation: str, tensors: Mapping[str, Array]) -> Iterator[tuple[str, Floats]]:
    """Yield every arithmetic in words, with the result that it gives."""
    roundings: dict[str, Rounding] = {"tf32": _tf32, "bfloat16": _bfloat16, "float16": _float16}
    for name, rounding in roundings.items():
        rounded = {key: rounding(tensor) for key, tensor in tensors.items()}
        products = {key: value if key != "bias" else tensors[key] for key, value in rounded.items()}
        yield f"The inputs are rounded to {name}.", _summed(operation, products)
        yield f"The inputs are rounded to {name}, the bias too.", _summed(operation, rounded)
        yield f"The result is rounded to {name}.", rounding(_summed(operation, tensors))
        yield f"The inputs and the result are rounded to {name}.", rounding(_summed(operation, products))
        if "bias" in tensors:
            bare = {key: tensor for key, tensor in tensors.items() if key != "bias"}
            late = rounding(rounding(_summed(operation, bare)) + tensors["bias"][:, None, None])
            yield f"The sum is rounded to {name} before the bias is added, and again after.", late
        yield f"Everything is rounded to {name}, sums too.", _kept(operation, rounded, rounding, False)
        for order, reverse in (("", False), (" from the last tap to the first", True)):
            yield f"Sums are kept in {name} while they are added{order}.", _kept(operation, tensors, rounding, reverse)
    yield "The inputs are cut off after the bits of bfloat16.", _summed(operation, _cut(tensors, 16))
    yield "The inputs are cut off after the bits of tf32.", _summed(operation, _cut(tensors, 13))


def _inputs(operation: str) -> dict[str, Array]:
    names = [*ROLES[operation].arguments.values()] + (["bias"] if operation == "forward" else [])
    element = get_format("float32")
    fills = {name: zero_mean(f"diagnosis/numerics/{name}", PROBLEM.shape_of(name), element) for name in names}
    small = ROLES[operation].arguments[ROLES[operation].coded]
    return {name: fill * 2.0**SMALL if name in (small, "bias") else fill for name, fill in fills.items()}


def _summed(operation: str, tensors: Mapping[str, Array]) -> Floats:
    total = slots_of(PROBLEM).products().compute(operation, tensors)
    return total + tensors["bias"][:, None, None] if "bias" in tensors else total


def _kept(operation: str, tensors: Mapping[str, Array], rounding: Rounding, reverse: bool) -> Floats:
    """Add the products one after the other, and round every sum."""
    products: Products = slots_of(PROBLEM).products()
    roles, columns = ROLES[operation], {"y": products.y, "x": products.x, "weight": products.weight}
    result = columns[roles.result]
    terms = np.prod([tensors[arg].ravel()[columns[name]] for name, arg in roles.arguments.items()], axis=0)
    order = np.argsort(result, kind="stable")[:: -1 if reverse else 1]
    result, terms = result[order], rounding(terms[order])
    first = np.r_[True, result[1:] != result[:-1]]
    rank = np.arange(len(result)) - np.maximum.accumulate(np.where(first, np.arange(len(result)), 0))
    total = np.zeros(math.prod(PROBLEM.shape_of(operation)))
    for number in range(int(rank.max()) + 1):
        here = rank == number
        total[result[here]] = rounding(total[result[here]] + terms[here])
    total = total.reshape(PROBLEM.shape_of(operation))
    return rounding(total + tensors["bias"][:, None, None]) if "bias" in tensors else total


def _cut(tensors: Mapping[str, Array], bits: int) -> dict[str, Array]:
    mask = np.uint32(2**32 - 2**bits)
    return {
        name: (tensor.astype(np.float32).view(np.uint32) & mask).view(np.float32).astype(np.float64)
        if name != "bias" else tensor
        for name, tensor in tensors.items()
    }  # fmt: skip


def _tf32(values: Floats) -> Floats:
    fraction, exponent = np.frexp(values)
    kept: Floats = np.ldexp(np.rint(np.ldexp(fraction, 11)), exponent - 11)
    return kept


def _bfloat16(values: Floats) -> Floats:
    return values.astype(ml_dtypes.bfloat16).astype(np.float64)


def _float16(values: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float64)


def flushes(runner: Runner) -> str:
    """Say whether subnormal inputs or products become zero; empty if not, or if it cannot be told."""
    problem = ConvProblem.from_shapes((1, 1, 2, 3), (1, 1, 1, 1))
    tiny, one = np.full((1, 1, 2, 3), 2.0**-140, np.float32), np.ones((1, 1, 1, 1), np.float32)
    small, bias = np.full((1, 1, 2, 3), 2.0**-100, np.float32), np.zeros(1, np.float32)
    try:
        inputs = call(runner, "forward", {"x": tiny, "weight": one, "bias": bias}, problem)
        results = call(runner, "forward", {"x": small, "weight": one * 2.0**-40, "bias": bias}, problem)
    except Exception:
        return ""
    if not inputs.any():
        return "Subnormal numbers are flushed to zero."
    return "Products that are subnormal are flushed to zero." if not results.any() else ""
