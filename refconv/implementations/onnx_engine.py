"""The ReferenceEvaluator of onnx."""

from __future__ import annotations

from typing import Any

from refconv.implementations.onnx_model import Array, QuantizedOnnxLayers
from refconv.implementations.onnx_names import layers


def create(option: str | None = None) -> QuantizedOnnxLayers:
    """Make the engine ``onnx``, or ``onnx:auto_pad``, which is told padding by its name."""
    return layers(evaluate, "onnx", option, ("onnx",))


def evaluate(model: Any, x: Array) -> Array:
    """Run a model with one input and one output."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})[0]  # type: ignore[no-any-return]
