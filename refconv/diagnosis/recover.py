"""Recover which products an implementation adds up, from what it returns for coded inputs.

One operand is zero but for a single one, the other holds codes.  What comes out at an element is then the
sum of the codes that met the one there.  Two calls with different codes give away which element it was
and by what it was multiplied, whatever the factor; because all sums and differences of two codes of a
Sidon set are different, two elements that were added or subtracted are told apart, too.  Where more than two
meet, the codes are split in halves until no more do.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from refconv.diagnosis.codes import Decoder, decoder
from refconv.diagnosis.linear import Call, Linear, recover_linear
from refconv.diagnosis.products import ROLES, Array, Floats, Integers, Products
from refconv.fills import exact_integers
from refconv.problem import ConvProblem

MOST = 2**27  # pairs of a code and a result: about a second for each element of the other operand
MOST_TERMS = 2**18  # that are added up, where codes are read at once: what is made of them takes some kilobytes each
CHECK_LARGEST = 15  # the magnitude of the inputs by which a recovered table is checked


@dataclass(frozen=True)
class Recovery:
    """What was recovered of one operation on one problem.

    Attributes
    ----------
    operation : str
    problem : ConvProblem
    products : Products
        Empty for grad_bias.
    linear : Linear or None
        How the bias enters forward, or grad_output enters grad_bias.
    faithful : bool
        Whether the tables reproduce what the implementation gives for ordinary inputs.
    remark : str
        What stands in the way where they do not.
    calls : int
    """

    operation: str
    problem: ConvProblem
    products: Products
    linear: Linear | None
    faithful: bool
    remark: str
    calls: int


class Budget:
    """Counts calls, and says when the time is over."""

    def __init__(self, call: Call, seconds: float) -> None:
        self.call, self.calls, self.end = call, 0, time.monotonic() + seconds

    def __call__(self, inputs: dict[str, Array]) -> Floats:
        """Return the result; TimeoutError where it is too late, UnclearError where it is not finite."""
        if time.monotonic() > self.end:
            raise TimeoutError
        self.calls += 1
        result = self.call(inputs)
        if not np.isfinite(result).all():
            raise UnclearError("it returns infinities or NaN for inputs of a few large integers.")
        return result


def recover(operation: str, problem: ConvProblem, call: Call, seconds: float = 5.0, largest: int = 2**22) -> Recovery:
    """Recover the operator behind a function.

    Parameters
    ----------
    operation : {"forward", "grad_input", "grad_weight", "grad_bias"}
    problem : ConvProblem
    call : callable
        Takes a dict of float64 arrays (``x``, ``weight``, ``bias``, ``grad_output``), which hold integers,
        and returns the result.
    seconds : float
        Gives up after that long.
    largest : int
        The codes stay below.

    Examples
    --------
    >>> from refconv.reference import im2col
    >>> problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
    >>> found = recover("grad_weight", problem, lambda inputs: im2col.grad_weight(**inputs, problem=problem))
    >>> found.products.x.tolist(), found.products.weight.tolist(), found.faithful
    ([0, 1, 1, 2], [0, 0, 1, 1], True)
    """
    timed, nothing = Budget(call, seconds), _products(problem, operation, [])
    try:
        linear = recover_linear(operation, problem, timed)
        products = nothing if operation == "grad_bias" else _recovered(operation, problem, timed, largest)
        remark = _checked(operation, problem, products, linear, timed)
    except TimeoutError:
        return Recovery(
            operation, problem, nothing, None, False, "its calls take too long to look closer.", timed.calls
        )
    except UnclearError as error:
        return Recovery(operation, problem, nothing, None, False, str(error), timed.calls)
    return Recovery(operation, problem, products, linear, not remark, remark, timed.calls)


def zeros(operation: str, problem: ConvProblem) -> dict[str, Array]:
    """Return inputs of zeros."""
    names = {"forward": ("x", "weight", "bias"), "grad_bias": ("grad_output",)}
    wanted = names.get(operation) or tuple(ROLES[operation].arguments.values())
    return {name: np.zeros(problem.shape_of(name)) for name in wanted}


def ordinary(operation: str, problem: ConvProblem, key: str) -> dict[str, Array]:
    """Return inputs of small integers."""
    names = zeros(operation, problem)
    return {
        name: exact_integers(f"diagnosis/recover/{key}/{name}", zero.shape, CHECK_LARGEST)
        for name, zero in names.items()
    }


class UnclearError(Exception):
    """The answers cannot be read; the message says why."""


Row = tuple[Integers, Integers, int, Floats]  # result, coded, hot, factor


def _recovered(operation: str, problem: ConvProblem, call: Call, largest: int) -> Products:
    roles = ROLES[operation]
    hot, coded = roles.arguments[roles.hot], roles.arguments[roles.coded]
    size, results = (math.prod(problem.shape_of(name)) for name in (coded, operation))
    codes, inputs = decoder(size, largest), zeros(operation, problem)
    if results * (problem.reduction_length(operation) if codes.counts else size) > (
        MOST_TERMS if codes.counts else MOST
    ):
        raise UnclearError("the problem is too large.")
    silent = dict(inputs) | {hot: ordinary(operation, problem, "silent")[hot]}
    constant = call(inputs).ravel()  # what comes of nothing is no product; the check will tell
    lonely = not np.array_equal(call(silent).ravel(), constant)
    rows: list[Row] = []
    for index in range(math.prod(problem.shape_of(hot))):
        one = np.zeros(problem.shape_of(hot))
        one.flat[index] = 1
        here = dict(inputs) | {hot: one}
        alone = call(here).ravel() if lonely else constant

        def probe(values: Floats, here: dict[str, Array] = here, alone: Floats = alone) -> Floats:
            result: Floats = call(here | {coded: values.reshape(problem.shape_of(coded))}).ravel() - alone
            return result

        rows += [(out, where, index, factor) for out, where, factor in _split(probe, codes, np.ones(size, bool))]
        if lonely:
            (out,) = np.nonzero(alone - constant)
            rows.append((out, np.full(len(out), size), index, (alone - constant)[out]))
    return _products(problem, operation, rows)


def _split(
    probe: Callable[[Floats], Floats], codes: Decoder, mask: Array, depth: int = 0
) -> list[tuple[Array, Array, Array]]:
    """Decode what the elements in a mask contribute; halve the mask where that is ambiguous."""
    answers = [probe(vector * mask) for vector in codes.vectors]
    found, ambiguous = codes.decode(answers, mask)
    if not ambiguous.any():
        return [found]
    if depth > 14 or mask.sum() < 2:
        raise UnclearError("each result adds up more terms than could be told apart.")
    (members,) = np.nonzero(mask)
    halves = [np.isin(np.arange(len(mask)), members[start::2]) for start in (0, 1)]  # what meets is mostly adjacent
    return [part for half in halves for part in _split(probe, codes, half, depth + 1)]


def _products(problem: ConvProblem, operation: str, rows: list[Row]) -> Products:
    if not rows:
        empty = np.zeros(0, np.int64)
        return Products(problem, empty, empty, empty, np.zeros(0))
    roles = ROLES[operation]
    columns = {
        roles.result: np.concatenate([row[0] for row in rows]),
        roles.coded: np.concatenate([row[1] for row in rows]),
        roles.hot: np.concatenate([np.full(len(row[0]), row[2]) for row in rows]),
    }
    factor = np.concatenate([row[3] for row in rows])
    order = np.lexsort((columns[roles.coded], columns[roles.hot], columns[roles.result]))
    y, x, weight = (columns[name][order].astype(np.int64) for name in ("y", "x", "weight"))
    return Products(problem, y, x, weight, factor[order])


def _checked(operation: str, problem: ConvProblem, products: Products, linear: Linear | None, call: Call) -> str:
    """Compare the tables with what comes of ordinary inputs; say what is amiss, or nothing."""
    nothing = call(zeros(operation, problem))
    if nothing.any():
        constant = float(nothing.flat[np.flatnonzero(nothing)[0]])
        return f"of inputs that are all zero comes {constant:g}: a constant is added."
    for key in ("first", "second"):
        inputs = ordinary(operation, problem, key)
        predicted = np.zeros(problem.shape_of(operation))
        if operation != "grad_bias":
            predicted += products.compute(operation, inputs)
        if linear is not None:
            predicted += linear.compute(inputs)
        got = call(inputs)
        wrong = np.abs(got - predicted) > 2.0**-16 * np.abs(predicted).max(initial=1)
        if wrong.any():
            return (
                f"it is no sum of products: {int(wrong.sum())} of {wrong.size} results are not what its answers to "
                "single ones add up to (clipping, state, another path for zeros, or narrow arithmetic)."
            )
    return ""
