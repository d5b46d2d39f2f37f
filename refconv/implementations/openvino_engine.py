"""OpenVINO on the CPU: (Group)Convolution, and (Group)ConvolutionBackpropData for grad_input."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.implementations.limits import leftovers, require_formats
from refconv.problem import ConvProblem

Array = npt.NDArray[Any]
FORMATS = ("float32", "float16")  # its CPU plugin computes float64 in float32


class OpenvinoEngine:
    """A compiled model of one layer; the weight and the bias are constants, as in models that people deploy.

    Everything is computed in float32 (INFERENCE_PRECISION_HINT), because the plugin may otherwise choose
    a narrower format than that of the tensors.
    """

    name = "openvino"

    def __init__(self) -> None:
        import openvino
        from openvino import opset13

        self.openvino, self.ops = openvino, opset13
        self.core = openvino.Core()
        self.version = f"openvino {openvino.__version__.partition('-')[0]}"

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        require_formats("OpenVINO's CPU plugin", FORMATS, x, weight, bias)
        operator = self.ops.convolution if problem.groups == 1 else self.ops.group_convolution
        image = self.ops.parameter(x.shape, x.dtype)
        y = operator(image, self._constant(_grouped(weight, problem)), problem.stride, *_geometry(problem))
        if bias is not None:
            y = self.ops.add(y, self._constant(bias.reshape(1, -1, *(1,) * len(problem.stride))))
        return self._run(image, y, x)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input: the transposed convolution of grad_output."""
        require_formats("OpenVINO's CPU plugin", FORMATS, grad_output, weight)
        ops = self.ops
        operator = ops.convolution_backprop_data if problem.groups == 1 else ops.group_convolution_backprop_data
        begins, ends, dilation = _geometry(problem)
        image = ops.parameter(grad_output.shape, grad_output.dtype)
        gradient = operator(
            image, self._constant(_grouped(weight, problem)), list(problem.stride), pads_begin=begins, pads_end=ends,
            dilations=dilation, output_padding=list(leftovers(problem)),
        )  # fmt: skip
        return self._run(image, gradient, grad_output)

    def _constant(self, array: Array) -> Any:
        return self.ops.constant(np.ascontiguousarray(array))

    def _run(self, parameter: Any, result: Any, x: Array) -> Array:
        model = self.openvino.Model([result], [parameter], "layer")
        hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        compiled = self.core.compile_model(model, "CPU", hints)
        return np.array(compiled([x])[0])


def _grouped(weight: Array, problem: ConvProblem) -> Array:
    """Return the weight as (G, K/G, C/G, kH, kW) if there are groups."""
    G = problem.groups
    return weight if G == 1 else weight.reshape(G, len(weight) // G, *weight.shape[1:])


def _geometry(problem: ConvProblem) -> tuple[list[int], list[int], list[int]]:
    begins, ends = zip(*problem.padding, strict=True)
    return list(begins), list(ends), list(problem.dilation)


def create() -> OpenvinoEngine:
    """Make the engine ``openvino``."""
    return OpenvinoEngine()
