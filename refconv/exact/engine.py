"""Turn any reference into one whose result is the exact real number, rounded once.

A reference that computes on float64 is fed slices of small integers, on which it cannot round; one
that declares ``unbounded_integers`` is fed Python integers.  Either way the exact sum of products is
known before anything is rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.exact.bounded import BoundedSum, serves
from refconv.exact.places import is_elsewhere
from refconv.exact.products import products, with_problem
from refconv.exact.slicing import SIGNIFICAND, as_float64, as_reals, ceil_log2, finite_extent, slices, widths
from refconv.exact.special import SpecialSum, add, finite_part, resolve
from refconv.exact.sums import ExactSum, FloatSum, IntegerSum, SlicedSum, to_integers
from refconv.exact.transposition import adjoint_call
from refconv.formats import NumberFormat, get_format
from refconv.problem import ConvProblem, Problem, TransposedProblem

Array = npt.NDArray[Any]
Format = str | NumberFormat

FACTORS = {
    "forward": ("x", "weight"),
    "grad_input": ("grad_output", "weight"),
    "grad_weight": ("x", "grad_output"),
    "grad_bias": ("grad_output",),
}


def exact_sum(operation: str, tensors: Mapping[str, Array | None], problem: Problem, using: Any) -> ExactSum:
    """Compute an operation exactly, and do not round it yet.

    Parameters
    ----------
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    tensors : mapping
        The operation's inputs among ``x``, ``weight``, ``bias`` and ``grad_output``; others are not read.
    problem : ConvProblem or TransposedProblem
    using : reference
        :mod:`refconv.reference.direct`, ``sparse`` or ``im2col``, or anything with the same functions; for a
        transposed convolution, one of :mod:`refconv.reference.transposed`.

    Returns
    -------
    ExactSum
        Of the shape of the result.  NaN and infinities are in it by the rules of
        :mod:`refconv.exact.special`, on the products that exist; padding is absence.
    """
    factors = [as_reals(tensors[name]) for name in FACTORS[operation]]
    for name, factor in zip(FACTORS[operation], factors, strict=True):
        problem.check_tensor(name, factor.shape)
    total = _unbiased(operation, dict(zip(FACTORS[operation], factors, strict=True)), problem, using)
    bias = tensors.get("bias") if operation == "forward" else None
    if bias is None:
        return total
    problem.check_tensor("bias", np.shape(bias))
    return add(total, as_float64(as_reals(bias)).reshape(-1, *[1] * len(problem.output_size)))


def _unbiased(operation: str, tensors: Mapping[str, Any], problem: Problem, using: Any) -> ExactSum:
    """Compute an operation on reals, without bias."""
    if isinstance(problem, TransposedProblem) and operation != "grad_bias":
        operation, tensors, problem, using = adjoint_call(operation, tensors, problem, using)
    factors = [tensors[name] for name in FACTORS[operation]]
    extents = list(map(finite_extent, factors))
    if None not in extents:
        return _finite_sum(operation, factors, extents, problem, using)
    finite = list(map(finite_part, factors))
    total = _finite_sum(operation, finite, list(map(finite_extent, finite)), problem, using)
    return SpecialSum(total, resolve(factors, _applied(operation, problem, using)))


def exact_magnitude(operation: str, tensors: Mapping[str, Array | None], problem: Problem, using: Any) -> ExactSum:
    """Compute S, the exact sum of the absolute values of all products (and of the bias).

    Parameters are those of :func:`exact_sum`.
    """
    absolute = {name: None if value is None else np.abs(as_reals(value)) for name, value in tensors.items()}
    return exact_sum(operation, absolute, problem, using)


def count_terms(operation: str, tensors: Mapping[str, Array | None], problem: Problem, using: Any) -> Array:
    """Count n, the products that exist for each result (and one for the bias), as int64.

    Parameters are those of :func:`exact_sum`; only the presence of ``bias`` is read, and where the others are.
    """
    ones = {name: _ones(problem.shape_of(name), tensors.get(name)) for name in FACTORS[operation]}
    counted = exact_sum(operation, ones, problem, using).round(get_format("float64")).astype(np.int64)
    return counted + (operation == "forward" and tensors.get("bias") is not None)


def forward(
    x: Array, weight: Array, bias: Array | None, problem: Problem,
    out_format: Format, using: Any, overflow: str | None = None,
) -> Array:  # fmt: skip
    """Compute the layer exactly and round it once.

    Parameters
    ----------
    x : array, shape (N, C, H, W)
    weight : array, shape (K, C/G, kH, kW)
    bias : array, shape (K,), or None
    problem : ConvProblem or TransposedProblem
    out_format : str or NumberFormat
    using : reference
    overflow : {"infinity", "saturate", "nan"}, optional
        Required for formats without infinity.

    Returns
    -------
    array of the format's dtype, shape (N, K, oH, oW)

    Raises
    ------
    FormatError
        If an integer format cannot hold a result.

    Examples
    --------
    >>> from refconv import ConvProblem
    >>> from refconv.reference import im2col
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
    >>> x, weight = np.array([[[[1.0, 2.0**-60]]]]), np.ones((1, 1, 1, 2))
    >>> float(forward(x, weight, -np.ones(1), problem, "float32", using=im2col)[0, 0, 0, 0]) == 2.0**-60
    True
    """
    tensors = {"x": x, "weight": weight, "bias": bias}
    return exact_sum("forward", tensors, problem, using).round(get_format(out_format), overflow)


def grad_input(
    grad_output: Array, weight: Array, problem: Problem, out_format: Format, using: Any, overflow: str | None = None
) -> Array:
    """Compute grad_input, shape (N, C, H, W), exactly and round it once; see :func:`forward`."""
    tensors = {"grad_output": grad_output, "weight": weight}
    return exact_sum("grad_input", tensors, problem, using).round(get_format(out_format), overflow)


def grad_weight(
    x: Array, grad_output: Array, problem: Problem, out_format: Format, using: Any, overflow: str | None = None
) -> Array:
    """Compute grad_weight, shape (K, C/G, kH, kW), exactly and round it once; see :func:`forward`."""
    tensors = {"x": x, "grad_output": grad_output}
    return exact_sum("grad_weight", tensors, problem, using).round(get_format(out_format), overflow)


def grad_bias(
    grad_output: Array, problem: Problem, out_format: Format, using: Any, overflow: str | None = None
) -> Array:
    """Compute grad_bias, shape (K,), exactly and round it once; see :func:`forward`."""
    return exact_sum("grad_bias", {"grad_output": grad_output}, problem, using).round(get_format(out_format), overflow)


def _finite_sum(operation: str, factors: list[Array], extents: Any, problem: Problem, using: Any) -> ExactSum:
    if getattr(using, "unbounded_integers", False):
        return _integer_sum(operation, factors, problem, using)
    if isinstance(problem, ConvProblem) and serves(operation, factors, extents, problem):
        return BoundedSum(operation, factors, extents, problem, using)
    parts = products(operation, factors, extents, problem, with_problem(operation, using))
    if parts is None:
        return _sliced_sum(operation, factors, problem, using)
    return FloatSum(problem.shape_of(operation), tuple(parts))


def _sliced_sum(operation: str, factors: list[Array], problem: Problem, using: Any) -> SlicedSum:
    """Convolve slice pairs in float64 and add the pairs of equal weight in int64."""
    terms: dict[int, Any] = {}
    for exponent, digits in _sliced_products(operation, factors, problem, using):
        part = digits.astype(np.int64)
        terms[exponent] = terms[exponent] + part if exponent in terms else part
    shape = problem.shape_of(operation)
    nothing = {} if terms else {0: np.zeros(shape, dtype=np.int64, like=factors[0])}
    return SlicedSum(shape, tuple(sorted((terms | nothing).items())))


def _sliced_products(operation: str, factors: list[Array], problem: Problem, using: Any) -> list[tuple[int, Array]]:
    apply, terms = _applied(operation, problem, using), problem.reduction_length(operation)
    factors = list(map(as_float64, factors))
    if len(factors) == 1:
        only = slices(factors[0], SIGNIFICAND + 1 - max(1, ceil_log2(terms)))
        return [(exponent, apply(digits)) for exponent, digits in only]
    first, second = map(slices, factors, widths(factors[0], factors[1], terms))
    return [(e1 + e2, apply(d1, d2)) for e1, d1 in first for e2, d2 in second]


def _ones(shape: tuple[int, ...], like: Any) -> Array:
    return np.ones_like(like, dtype=np.float32) if is_elsewhere(like) else np.ones(shape, np.float32)


def _integer_sum(operation: str, factors: list[Array], problem: Problem, using: Any) -> IntegerSum:
    """Convolve Python integers."""
    integers, exponents = zip(*map(to_integers, factors), strict=True)
    return IntegerSum(problem.shape_of(operation), _applied(operation, problem, using)(*integers), sum(exponents))


def _applied(operation: str, problem: Problem, using: Any) -> Callable[..., Array]:
    apply = with_problem(operation, using)
    return lambda *factors: apply(*factors, problem)
