"""What a wrong result reads instead, asked of the defect model that predicts it: the wrong taps of the picture."""

from __future__ import annotations

import math

import numpy as np

from refconv.check import Outcome
from refconv.diagnosis.defects import Triggered, known_defects
from refconv.diagnosis.layer import ABSENT, Layer
from refconv.problem import ConvProblem
from refconv.report.geometry import LABELLED, Grid, Mark, Place, Slot, drawable, field, label, reads, slots_of
from refconv.report.words import place, problem_of

MOST = 40_000  # elements of a problem that a model is asked about
SOURCE = {"forward": "x", "grad_weight": "x", "grad_input": "y"}


def draw_predicted(outcome: Outcome, defect: str) -> Grid | None:
    """Draw what the first wrong element reads if a defect is behind it.

    Returns
    -------
    Grid or None
        None where the model reads what it must, or there is nothing to draw.
    """
    problem, first = problem_of(outcome.descriptor), outcome.first
    if problem is None or first is None or outcome.operation not in SOURCE or not drawable(problem):
        return None
    if defect not in known_defects():  # a fault of numbers reads what it must
        return None
    must = reads(problem, outcome.operation, first.index[2:])
    sizes = (math.prod(problem.shape_of(name)) for name in ("x", "weight", "y"))
    slots = list(np.ndindex(*slots_of(problem, outcome.operation)))
    if len(slots) > LABELLED or sum(sizes) > MOST:
        return None
    layer: Layer = known_defects()[defect]()
    if isinstance(layer, Triggered):
        layer = layer.layer(outcome.operation, problem, np.dtype("float32"))
    does = {slot: _asked(layer, outcome.operation, problem, first.index, slot) for slot in slots}
    drawn, strange = _compare(must, does, problem, outcome)
    if not strange and all(mark.kind == "right" for mark in drawn):
        return None
    caption = f"What {place(outcome.operation, first.index)} reads if it is {defect}. " + _remark(drawn, strange)
    return field(problem, outcome.operation, caption, tuple(drawn))


def _asked(layer: Layer, operation: str, problem: ConvProblem, index: tuple[int, ...], slot: Slot) -> float:
    """Return 1 + the flat index of the element that meets a slot; 0 for none, NaN for what is not a single element.

    All elements of the source are different numbers, so large that a sum of two is none of them; of the other
    factor a single element is one.
    """
    source, result = SOURCE[operation], problem.shape_of(operation)
    size = math.prod(problem.shape_of(source))
    codes = (4.0 * size + 1 + np.arange(size)).reshape(problem.shape_of(source))
    other = np.zeros(problem.y_shape if operation == "grad_weight" else problem.weight_shape)
    other[(*_met(problem, operation, index)[0], *slot)] = 1
    with np.errstate(all="ignore"):
        if operation == "forward":
            got = layer.forward(codes, other, None, problem)
        elif operation == "grad_weight":
            got = layer.grad_weight(codes, other, problem)
        else:
            got = layer.grad_input(codes, other, problem)
    value = float(got[index]) if got.shape == result else math.nan
    code = value - 4.0 * size
    return 0.0 if value == 0 else (code if code == int(code) and 1 <= code <= size else math.nan)


def _met(problem: ConvProblem, operation: str, index: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the leading indices of one element of the other factor, and those of the source that it must meet."""
    (a, b), channels = index[:2], problem.in_channels // problem.groups
    filters = problem.out_channels // problem.groups
    if operation == "forward":
        return (b, 0), (a, b // filters * channels)
    if operation == "grad_weight":
        return (0, a), (0, a // filters * channels + b)
    return (b // channels * filters, b % channels), (a, b // channels * filters)


def _compare(
    must: dict[Slot, Place], does: dict[Slot, float], problem: ConvProblem, outcome: Outcome
) -> tuple[list[Mark], list[str]]:
    """Mark what is read, and list the slots that read what is not on this plane."""
    drawn: list[Mark] = []
    strange: list[str] = []
    extents = slots_of(problem, outcome.operation)
    shape = problem.shape_of(SOURCE[outcome.operation])
    begins = [begin for begin, _ in problem.padding] if SOURCE[outcome.operation] == "x" else [0, 0]
    assert outcome.first is not None
    plane = _met(problem, outcome.operation, outcome.first.index)[1]
    for slot, code in does.items():
        name, should = label(slot, extents), must.get(slot)
        there = _element(code, plane, shape)
        if there[:2] != plane:
            strange.append(name)
            continue
        found = None if there[2:] == (ABSENT, ABSENT) else (there[2] + begins[0], there[3] + begins[1])
        padding = should is not None and _absent(should, begins, shape)
        if should and (found == should or (found is None and padding)):
            drawn.append(Mark(*should, name))
        elif found:
            drawn.append(Mark(*found, name, "wrong"))
        elif should:
            drawn.append(Mark(*should, name, "missing"))
    return drawn, strange


def _element(code: float, plane: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index that a code stands for: of this plane and nowhere on it for 0, of no plane for NaN."""
    if math.isnan(code):
        return ABSENT, ABSENT
    return tuple(map(int, np.unravel_index(int(code) - 1, shape))) if code else (*plane, ABSENT, ABSENT)


def _absent(at: Place, begins: list[int], shape: tuple[int, ...]) -> bool:
    return not all(begin <= i < begin + n for i, begin, n in zip(at, begins, shape[2:], strict=True))


def _remark(drawn: list[Mark], strange: list[str]) -> str:
    kinds = {
        "Crossed: read there, and must not be": [mark.label for mark in drawn if mark.kind == "wrong"],
        "Hollow: must be read, and is not": [mark.label for mark in drawn if mark.kind == "missing"],
        "On other channels or images, or more than one element": strange,
    }
    return " ".join(f"{words}: {_some(labels)}." for words, labels in kinds.items() if labels)


def _some(labels: list[str], limit: int = 8) -> str:
    known = list(dict.fromkeys(labels))
    return ", ".join(known[:limit]) + (f" and {len(known) - limit} more" if known[limit:] else "")
