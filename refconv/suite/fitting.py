"""Whether the tensors of a case fit its problem: whoever computes with a case relies on it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from refconv.problem import Problem, TransposedProblem
from refconv.suite.lint_quantized import lint_quantization
from refconv.suite.model import Array, Case

# What each operation reads; the bias is optional.
NEEDS = {
    "y": ("x", "weight"),
    "grad_input": ("grad_output", "weight"),
    "grad_weight": ("x", "grad_output"),
    "grad_bias": ("grad_output",),
}
MOST = 2**26  # elements of an image with its padding, even of one that has no channels


def misfits(case: Case) -> Iterator[str]:
    """Yield what keeps a case from being computed with; that all names are known is presupposed."""
    yield from vast(case.problem)
    if case.result == "invalid":  # tensors that do not fit may be why
        return
    for name, array in case.inputs.items():
        yield from misshapen(case, name, name, array)
    for name, expected in case.expected.items():
        for part, array in expected.parts.items():
            yield from misshapen(case, name, name if part == "tensor" else f"{name}.{part}", array)
    for _, name, expected in case.all_expected():
        yield from unfed(case, name, name)
        for part, array in expected.parts.items():
            if array.shape != expected.tensor.shape:
                yield f"{name}.{part} must have the shape {expected.tensor.shape}, got {array.shape}."
    if case.quantization is not None:
        yield from lint_quantization(case, case.quantization)


def misshapen(case: Case, name: str, label: str, array: Array) -> Iterator[str]:
    """Yield a sentence if a tensor has another shape than the problem gives it."""
    shape = case.problem.shape_of(name)
    if array.shape != shape:
        yield f"{label} must have the shape {shape} that the problem gives it, got {array.shape}."


def unfed(case: Case, name: str, label: str) -> Iterator[str]:
    """Yield a sentence if an expected result lacks an input that it is computed from."""
    missing = [needed for needed in NEEDS[name] if needed not in case.inputs]
    if missing:
        yield f"{label} must have the inputs {', '.join(NEEDS[name])}, {', '.join(missing)} is missing."


def vast(problem: Problem) -> Iterator[str]:
    """Yield a sentence if computing would take memory that no file of the suite has to hold.

    Padding takes none in the files, and an image without channels none at all.
    """
    gathers = problem.adjoint if isinstance(problem, TransposedProblem) else problem
    image = [length + sum(map(abs, pads)) for length, pads in zip(gathers.input_size, gathers.padding, strict=True)]
    for shape in ((*gathers.x_shape[:2], *image), gathers.weight_shape, gathers.y_shape):
        if math.prod(max(1, extent) for extent in shape) > MOST:
            yield f"its problem must be one of at most {MOST} elements, padding included, got {problem}."
            return
