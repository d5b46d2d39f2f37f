"""Run the int8 and quantised cases of a suite through onnxruntime's ConvInteger and QLinearConv.

Usage: ``python scripts/check_onnxruntime_int8.py [SUITE] [--evaluator]`` in an environment with refconv,
onnxruntime and onnx; with ``--evaluator`` the ReferenceEvaluator of onnx computes instead.  ConvInteger
has no bias, so that a bias is added afterwards, in int64.  Exits with 1 if anything is wrong.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import refconv

CORE = Path(__file__).parents[1] / "vectors" / "core"


class Onnx:
    """ConvInteger and QLinearConv, as an implementation under test."""

    def __init__(self, evaluator=False):
        self.session = ReferenceEvaluator if evaluator else _session
        self.name = f"onnx {onnx.__version__}" if evaluator else f"onnxruntime {onnxruntime.__version__}"

    def forward(self, x, weight, bias, problem):
        """Return y as int32."""
        if x.dtype.name not in ("int8", "uint8"):
            raise NotImplementedError(f"ConvInteger takes no {x.dtype.name}.")
        y = self._run("ConvInteger", {"x": x, "weight": weight}, problem, np.int32)
        return y if bias is None else (y + bias.reshape(-1, 1, 1).astype(np.int64)).astype(np.int32)

    def quantized_forward(self, x, weight, bias, quantization, problem):
        """Return the y of a quantised layer."""
        q = quantization
        weight_zero, weight_scale = _per_channel(q, weight.dtype)
        inputs = {
            "x": x, "x_scale": np.float32(q.x_scale), "x_zero": x.dtype.type(q.x_zero_point),
            "weight": weight, "weight_scale": weight_scale, "weight_zero": weight_zero,
            "y_scale": np.float32(q.y_scale), "y_zero": np.dtype(q.out_format).type(q.y_zero_point),
        }  # fmt: skip
        inputs |= {} if bias is None else {"bias": bias}
        return self._run("QLinearConv", inputs, problem, np.dtype(q.out_format))

    def _run(self, operator, inputs, problem, dtype):
        inputs = {name: np.asarray(value) for name, value in inputs.items()}
        (top, bottom), (left, right) = problem.padding
        node = helper.make_node(
            operator, list(inputs), ["y"], strides=problem.stride, dilations=problem.dilation, group=problem.groups,
            pads=[top, left, bottom, right], kernel_shape=problem.kernel_size,
        )  # fmt: skip
        infos = [_info(name, array.dtype, array.shape) for name, array in inputs.items()]
        graph = helper.make_graph([node], "layer", infos, [_info("y", dtype, problem.y_shape)])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return self.session(model).run(None, inputs)[0]


def _per_channel(q, dtype):
    """Return zero points and scales of the weight in one shape, as QLinearConv wants them."""
    size = max(len(q.weight_zero_point), len(q.weight_scale))
    shape = () if size == 1 else (size,)
    return (
        np.resize(q.weight_zero_point, size).astype(dtype).reshape(shape),
        np.resize(q.weight_scale, size).astype(np.float32).reshape(shape),
    )


def _info(name, dtype, shape):
    kinds = {"int8": TensorProto.INT8, "uint8": TensorProto.UINT8, "int32": TensorProto.INT32}
    return helper.make_tensor_value_info(name, kinds.get(np.dtype(dtype).name, TensorProto.FLOAT), list(shape))


def _session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def main():
    """Print every failure and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", nargs="?", default=CORE)
    parser.add_argument("--evaluator", action="store_true", help="let onnx's ReferenceEvaluator compute")
    options = parser.parse_args()
    suite = refconv.load_suite(options.suite)
    select = [name for name in suite.ids if "int8" in name]
    report = refconv.check(Onnx(options.evaluator), suite, select, policies=["half-to-even"])
    for failure in report.failures:
        print(f"{failure.status} {failure.case_id}: {failure.message}")
    print(report.summary())
    return not report.passed


if __name__ == "__main__":
    sys.exit(main())
