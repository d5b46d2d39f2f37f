"""Draw the pictures of the docs: ``python scripts/teaching_pictures.py``; a test holds them to what this makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import refconv
from refconv.report.drawn import drawing
from refconv.report.panels import Panel, svg
from refconv.suite import load_suite
from refconv.suite.embedded import smoke_folder

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
WORKED = "worked-example-float32-iota/x3x3-w2x2"
SHOWN = "asymmetric-float32-exact/s21-d12-p1021"

Array = npt.NDArray[Any]


def pictures() -> dict[str, str]:
    """Return every picture by the name of its file."""
    suite = load_suite(smoke_folder())
    case = suite.case(WORKED)
    places = {name: index for name, index in zip("abcd", np.ndindex(1, 1, 2, 2), strict=True)}
    sliding = {f"sliding-{name}.svg": drawing(case, "forward", index) for name, index in places.items()}
    x, weight, grad = (np.asarray(case.inputs[name], float) for name in ("x", "weight", "grad_output"))
    matrix = refconv.convolution_matrix(weight, case.problem).toarray()
    return {
        **sliding,
        "taps.svg": drawing(suite.case(SHOWN), "forward", (0, 0, 1, 4)),
        "matrix.svg": product(matrix, column(x), "W*", "X*", "Y*", "W* X* = Y*"),
        "adjoint.svg": product(matrix.T, column(grad), "(W*)ᵀ", "∇", "∂ℓ/∂X*", "(W*) transposed times the gradient"),
        "projection.svg": projection(matrix, x, grad),
        "columns.svg": columns(x, weight),
        "grad-weight.svg": drawing(case, "grad_weight", (0, 0, 0, 1)),
    }


def column(values: Array) -> Array:
    """Unroll an image to a column."""
    return values.reshape(-1, 1)


def panel(title: str, values: Array, kinds: dict[tuple[int, int], str] | None = None, sign: str = "") -> Panel:
    """Write numbers into cells; zeros are faint."""
    cells = tuple(tuple(f"{value:.0f}" for value in row) for row in values)
    zeros: dict[tuple[int, int], str] = {(int(i), int(j)): "zero" for i, j in np.argwhere(values == 0)}
    return Panel(title, cells, zeros | (kinds or {}), sign)


def product(matrix: Array, vector: Array, *names: str) -> str:
    """Draw a matrix, a vector and their product."""
    first, second, third, description = names
    read: dict[tuple[int, int], str] = {(int(i), int(j)): "read" for i, j in np.argwhere(matrix)}
    parts = [panel(first, matrix, read), panel(second, vector, sign="·"), panel(third, matrix @ vector, sign="=")]
    return svg(parts, description)


def projection(matrix: Array, x: Array, grad: Array) -> str:
    """Draw the outer product, and the places of it that belong to one weight."""
    outer = column(grad) @ column(x).T
    kinds: dict[tuple[int, int], str] = {(int(i), int(j)): "read" for i, j in np.argwhere(matrix)}
    kinds |= {(int(i), int(j)): "mark" for i, j in np.argwhere(matrix == 2)}
    sums = np.array([[outer[matrix == 2 * i + j + 1].sum() for j in range(2)] for i in range(2)])
    parts = [panel("∇ (X*)ᵀ", outer, kinds), panel("grad_weight", sums, {(0, 1): "mark"}, "→")]
    return svg(parts, "The outer product of gradient and input, and its projection to the gradient of the weights")


def columns(x: Array, weight: Array) -> str:
    """Draw im2col: the weights as a row, the windows as columns."""
    windows = np.lib.stride_tricks.sliding_window_view(x[0, 0], (2, 2)).reshape(4, 4).T
    row = weight.reshape(1, 4)
    parts = [panel("weight", row), panel("windows as columns", windows, sign="·"), panel("y", row @ windows, sign="=")]
    return svg(parts, "im2col: one row of weights times the windows as columns")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in pictures().items():
        (FOLDER / file).write_text(text, "utf-8")
        print(FOLDER / file)
