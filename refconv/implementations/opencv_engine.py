"""OpenCV's dnn module, which is handed the layer as an ONNX model."""

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.implementations.limits import require_formats
from refconv.implementations.onnx_model import Array, OnnxLayers
from refconv.problem import ConvProblem


class OpencvEngine(OnnxLayers):
    """Conv and ConvTranspose in float32, on one thread."""

    def __init__(self) -> None:
        import cv2
        import onnx

        self.cv2: Any = cv2
        version = f"opencv {cv2.__version__}, onnx {onnx.__version__}"
        super().__init__(self._evaluate, "opencv", version, floats=("float32",))
        cv2.setNumThreads(1)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        require_formats("OpenCV's dnn", self.floats, x, weight, bias)  # it would compute ConvInteger in float32
        return super().forward(x, weight, bias, problem)

    def _evaluate(self, model: Any, x: Array) -> Array:
        net = self.cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8))
        net.setInput(x)
        return net.forward()  # type: ignore[no-any-return]


def create() -> OpencvEngine:
    """Make the engine ``opencv``."""
    return OpencvEngine()
