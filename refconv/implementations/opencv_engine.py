"""OpenCV's dnn module, which is handed the layer as an ONNX model."""

from __future__ import annotations

from typing import Any

import numpy as np

from refconv.errors import ImplementationError
from refconv.implementations.onnx_model import Array, OnnxLayers
from refconv.problem import ConvProblem

GRAPH_ENGINES = ("classic", "new")


class OpencvEngine(OnnxLayers):
    """Conv and ConvTranspose in float32, on one thread.

    Parameters
    ----------
    option : {None, "classic", "new"}
        Which of OpenCV's two graph engines computes; by default OpenCV chooses.
    """

    def __init__(self, option: str | None = None) -> None:
        import cv2
        import onnx

        self.cv2: Any = cv2
        self.option = option
        name = f"opencv:{option}" if option else "opencv"
        super().__init__(self._evaluate, name, f"opencv {cv2.__version__}, onnx {onnx.__version__}", ("float32",))
        cv2.setNumThreads(1)

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        if x.dtype.name != "float32":  # its importer knows ConvInteger, and computes it in float32
            raise NotImplementedError(f"OpenCV's dnn has no {x.dtype.name} convolution.")
        return super().forward(x, weight, bias, problem)

    def _evaluate(self, model: Any, x: Array) -> Array:
        stated = [getattr(self.cv2.dnn, f"ENGINE_{self.option.upper()}")] if self.option else []
        net = self.cv2.dnn.readNetFromONNX(np.frombuffer(model.SerializeToString(), np.uint8), *stated)
        net.setInput(x)
        return np.array(net.forward())


def create(option: str | None = None) -> OpencvEngine:
    """Make the engine that ``opencv``, ``opencv:classic`` or ``opencv:new`` names.

    Raises
    ------
    ImplementationError
        If the option is unknown.
    """
    if option is not None and option not in GRAPH_ENGINES:
        raise ImplementationError(f"the option of opencv must be one of {', '.join(GRAPH_ENGINES)}, got {option!r}.")
    return OpencvEngine(option)
