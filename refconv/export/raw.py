"""Raw files, packed and little-endian, with an index for programs (JSON) and one for awk (TSV)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from refconv.export.geometry import COLUMNS, numbers_of
from refconv.export.prompts import Prompt
from refconv.implementations.messages import packed
from refconv.implementations.result_folder import result_file
from refconv.suite import INPUTS, Suite, problem_document

Array = npt.NDArray[Any]

PARTS = {"tensor": "expected", "lo": "lo", "hi": "hi"}
HEAD = ("case", "operation", *COLUMNS, "overflow", "quantized")


def write_raw(folder: Path, suite: Suite, prompts: Iterable[Prompt], prompt_only: bool) -> int:
    """Write every tensor once, and ``index.json`` and ``index.tsv`` beside them; return how many prompts.

    Parameters
    ----------
    folder : pathlib.Path
        Empty.
    suite : Suite
    prompts : iterable of Prompt
    prompt_only : bool
        Leave out what is expected.
    """
    entries, rows = [], []
    for prompt in prompts:
        entries.append(_entry(folder, prompt, prompt_only))
        rows.append(_row(prompt, entries[-1]))
    document = {"schema": "refconv.raw.v1", "suite": suite.name, "version": suite.version, "prompts": entries}
    head = [*HEAD, *(f"{name}{part}" for name in (*INPUTS, "result") for part in ("", "_dtype")), "result_bytes"]
    (folder / "index.json").write_text(json.dumps(document, indent=1) + "\n", "ascii", newline="\n")
    lines = ["\t".join(map(str, row)) for row in [head, *rows]]
    (folder / "index.tsv").write_text("\n".join(lines) + "\n", "ascii", newline="\n")
    return len(entries)


def _entry(folder: Path, prompt: Prompt, prompt_only: bool) -> dict[str, Any]:
    case = prompt.case
    result = prompt.first.tensor
    entry: dict[str, Any] = {
        "case": case.id,
        "operation": prompt.operation,
        "problem": problem_document(case.problem),
        **({"overflow": prompt.overflow} if prompt.overflow else {}),
        **({"quantization": case.quantization.as_dict()} if case.quantization else {}),
        "inputs": {name: _stored(folder, f"{case.id}.{name}.bin", tensor) for name, tensor in prompt.inputs.items()},
        "result": _described(result_file(case.id, prompt.operation), result),
    }
    return entry if prompt_only else entry | {"expected": dict(_expected(folder, prompt))}


def _expected(folder: Path, prompt: Prompt) -> Iterator[tuple[str, dict[str, Any]]]:
    """Write the golden tensors under names that no result has, so that nobody judges them by mistake."""
    for policy, expected in prompt.expected.items():
        stem = ".".join(filter(None, [prompt.case.id, prompt.operation, policy]))
        parts = {PARTS[part]: tensor for part, tensor in expected.parts.items() if part in PARTS}
        stored = {part: _stored(folder, f"{stem}.{part}.bin", tensor) for part, tensor in parts.items()}
        yield policy or "only", {"class": expected.judge.rule, **stored}


def _stored(folder: Path, name: str, tensor: Array) -> dict[str, Any]:
    path = folder / name
    if not path.exists():  # an input is shared by the operations of its case
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(packed(tensor))
    return _described(name, tensor)


def _described(name: str, tensor: Array) -> dict[str, Any]:
    return {"file": name, "dtype": tensor.dtype.name, "shape": list(tensor.shape), "nbytes": tensor.nbytes}


def _row(prompt: Prompt, entry: dict[str, Any]) -> list[Any]:
    tensors = [*(entry["inputs"].get(name, {}) for name in INPUTS), entry["result"]]
    cells = [tensor.get(key, "-") for tensor in tensors for key in ("file", "dtype")]
    quantized = "yes" if "quantization" in entry else "no"
    numbers = numbers_of(prompt.case.problem)
    return [prompt.case.id, prompt.operation, *numbers, prompt.overflow or "-", quantized, *cells,
            entry["result"]["nbytes"]]  # fmt: skip
