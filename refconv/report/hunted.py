"""What a hunt caught, for people: the problem, the numbers, a drawing and a reproducer."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console
from rich.markup import escape

from refconv.diagnosis.hunt import Catch, Hunt
from refconv.implementations import ARGUMENTS
from refconv.problem import ConvProblem
from refconv.report.geometry import marked

SMALL = 64  # elements up to which a tensor is printed
WIDEST = 40  # rows or columns of a drawing


def print_hunt(hunt: Hunt, console: Console) -> None:
    """Print what was caught, or that nothing was."""
    counts = f"{hunt.executed} calls, {hunt.unsupported} not supported, {hunt.seconds:.1f} s"
    if hunt.caught is None:
        found = "nothing found" if hunt.executed else "nothing was executed, so nothing is known"
        console.print(f"{escape(hunt.name)}: {found} ({counts}).")
        return
    console.print(f"[bold red]FOUND[/]  {escape(hunt.name)}  {hunt.caught.operation}  ({counts})")
    for line in (*_facts(hunt.caught), *drawing(hunt.caught)):
        console.print(f"  {line}", markup=False)
    _print_tensors(hunt.caught, console)
    console.print("\n[bold]Reproduce[/]\n")
    console.print(hunt.reproducer, markup=False, highlight=False, soft_wrap=True)


def drawing(caught: Catch) -> list[str]:
    r"""Draw the padded input in characters: what the first wrong element reads, what else there is, the padding.

    Returns
    -------
    list of str
        Empty where there is no element, or the picture would be too large to help.

    Examples
    --------
    >>> from refconv.judge import Element, Verdict
    >>> from refconv.diagnosis.hunt import Attempt
    >>> problem = ConvProblem.from_descriptor("n1c1i2x3-k1w1x2-s1x1-d1x2-p0+0x1+0-g1-o2x2")
    >>> first = Element((0, 0, 0, 0), 1.0, 2.0, 1.0, 1.0, 1.0)
    >>> caught = Catch(Attempt(problem), "forward", "wrong", verdict=Verdict(4, 1, first, first, 1.0, 0.0))
    >>> print(*drawing(caught)[1:], sep="\n")
    x o # o
    . o o o
    """
    problem, first = caught.attempt.problem, caught.verdict.first if caught.verdict else None
    padded = [length + sum(pads) for length, pads in zip(problem.input_size, problem.padding, strict=True)]
    if first is None or caught.operation == "grad_bias" or len(padded) != 2 or max(padded) > WIDEST:
        return []
    rows, columns = (set(places) for places in marked(problem, caught.operation, first.index[2:]))
    title = f"the input; # and x: what the element {list(first.index)} reads of it, x and .: padding"
    return [title] + [
        " ".join(_sign(problem, row, column, row in rows and column in columns) for column in range(padded[1]))
        for row in range(padded[0])
    ]


def _sign(problem: ConvProblem, row: int, column: int, read: bool) -> str:
    (top, _), (left, _) = problem.padding
    inside = top <= row < top + problem.input_size[0] and left <= column < left + problem.input_size[1]
    return ("#" if read else "o") if inside else ("x" if read else ".")


def _facts(caught: Catch) -> list[str]:
    attempt, p = caught.attempt, caught.attempt.problem
    shapes = f"x {p.x_shape}, weight {p.weight_shape}, y {p.y_shape}"
    geometry = f"stride {p.stride}, dilation {p.dilation}, padding {p.padding}, groups {p.groups}"
    inputs = f"{attempt.dtype}, fill {attempt.fill}, {'with' if attempt.bias else 'no'} bias, {attempt.layout}"
    facts = {"what": caught.message, "problem": p.descriptor, "shapes": shapes, "geometry": geometry, "inputs": inputs}
    return [f"{name:<9} {text}" for name, text in facts.items()]


def _print_tensors(caught: Catch, console: Console) -> None:
    tensors = caught.attempt.tensors("again" if "second call" in caught.message else "first")
    shown = {name: tensors[name] for name in ARGUMENTS[caught.operation] if name in tensors}
    if caught.result is not None:
        shown["result"] = caught.result
    for name, tensor in shown.items():
        if math.prod(tensor.shape) <= SMALL:
            values = tensor if tensor.dtype.kind in "iu" else tensor.astype(np.float64)
            rows = values.reshape(-1, values.shape[-1]) if values.shape[-1] > 1 else values.ravel()
            text = np.array2string(rows, max_line_width=100, precision=9).replace("\n", "\n    ")
            console.print(f"  {name} {tensor.shape}\n    {text}", markup=False)
