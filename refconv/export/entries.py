"""What the indices of all formats say about a prompt; how a tensor is stored is the format's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.problem import TransposedProblem
from refconv.suite import Suite, problem_document

Array = npt.NDArray[Any]
Store = Callable[[str, Array], dict[str, Any]]

PARTS = {"tensor": "expected", "lo": "lo", "hi": "hi"}


def document(schema: str, suite: Suite, options: Options) -> dict[str, Any]:
    """Return the head of an index."""
    layouts = {"layout": options.layout, "weight_layout": options.weight_layout}
    return {"schema": f"refconv.{schema}.v1", "suite": suite.name, "version": suite.version} | layouts


def about_case(prompt: Prompt) -> dict[str, Any]:
    """Return what all operations of a case share."""
    problem, rank = problem_document(prompt.case.problem), len(prompt.case.problem.x_shape)
    weight = prompt.layouts.order("weight", rank)
    if isinstance(prompt.case.problem, TransposedProblem):  # in refconv's own layout, input channels first
        weight = "IO" + weight.removeprefix("OI")
    problem |= {"layout": prompt.layouts.order("x", rank), "weight_layout": weight}
    quantization = prompt.case.quantization
    stated = {"quantization": quantization.as_dict()} if quantization else {}
    return {"case": prompt.case.id, "problem": problem} | stated


def about_result(prompt: Prompt) -> dict[str, Any]:
    """Return what an operation asks for beyond its case."""
    stated: dict[str, Any] = {"overflow": prompt.overflow} if prompt.overflow else {}
    return stated | ({"may_refuse": True} if prompt.may_refuse else {})


def expected_of(prompt: Prompt, store: Store) -> dict[str, Any]:
    """Store the golden tensors under names that no result has, so that nobody judges them by mistake."""
    goldens = {}
    for policy, expected in prompt.expected.items():
        stem = ".".join(filter(None, [prompt.case.id, prompt.operation, policy]))
        parts = {PARTS[part]: tensor for part, tensor in expected.parts.items() if part in PARTS}
        stored = {part: store(f"{stem}.{part}", tensor) for part, tensor in parts.items()}
        goldens[policy or "only"] = {"class": expected.judge.rule, **stored}
    return goldens


def prompt_entry(prompt: Prompt, options: Options, store: Store, result: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of one operation in a flat index."""
    about = about_case(prompt)
    entry = {"case": about.pop("case"), "operation": prompt.operation, **about, **about_result(prompt)}
    inputs = {name: store(f"{prompt.case.id}.{name}", tensor) for name, tensor in prompt.inputs.items()}
    entry |= {"inputs": inputs, "result": result}
    return entry if options.prompt_only else entry | {"expected": expected_of(prompt, store)}


def case_entry(prompts: list[Prompt], options: Options, store: Store) -> dict[str, Any]:
    """Return the entry of a case with all of its operations, its inputs stored once."""
    entry = about_case(prompts[0])
    inputs = {name: tensor for prompt in prompts for name, tensor in prompt.inputs.items()}
    entry["inputs"] = {name: store(f"{prompts[0].case.id}.{name}", tensor) for name, tensor in inputs.items()}
    entry["results"] = {prompt.operation: _result(prompt, options, store) for prompt in prompts}
    return entry


def _result(prompt: Prompt, options: Options, store: Store) -> dict[str, Any]:
    entry = about_result(prompt) | {"inputs": list(prompt.inputs)} | described(prompt.first.tensor)
    return entry if options.prompt_only else entry | {"expected": expected_of(prompt, store)}


def described(tensor: Array) -> dict[str, Any]:
    """Return dtype and shape.

    Examples
    --------
    >>> import numpy as np
    >>> described(np.zeros((2, 3), np.float32))
    {'dtype': 'float32', 'shape': [2, 3]}
    """
    return {"dtype": tensor.dtype.name, "shape": list(tensor.shape)}
