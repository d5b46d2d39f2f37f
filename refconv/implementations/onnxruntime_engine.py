"""onnxruntime on the CPU: Conv, ConvTranspose, ConvInteger and QLinearConv."""

from __future__ import annotations

from typing import Any

from refconv.implementations.onnx_model import Array, QuantizedOnnxLayers
from refconv.implementations.onnx_names import layers


def create(option: str | None = None) -> QuantizedOnnxLayers:
    """Make the engine ``onnxruntime``, or ``onnxruntime:auto_pad``, on one thread."""
    return layers(evaluate, "onnxruntime", option, ("onnxruntime", "onnx"))  # onnx builds the models


def evaluate(model: Any, x: Array) -> Array:
    """Run a model with one input and one output; NotImplementedError where no kernel takes its types."""
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidGraph, NotImplemented

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except (NotImplemented, InvalidGraph) as error:
        if "implementation" not in str(error) and "is invalid" not in str(error):
            raise
        raise NotImplementedError(f"onnxruntime has no kernel for it: {_sentence(error)}.") from error
    return session.run(None, {session.get_inputs()[0].name: x})[0]  # type: ignore[no-any-return]


def _sentence(error: Exception) -> str:
    return str(error).partition("\n")[0].rpartition(" : ")[2].rstrip(".")
