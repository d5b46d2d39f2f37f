"""The data, the honest implementations and the errors of judge_power.py."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from judge_power_rules import Sample
from scipy.signal import correlate

from refconv import ConvProblem, fills
from refconv.formats import get_format
from refconv.implementations.torch_engine import TorchEngine
from refconv.judge import Evidence
from refconv.reference import im2col

Array = np.ndarray[Any, Any]

LENGTHS = (27, 576, 4608, 12600)
LAYERS = {27: (3, 3, 3), 576: (64, 3, 3), 4608: (512, 3, 3), 12600: (504, 5, 5)}  # C, kH, kW
BUDGET = {"float64": 2**53, "float32": 2**24, "bfloat16": 2**24, "float16": 2**15}


@dataclass(frozen=True)
class Fault:
    """An error that looks honest: its name, the format and fill on which it is shown."""

    name: str
    kind: str = "float32"
    fill: str = "real"


FAULTS = (
    Fault("inputs rounded to tf32"), Fault("inputs rounded to bf16"), Fault("float16 accumulation"),
    Fault("bfloat16 accumulation"), Fault("one product dropped"), Fault("one weight off by 2^-7"),
    Fault("bias added in bfloat16"), Fault("flush to zero", fill="subnormal"),
)  # fmt: skip


@cache
def sample(n: int, seed: int, kind: str, fill: str) -> Sample:
    """Make a layer of n products for each of 8 × 4 × 5 results, and a bias."""
    channels, kH, kW = LAYERS[n]
    problem = ConvProblem(batch=1, in_channels=channels, out_channels=8, input_size=(kH + 3, kW + 4),
                          kernel_size=(kH, kW))  # fmt: skip
    return _sample(problem, f"judge-power/{n}/{seed}/{kind}/{fill}", kind, fill)


def small_sample(seed: int, fill: str = "real") -> Sample:
    """Make a small layer, another one for every seed, in every format in turn."""
    kind = ("float32", "float64", "bfloat16", "float16")[seed % 4]
    kernel = (1 + seed % 3, 1 + seed // 3 % 4)
    problem = ConvProblem(batch=1 + seed % 2, in_channels=1 + seed % 29, out_channels=3 + seed % 5,
                          input_size=(kernel[0] + 4, kernel[1] + 5), kernel_size=kernel)  # fmt: skip
    return _sample(problem, f"judge-power/small/{seed}/{kind}/{fill}", kind, fill)


def _sample(problem: ConvProblem, key: str, kind: str, fill: str) -> Sample:
    element = get_format(kind)
    shapes = {name: problem.shape_of(name) for name in ("x", "weight", "bias")}
    if fill == "exact":
        ranges = fills.exact_ranges(problem, element, BUDGET[kind], has_bias=True)
        largest = {"x": ranges.x, "weight": ranges.weight, "bias": min(ranges.bias, element.largest_integer)}
        tensors = {name: fills.exact_integers(f"{key}/{name}", shapes[name], largest[name]) for name in shapes}
    else:
        tensors = {name: fills.full_mantissa(f"{key}/{name}", shapes[name], element) for name in shapes}
    if fill == "subnormal":  # results near and below the smallest normal number of float32
        scale = 2.0**-64 / np.sqrt(problem.reduction_length("forward"))
        tensors |= {"x": tensors["x"] * scale, "weight": tensors["weight"] * 2.0**-63, "bias": 0 * tensors["bias"]}
    cast = {name: values.astype(element.dtype) for name, values in tensors.items()}
    return Sample(Evidence("forward", cast, problem, element, exact_fill=fill == "exact"), fill)


def honest(one: Sample) -> Iterator[tuple[str, Array]]:
    """Compute a sample by everything that is installed and takes its format."""
    kind, problem, tensors = one.out.name, one.evidence.problem, one.evidence.tensors
    x, weight, bias = (np.asarray(tensors[name]) for name in ("x", "weight", "bias"))
    if importlib.util.find_spec("torch") is not None:
        yield f"torch {kind}", TorchEngine().forward(x, weight, bias, problem)
    if kind not in ("float32", "float64"):
        return
    columns, rows, offset = unfolded(x, problem), weight.reshape(len(weight), -1), bias.reshape(-1, 1, 1)
    yield f"NumPy matmul {kind}", np.matmul(rows, columns).reshape(problem.y_shape) + offset
    yield f"NumPy einsum {kind}", np.einsum("kr,nrp->nkp", rows, columns).reshape(problem.y_shape) + offset
    if kind == "float32" and one.evidence.problem.batch == 1:
        planes = [[correlate(x[0, c], w[c], mode="valid", method="direct") for c in range(len(x[0]))] for w in weight]
        yield f"SciPy correlate {kind}", np.add.reduce(np.asarray(planes), axis=1)[None] + offset


def unfolded(x: Array, problem: ConvProblem) -> Array:
    """Unfold an image without padding: (N, C * kH * kW, oH * oW)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, problem.kernel_size, axis=(2, 3))
    order = np.ascontiguousarray(np.moveaxis(windows, (2, 3), (4, 5)))
    return order.reshape(len(x), -1, int(np.prod(problem.output_size)))


def faulty(one: Sample, fault: Fault) -> Sample:
    """Compute a sample with an error in it."""
    problem, tensors = one.evidence.problem, one.evidence.tensors
    x, weight, bias = (np.array(tensors[name]) for name in ("x", "weight", "bias"))
    if fault.name.startswith("inputs rounded"):
        precision = 11 if fault.name.endswith("tf32") else 8
        x, weight = narrowed(x, precision), narrowed(weight, precision)
    middle = tuple(size // 2 for size in weight.shape[1:])
    if fault.name == "one product dropped":
        weight[(slice(None), *middle)] = 0
    elif fault.name == "one weight off by 2^-7":
        weight[(slice(None), *middle)] *= np.float32(1 + 2.0**-7)
    if fault.name.endswith("accumulation"):
        got = stepwise(x, weight, problem, fault.name.split()[0]) + bias.reshape(-1, 1, 1)
    elif fault.name == "bias added in bfloat16":
        short = get_format("bfloat16").dtype
        sums = im2col.forward(x, weight, None, problem).astype(short)
        got = (sums + bias.astype(short).reshape(-1, 1, 1)).astype(np.float32)
    else:
        got = im2col.forward(x, weight, bias, problem)
    if fault.name == "flush to zero":
        got = np.where(np.abs(got) < 2.0**one.out.min_exponent, np.float32(0), got)
    return Sample(one.evidence, one.fill, got.astype(one.out.dtype))


def stepwise(x: Array, weight: Array, problem: ConvProblem, name: str) -> Array:
    """Add float32 products one by one in a narrower format, scaled so that float16 does not overflow."""
    columns, rows, dtype = unfolded(x, problem)[0], weight.reshape(len(weight), -1), get_format(name).dtype
    scale = np.float32(2.0 ** max(0, np.frexp(float(np.abs(rows).sum(axis=1).max() * np.abs(x).max()))[1] - 15))
    total = np.zeros((len(rows), columns.shape[1]), dtype)
    for r in range(rows.shape[1]):
        product = rows[:, r, None] * columns[None, r] / scale
        total = (total.astype(np.float32) + product).astype(dtype)
    return (total.astype(np.float32) * scale).reshape(problem.y_shape)


def narrowed(tensor: Array, precision: int) -> Array:
    """Round to fewer bits, ties to even."""
    fraction, exponent = np.frexp(tensor.astype(np.float64))
    return np.ldexp(np.rint(np.ldexp(fraction, precision)), exponent - precision).astype(tensor.dtype)
