"""Models and their data in the layout of the ONNX backend tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from refconv.errors import ImplementationError, SuiteError
from refconv.export.c_literals import identifier
from refconv.export.entries import about_case, described, document
from refconv.export.form import Form
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.export.raw import write_json
from refconv.implementations.onnx_model import (
    BYTES,
    FLOATS,
    Node,
    build_model,
    forward_nodes,
    grad_input_nodes,
    integer_nodes,
    opset_of,
    quantized_nodes,
    serialized,
    tensors_of,
    transposed_nodes,
)  # fmt: skip
from refconv.problem import TransposedProblem
from refconv.suite import Expected, Suite

KIND = "refconv"  # the loader of onnx takes what it calls "node" from memory, not from the folder


def write_onnx(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write ``refconv/TEST/model.onnx`` and ``refconv/TEST/test_data_set_0``, and ``index.json``.

    Raises
    ------
    ImplementationError
        If the package onnx is missing.
    SuiteError
        If two tests would have one name.
    """
    _require_onnx()
    entries = []
    for prompt in prompts:
        name, nodes = name_of(prompt), nodes_of(prompt)
        if (folder / KIND / name).exists():
            raise SuiteError(
                f"case {prompt.case.id!r}: its id must differ from others by more than signs, another one has the "
                f"test {name!r} too; choose one of them by --select."
            )
        _write_test(folder / KIND / name, prompt, nodes, options)
        entries.append({"test": f"{KIND}/{name}", **_entry(prompt, nodes)})
    write_json(folder / "index.json", document("onnx", suite, options) | {"tests": entries})


def name_of(prompt: Prompt) -> str:
    """Return the name of a test: an identifier, as the names of ONNX's own tests are."""
    return f"test_{identifier(f'{prompt.case.id}/{prompt.operation}')}"


def nodes_of(prompt: Prompt) -> list[Node]:
    """Return the nodes that compute an operation."""
    problem, given = prompt.case.problem, prompt.inputs
    if isinstance(problem, TransposedProblem):
        if prompt.operation == "grad_input":
            return forward_nodes(given["grad_output"], given["weight"], None, problem.adjoint)
        return transposed_nodes(given["x"], given["weight"], given.get("bias"), problem)
    if prompt.operation == "grad_input":
        return grad_input_nodes(given["grad_output"], given["weight"], problem)
    layer = given["x"], given["weight"], given.get("bias")
    if prompt.case.quantization:
        return quantized_nodes(*layer, prompt.case.quantization, problem)
    return (integer_nodes if given["x"].dtype.name in BYTES else forward_nodes)(*layer, problem)


def not_in_onnx(prompt: Prompt, options: Options) -> str:
    """Say why ONNX cannot say it."""
    if prompt.operation in ("grad_weight", "grad_bias"):
        return f"{prompt.operation}, for which ONNX has no operator"
    if reason := _no_node(prompt):
        return reason
    if prompt.case.quantization is None:
        formats = {tensor.dtype.name for tensor in (*prompt.inputs.values(), prompt.first.tensor)}
        if next(iter(prompt.inputs.values())).dtype.name not in (*FLOATS, *BYTES):
            return "in float8, which no convolution of ONNX takes"
        if formats & set(FLOATS) and len(formats) > 1:
            return "whose result has another format than its inputs, as no Conv has"
        if prompt.case.alternatives:
            return "choices, of which ONNX states no policy"
    return ""


def _no_node(prompt: Prompt) -> str:
    """Say why ONNX has no node of this geometry."""
    problem, gradient = prompt.case.problem, prompt.operation == "grad_input"
    transposed = isinstance(problem, TransposedProblem)
    pads = problem.adjoint.padding if isinstance(problem, TransposedProblem) and gradient else problem.padding
    if any(min(pair) < 0 for pair in pads):
        return "which crop, for which ONNX has no operator"
    if transposed and not gradient and prompt.inputs["x"].dtype.name in BYTES:
        return "transposed convolutions of integers, for which ONNX has no operator"
    return ""


def _write_test(folder: Path, prompt: Prompt, nodes: list[Node], options: Options) -> None:
    golden = prompt.first
    model = build_model(next(iter(prompt.inputs.values())), nodes, golden.tensor.shape, golden.tensor.dtype, False)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(serialized(model))
    for number, (name, tensor) in enumerate(tensors_of(nodes).items()):
        (data / f"input_{number}.pb").write_bytes(serialized((tensor, name)))
    if not options.prompt_only:
        (data / "output_0.pb").write_bytes(serialized((golden.tensor, "y")))
        write_json(folder / "data.json", {"rtol": 0.0, "atol": allowed_distance(golden)})
        for part in ("lo", "hi"):
            if part in golden.parts:
                (folder / f"{part}_0.pb").write_bytes(serialized((golden.parts[part], "y")))


def allowed_distance(golden: Expected) -> float:
    """Return how far from the exact result the element may be that may be farthest; infinite ends do not count.

    Examples
    --------
    >>> from refconv.suite import Judge
    >>> ends = (np.array([1.0, -np.inf]), np.array([2.5, 3.0]))
    >>> allowed_distance(Expected(np.array([2.0, 3.0]), Judge("standard"), *ends))
    1.0
    """
    ends = [golden.parts[part].astype(np.float64) for part in ("lo", "hi") if part in golden.parts]
    with np.errstate(invalid="ignore"):  # inf - inf
        distances = [np.abs(end - golden.tensor.astype(np.float64)) for end in ends]
    return max((float(np.max(far, where=np.isfinite(far), initial=0.0)) for far in distances), default=0.0)


def _entry(prompt: Prompt, nodes: list[Node]) -> dict[str, Any]:
    operators = [kind for kind, *_ in nodes]
    inputs = {name: described(tensor) for name, tensor in tensors_of(nodes).items()}
    opset = opset_of(next(iter(prompt.inputs.values())).dtype)
    about: dict[str, Any] = {"operation": prompt.operation, "operators": operators, "opset": opset,
                             "class": prompt.first.judge.rule}  # fmt: skip
    return about_case(prompt) | about | {"inputs": inputs, "output": described(prompt.first.tensor)}


def _require_onnx() -> None:
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        raise ImplementationError("the format 'onnx' needs the package onnx: pip install 'refconv[onnx]'.")


ONNX = Form(
    write_onnx,
    """refconv/TEST/ holds model.onnx (IR version 10; opset 13, 22 for bfloat16), test_data_set_0/input_N.pb and
output_0.pb, as the runners of ONNX backend tests read them; all tensors are inputs of the model. forward is Conv,
ConvInteger (and Add for the bias) or QLinearConv, grad_input is ConvTranspose with the pads, strides and
output_padding of the layer; of a transposed layer, forward is ConvTranspose and grad_input is Conv.
output_0.pb is the exact result, rounded once. data.json tells the runner of the package
onnx how close to come: equal where every result is exact, else the largest distance that any element is allowed.
What each element is allowed stands in lo_0.pb and hi_0.pb beside the model, of which no runner knows.
QLinearConv rounds half to even, as ONNX defines it.""",
    leaves_out=not_in_onnx,
    any_layer=True,
)
