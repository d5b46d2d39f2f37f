"""Convolution layers as ONNX models, for every engine that runs such models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.implementations.limits import leftovers, require, require_formats
from refconv.problem import ConvProblem, Problem, TransposedProblem
from refconv.quantization import Quantization

Array = npt.NDArray[Any]
Node = tuple[str, dict[str, Array | None], dict[str, Any], str]  # operator, tensors by name, attributes, output
Evaluate = Callable[[Any, Array], Array]

FLOATS = ("float16", "float32", "float64", "bfloat16")  # what Conv takes
BYTES = ("int8", "uint8")  # what ConvInteger and QLinearConv take
OPSET, BFLOAT16_OPSET = 13, 22  # bfloat16 came to Conv late


class OnnxLayers:
    """Conv, ConvInteger and QLinearConv for forward, ConvTranspose for grad_input.

    The image is the input of the model, all else is constant, as in models that people deploy.  ConvInteger
    has no bias: an Add of the same model adds it.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(model, x)`` computes the only output from the only input.
    name, version : str
    floats : tuple of str
        The formats of floats that the engine takes.
    """

    def __init__(self, evaluate: Evaluate, name: str, version: str, floats: tuple[str, ...] = FLOATS) -> None:
        self.evaluate, self.name, self.version, self.floats = evaluate, name, version, floats

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> Array:
        """Return y."""
        if x.dtype.name in BYTES and weight.dtype.name in BYTES:
            return self._run(x, integer_nodes(x, weight, bias, problem), problem.y_shape, np.dtype(np.int32))
        require_formats(self.name, self.floats, x, weight, bias)
        return self._run(x, forward_nodes(x, weight, bias, problem), problem.y_shape)

    def grad_input(self, grad_output: Array, weight: Array, problem: ConvProblem) -> Array:
        """Return grad_input: the transposed convolution of grad_output."""
        require_formats(self.name, self.floats, grad_output, weight)
        return self._run(grad_output, grad_input_nodes(grad_output, weight, problem), problem.x_shape)

    def _run(self, x: Array, nodes: list[Node], shape: tuple[int, ...], dtype: np.dtype[Any] | None = None) -> Array:
        return self.evaluate(build_model(x, nodes, shape, dtype or x.dtype), x)


class QuantizedOnnxLayers(OnnxLayers):
    """The same, with QLinearConv for quantised layers, and ConvTranspose for transposed ones."""

    transposed = True

    def forward(self, x: Array, weight: Array, bias: Array | None, problem: Problem) -> Array:
        """Return y."""
        if isinstance(problem, ConvProblem):
            return super().forward(x, weight, bias, problem)
        require_formats(self.name, self.floats, x, weight, bias)
        return self._run(x, transposed_nodes(x, weight, bias, problem), problem.y_shape)

    def grad_input(self, grad_output: Array, weight: Array, problem: Problem) -> Array:
        """Return grad_input; that of a transposed layer is the convolution of grad_output."""
        if isinstance(problem, ConvProblem):
            return super().grad_input(grad_output, weight, problem)
        require_formats(self.name, self.floats, grad_output, weight)
        return self._run(grad_output, forward_nodes(grad_output, weight, None, problem.adjoint), problem.x_shape)

    def quantized_forward(
        self, x: Array, weight: Array, bias: Array | None, quantization: Quantization, problem: ConvProblem
    ) -> Array:
        """Return the y of a quantised layer."""
        nodes = quantized_nodes(x, weight, bias, quantization, problem)
        return self._run(x, nodes, problem.y_shape, np.dtype(quantization.out_format))


def forward_nodes(x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> list[Node]:
    """Return the nodes of a layer in floats."""
    return [_node("Conv", {"x": x, "weight": weight, "bias": bias}, problem)]


def grad_input_nodes(grad_output: Array, weight: Array, problem: ConvProblem) -> list[Node]:
    """Return the nodes of a transposed convolution that gives the whole grad_input."""
    tensors: dict[str, Array | None] = {"grad_output": grad_output, "weight": weight}
    return [_node("ConvTranspose", tensors, problem, output_padding=leftovers(problem))]


def transposed_nodes(x: Array, weight: Array, bias: Array | None, problem: TransposedProblem) -> list[Node]:
    """Return the nodes of a transposed layer in floats."""
    tensors: dict[str, Array | None] = {"x": x, "weight": weight, "bias": bias}
    return [_node("ConvTranspose", tensors, problem, output_padding=problem.output_padding)]


def integer_nodes(x: Array, weight: Array, bias: Array | None, problem: ConvProblem) -> list[Node]:
    """Return the nodes of a layer of bytes whose result has 32 bits."""
    tensors: dict[str, Array | None] = {"x": x, "weight": weight}
    if bias is None:
        return [_node("ConvInteger", tensors, problem)]
    column: dict[str, Array | None] = {"sums": None, "bias": bias.reshape(-1, *(1,) * len(problem.stride))}
    return [_node("ConvInteger", tensors, problem, "sums"), ("Add", column, {}, "y")]


def quantized_nodes(
    x: Array, weight: Array, bias: Array | None, quantization: Quantization, problem: ConvProblem
) -> list[Node]:
    """Return the nodes of a quantised layer."""
    q, out = quantization, np.dtype(quantization.out_format)
    weight_scale, weight_zero = _per_channel(q, weight.dtype)
    tensors = {
        "x": x, "x_scale": np.float32(q.x_scale), "x_zero": x.dtype.type(q.x_zero_point),
        "weight": weight, "weight_scale": weight_scale, "weight_zero": weight_zero,
        "y_scale": np.float32(q.y_scale), "y_zero": out.type(q.y_zero_point), "bias": bias,
    }  # fmt: skip
    return [_node("QLinearConv", tensors, problem)]


def tensors_of(nodes: list[Node]) -> dict[str, Array]:
    """Return the tensors that are given to a model, by name, in the order of its nodes."""
    named = ((name, tensor) for _, tensors, _, _ in nodes for name, tensor in tensors.items())
    return {name: np.asarray(tensor) for name, tensor in named if tensor is not None}


def build_model(
    x: Array, nodes: list[Node], shape: tuple[int, ...], dtype: np.dtype[Any], constants: bool = True
) -> Any:
    """Return a checked model whose output is ``y``.

    Its input is the first tensor of the first node, all others are constant; or all are inputs.
    """
    from onnx import checker, helper, numpy_helper

    given = tensors_of(nodes)
    inputs = list(given)[:1] if constants else list(given)
    fixed = [numpy_helper.from_array(value, name) for name, value in given.items() if name not in inputs]
    made = [helper.make_node(kind, list(tensors), [output], **stated) for kind, tensors, stated, output in nodes]
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(element)), list(extents))
        for name, element, extents in [*((name, given[name].dtype, given[name].shape) for name in inputs),
                                       ("y", dtype, shape)]
    ]  # fmt: skip
    graph = helper.make_graph(made, "layer", infos[:-1], infos[-1:], fixed)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset_of(x.dtype))], ir_version=10)
    checker.check_model(model)
    return model


def opset_of(dtype: np.dtype[Any]) -> int:
    """Return the version of the operators for images or gradients of this format."""
    return BFLOAT16_OPSET if dtype.name == "bfloat16" else OPSET


def serialized(value: Any) -> bytes:
    """Return the bytes of a model, or of a tensor as a named TensorProto."""
    from onnx import numpy_helper

    proto = numpy_helper.from_array(*value) if isinstance(value, tuple) else value
    return bytes(proto.SerializeToString(deterministic=True))


def _node(kind: str, tensors: Mapping[str, Array | None], problem: Problem, output: str = "y", **stated: Any) -> Node:
    require(min(map(min, problem.padding)) >= 0, f"ONNX has no {kind} of negative pads, got {problem.padding}.")
    begins, ends = zip(*problem.padding, strict=True)
    geometry = {
        "strides": problem.stride, "dilations": problem.dilation, "group": problem.groups,
        "pads": [*begins, *ends], "kernel_shape": problem.kernel_size,
    }  # fmt: skip
    given: dict[str, Array | None] = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    return kind, given, geometry | stated, output


def _per_channel(q: Quantization, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return scales and zero points of the weight in one shape, as QLinearConv wants them."""
    size = max(len(q.weight_zero_point), len(q.weight_scale))
    shape = () if size == 1 else (size,)
    scale, zero = np.resize(q.weight_scale, size), np.resize(q.weight_zero_point, size)
    return scale.astype(np.float32).reshape(shape), zero.astype(dtype).reshape(shape)
