"""Which results are wrong, and what stands there: what can be said where no product could be recovered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from refconv.diagnosis.linear import Call
from refconv.diagnosis.patterns import covers, selection_of
from refconv.diagnosis.probes import Probe
from refconv.diagnosis.products import Array, Floats, Letters
from refconv.diagnosis.recover import Budget, UnclearError
from refconv.fills import exact_integers
from refconv.formats import natural_output
from refconv.implementations import ARGUMENTS, RESULT_NAMES
from refconv.reference import im2col

LETTERS = {
    "forward": ("n", "k", "oh", "ow"), "grad_input": ("n", "ic", "ih", "iw"), "grad_weight": ("k", "c", "kh", "kw"),
    "grad_bias": ("k",),
}  # fmt: skip
MOST = 256  # calls to find out what counts wrongly


def wrong_places(operation: str, probe: Probe, call: Call, seconds: float = 2.0) -> str:
    """Say which results of an operation are wrong, or what of grad_output a gradient of parameters counts wrongly.

    Parameters
    ----------
    operation : str
    probe : Probe
        What goes wrong on it is looked at; its problem may be as large as it likes.
    call : callable
        Takes a dict of float64 arrays, and returns the result.
    seconds : float
        Gives up after that long.

    Returns
    -------
    str
        Sentences; empty if no pattern was found.

    Examples
    --------
    >>> from refconv.diagnosis.probes import probe_of
    >>> from refconv.problem import ConvProblem
    >>> probe = probe_of(ConvProblem.from_descriptor("n9c1i1x3-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x2"))
    >>> def forward(inputs):
    ...     return im2col.forward(**inputs, problem=probe.problem) * (np.arange(9) < 8)[:, None, None, None]
    >>> wrong_places("forward", probe, forward)
    'On n9c1i1x3-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x2, y is zero where n == 8 (the last).'
    """
    tensors = {name: probe.tensors[name].astype(np.float64) for name in ARGUMENTS[operation]}
    timed = Budget(call, seconds)
    try:
        text = _results(operation, tensors, probe.truth[operation], timed(tensors))
        if operation in ("grad_weight", "grad_bias"):
            text = _shares(operation, probe, timed) or text
    except (TimeoutError, UnclearError):
        return ""
    return f"On {probe.problem}, {text}." if text else ""


def _results(operation: str, tensors: Mapping[str, Array], truth: Array, got: Floats) -> str:
    """Describe the wrong results by their indices and by what they hold."""
    wrong, name = (got != truth).ravel(), RESULT_NAMES[operation]
    if not wrong.any():
        return ""
    letters = _letters(LETTERS[operation], truth.shape)
    everything = np.ones(len(wrong), bool)
    what = "is zero" if not got.ravel()[wrong].any() else "is wrong"
    if "bias" in tensors and np.array_equal(got.ravel()[wrong], tensors["bias"][letters["k"]][wrong]):
        what = "holds the bias alone"
    if wrong.all():
        return f"{name} {what} everywhere"
    selection = selection_of(wrong, everything, letters)
    if selection is not None:
        return f"{name} {what} {selection.clause}"
    parts = covers(wrong, everything, letters)
    return f"all of {name} that {what} lies {parts[0].clause}, where some of it is right" if parts else ""


def _shares(operation: str, probe: Probe, call: Call) -> str:
    """Find the positions of grad_output whose share of a gradient is wrong, and say where they lie.

    While the share of some positions is wrong, but not lost altogether, their halves are looked at.
    """
    problem = probe.problem
    shape = (problem.batch, *problem.output_size)
    todo, wrong, lost = [np.arange(math.prod(shape))], np.zeros(math.prod(shape), bool), True
    for _ in range(MOST):
        if not todo:
            break
        group = todo.pop()
        inputs = _inputs(operation, probe, len(group))
        if inputs is None:
            return ""
        alone = np.isin(np.arange(len(wrong)), group).reshape(shape)
        inputs["grad_output"] *= alone[:, None]
        share = call(inputs)
        if np.array_equal(share, getattr(im2col, operation)(*inputs.values(), problem)):
            continue
        if share.any() and len(group) > 1:
            todo += np.array_split(group, 2)
        else:
            wrong[group], lost = True, lost and not share.any()
    letters = _letters(("n", "oh", "ow"), shape)
    selection = selection_of(wrong, np.ones(len(wrong), bool), letters) if wrong.any() and not todo else None
    if selection is None or not selection.patterns:
        return ""
    verb = "misses grad_output" if lost else "counts grad_output wrongly"
    return f"{RESULT_NAMES[operation]} {verb} {selection.clause}"


def _inputs(operation: str, probe: Probe, terms: int) -> dict[str, Array] | None:
    """Return integers as large as sums of that many products allow, so that nothing is right by chance, or None."""
    element = probe.element
    largest = min(element.largest_integer, math.isqrt(2 ** (natural_output(element).precision - 1) // terms))
    return (
        {
            name: exact_integers(f"diagnosis/places/{name}", probe.problem.shape_of(name), largest)
            for name in ARGUMENTS[operation]
        }
        if largest
        else None
    )


def _letters(names: Sequence[str], shape: Sequence[int]) -> Letters:
    return {name: part.ravel().astype(np.int64) for name, part in zip(names, np.indices(tuple(shape)), strict=True)}
