"""The ReferenceEvaluator of onnx."""

from __future__ import annotations

from typing import Any

from refconv.implementations.onnx_model import Array, QuantizedOnnxLayers


def create() -> QuantizedOnnxLayers:
    """Make the engine ``onnx``."""
    import onnx

    return QuantizedOnnxLayers(evaluate, "onnx", f"onnx {onnx.__version__}")


def evaluate(model: Any, x: Array) -> Array:
    """Run a model with one input and one output."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})[0]  # type: ignore[no-any-return]
