"""Padding said to ONNX by its name, ``auto_pad``, instead of in numbers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from refconv.errors import ImplementationError
from refconv.implementations.onnx_model import Array, Evaluate, Node, QuantizedOnnxLayers
from refconv.problem import named_padding
from refconv.problem.padding import named_transposed_padding

OPTION = "auto_pad"
NAMES = ("SAME_UPPER", "SAME_LOWER", "VALID")


class NamedOnnxLayers(QuantizedOnnxLayers):
    """The same layers; a problem whose padding is none of the names' is not supported."""

    def _run(self, x: Array, nodes: list[Node], shape: tuple[int, ...], dtype: np.dtype[Any] | None = None) -> Array:
        return super()._run(x, [by_name(nodes[0], x.shape[2:]), *nodes[1:]], shape, dtype)


def layers(evaluate: Evaluate, name: str, option: str | None, packages: tuple[str, ...]) -> QuantizedOnnxLayers:
    """Make the engine ``NAME`` or ``NAME:auto_pad``, whose versions are those of some packages.

    Raises
    ------
    ImplementationError
        If the option is another one.
    ImportError
        If a package is not installed.
    """
    if option not in (None, OPTION):
        raise ImplementationError(f"the option of {name} must be {OPTION}, got {option!r}.")
    version = ", ".join(f"{package} {import_module(package).__version__}" for package in packages)
    if option:
        return NamedOnnxLayers(evaluate, f"{name}:{option}", version)
    return QuantizedOnnxLayers(evaluate, name, version)


def by_name(node: Node, size: tuple[int, ...]) -> Node:
    """Return a node that says ``auto_pad`` where it said ``pads``.

    Parameters
    ----------
    node : Node
        Of a layer.
    size : tuple of int
        The extents of its input.

    Raises
    ------
    NotImplementedError
        If no name stands for its pads.

    Examples
    --------
    >>> said = {"kernel_shape": (3,), "strides": (2,), "dilations": (1,), "pads": [0, 1]}
    >>> by_name(("Conv", {}, said, "y"), (8,))[2]["auto_pad"]
    'SAME_UPPER'
    """
    kind, tensors, stated, output = node
    half = len(size)
    pads = tuple(zip(stated["pads"][:half], stated["pads"][half:], strict=True))
    kernel, stride, dilation = (tuple(stated[name]) for name in ("kernel_shape", "strides", "dilations"))
    extra = tuple(stated.get("output_padding", (0,) * half))
    for name in NAMES:
        if kind == "ConvTranspose":
            found = named_transposed_padding(name, kernel, stride, dilation, extra)
        else:
            found = named_padding(name, size, kernel, stride, dilation), extra
        if found == (pads, extra):
            rest = {key: value for key, value in stated.items() if key != "pads"}
            return kind, tensors, rest | {"auto_pad": name}, output
    raise NotImplementedError(f"{', '.join(NAMES)} stand for other pads than {pads}.")
