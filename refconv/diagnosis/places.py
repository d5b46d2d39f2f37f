"""Which results are wrong, and what stands there: what can be said where no product could be recovered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from refconv.diagnosis.patterns import covers, pattern_of, selection_of
from refconv.diagnosis.probes import Probe
from refconv.diagnosis.products import Array, Floats, Integers
from refconv.diagnosis.recover import Budget, Call, UnclearError
from refconv.implementations import ARGUMENTS, RESULT_NAMES
from refconv.problem import ConvProblem
from refconv.reference import im2col

LETTERS = {
    "forward": ("n", "k", "oh", "ow"), "grad_input": ("n", "ic", "ih", "iw"), "grad_weight": ("k", "c", "kh", "kw"),
    "grad_bias": ("k",),
}  # fmt: skip
MOST = 64  # calls to find out which images count wrongly


def wrong_places(operation: str, probe: Probe, call: Call, seconds: float = 1.0) -> str:
    """Say which results of an operation are wrong, or which images a gradient of parameters counts wrongly.

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
            text = _images(operation, probe.problem, tensors, timed) or text
    except (TimeoutError, UnclearError):
        return ""
    return f"On {probe.problem}, {text}." if text else ""


def _results(operation: str, tensors: Mapping[str, Array], truth: Array, got: Floats) -> str:
    """Describe the wrong results by their indices and by what they hold."""
    wrong, name = (got != truth).ravel(), RESULT_NAMES[operation]
    if not wrong.any():
        return ""
    letters: dict[str, Integers] = {
        letter: part.ravel().astype(np.int64)
        for letter, part in zip(LETTERS[operation], np.indices(truth.shape), strict=True)
    }
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


def _images(operation: str, problem: ConvProblem, tensors: Mapping[str, Array], call: Call) -> str:
    """Find the images whose share of a gradient is wrong: while that of a group is, its halves are looked at."""
    todo, wrong, lost = [np.arange(problem.batch)], list[int](), True
    for _ in range(MOST):
        if not todo:
            break
        group = todo.pop()
        alone = np.isin(np.arange(problem.batch), group)
        share = call({name: tensor * alone[:, None, None, None] for name, tensor in tensors.items()})
        part = replace(problem, batch=len(group))
        if np.array_equal(share, getattr(im2col, operation)(*(tensor[alone] for tensor in tensors.values()), part)):
            continue
        if len(group) > 1:
            todo += np.array_split(group, 2)
        else:
            wrong.append(int(group[0]))
            lost &= not share.any()
    pattern = pattern_of("n", np.array(wrong), np.arange(problem.batch)) if wrong and not todo else None
    if pattern is None:
        return ""
    return f"{RESULT_NAMES[operation]} {'misses' if lost else 'counts wrongly'} the images where {pattern}"
