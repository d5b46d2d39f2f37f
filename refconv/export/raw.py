"""Raw files, packed and little-endian, with an index for programs (JSON) and one for awk (TSV)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy.typing as npt

from refconv.export.entries import Store, described, document, prompt_entry
from refconv.export.form import LAYOUTS, Form
from refconv.export.geometry import COLUMNS, numbers_of
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.implementations.messages import packed
from refconv.implementations.result_folder import result_file
from refconv.quantization import Quantization
from refconv.suite import INPUTS, Suite

Array = npt.NDArray[Any]

HEAD = ("case", "operation", *COLUMNS, "overflow", "quantized")
SCALES = ("x_scale", "x_zero_point", "weight_scale", "weight_zero_point", "y_scale", "y_zero_point")


def write_raw(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write every tensor once, and ``index.json`` and ``index.tsv`` beside them."""
    entries, rows = [], []
    store = once(folder, ".bin", packed, lambda tensor, name: _described(name, tensor))
    for prompt in prompts:
        result = _described(result_file(prompt.case.id, prompt.operation), prompt.first.tensor)
        entries.append(prompt_entry(prompt, options, store, result))
        rows.append(_row(prompt, entries[-1]))
    write_json(folder / "index.json", document("raw", suite, options) | {"prompts": entries})
    tensors = (f"{name}{part}" for name in (*INPUTS, "result") for part in ("", "_dtype"))
    head = [*HEAD, *tensors, "result_bytes", *SCALES]
    lines = ["\t".join(map(str, row)) for row in [head, *rows]]
    (folder / "index.tsv").write_text("\n".join(lines) + "\n", "ascii", newline="\n")


def write_json(path: Path, document: dict[str, Any]) -> None:
    """Write an index."""
    path.write_text(json.dumps(document, indent=1) + "\n", "ascii", newline="\n")


def once(
    folder: Path, suffix: str, content: Callable[[Array], bytes], describe: Callable[[Array, str], dict[str, Any]]
) -> Store:
    """Return a store that writes each tensor to a file of its own, but only once: operations share their inputs."""
    written: set[str] = set()

    def store(stem: str, tensor: Array) -> dict[str, Any]:
        name = stem + suffix
        if name not in written:
            written.add(name)
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content(tensor))
        return describe(tensor, name)

    return store


def _described(name: str, tensor: Array) -> dict[str, Any]:
    return {"file": name, **described(tensor), "nbytes": tensor.nbytes}


def _row(prompt: Prompt, entry: dict[str, Any]) -> list[Any]:
    tensors = [*(entry["inputs"].get(name, {}) for name in INPUTS), entry["result"]]
    cells = [tensor.get(key, "-") for tensor in tensors for key in ("file", "dtype")]
    quantized = "yes" if "quantization" in entry else "no"
    numbers = numbers_of(prompt.case.problem)
    return [prompt.case.id, prompt.operation, *numbers, prompt.overflow or "-", quantized, *cells,
            entry["result"]["nbytes"], *_scales(prompt.case.quantization)]  # fmt: skip


def _scales(quantization: Quantization | None) -> list[str]:
    """Say scales and zero points as awk reads them: decimals that are the float32 exactly, commas between channels."""
    if quantization is None:
        return ["-"] * len(SCALES)
    values = (getattr(quantization, name) for name in SCALES)
    return [",".join(map(repr, value)) if isinstance(value, tuple) else repr(value) for value in values]


RAW = Form(
    write_raw,
    """index.json, and index.tsv for awk, name the files of every operation. All files are packed, C order,
little-endian; bfloat16 and float8 are their bits. Results go into files CASE.OPERATION.bin of a folder of yours,
which 'refconv judge' reads. Every legal operation of the selection is here; of a choice, one result per policy.""",
    LAYOUTS,
)
