"""The numbers of a layer as ``localparam`` lines of Verilog-2001."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack
from typing import Any

from refconv.export.geometry import COLUMNS, numbers_of
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.quantization import Quantization

PADS = {"top": "PAD_TOP", "bottom": "PAD_BOTTOM", "left": "PAD_LEFT", "right": "PAD_RIGHT"}


def header(prompt: Prompt, entry: dict[str, Any], options: Options) -> str:
    """Return the lines of ``CASE.OPERATION.vh``.

    Parameters
    ----------
    prompt : Prompt
    entry : dict
        Its entry in the index, which names the files.
    options : Options
    """
    layouts = f"images {options.layout}, weights {options.weight_layout}"
    lines = [f"// {prompt.case.id} {prompt.operation}; {layouts}; include it inside of a module."]
    for column, number in zip(COLUMNS, numbers_of(prompt.case.problem), strict=True):
        lines.append(_integer(PADS.get(column, column.upper()), number))
    for name, stored in entry["inputs"].items():
        lines += _file(name, stored)
    if prompt.operation == "forward":
        lines += _bias(prompt)
    for policy, golden in entry.get("expected", {}).items():
        prefix = "" if policy == "only" or len(entry["expected"]) == 1 else f"{policy}_"
        for part in ("expected", "lo", "hi"):
            lines += _file(prefix + part, golden[part]) if part in golden else []
    lines += _result(prompt, entry)
    if prompt.case.quantization:
        lines += _scales(prompt.case.quantization)
    return "".join(f"{line}\n" for line in lines)


def _result(prompt: Prompt, entry: dict[str, Any]) -> Iterator[str]:
    tensor = prompt.first.tensor
    yield _integer("RESULT_ELEMENTS", tensor.size)
    yield _integer("RESULT_ELEMENT_BITS", 8 * tensor.dtype.itemsize)
    yield f"localparam EXACT = 1'b{int(prompt.first.judge.rule == 'exact')}; // or LO to HI of every element"
    yield f'localparam OVERFLOW = "{prompt.overflow or "any"}";'


def _bias(prompt: Prompt) -> Iterator[str]:
    """Define all names of a bias, also where there is none: a module that uses them must elaborate."""
    present = "bias" in prompt.inputs
    yield f"localparam HAS_BIAS = 1'b{int(present)};"
    if not present:
        bits = 8 * prompt.first.tensor.dtype.itemsize
        yield from ('localparam BIAS_FILE = "";', _integer("BIAS_WORDS", 1), _integer("BIAS_WORD_BITS", bits))


def _file(name: str, stored: dict[str, Any]) -> Iterator[str]:
    title = name.upper().replace("-", "_")
    yield f'localparam {title}_FILE = "{stored["file"]}"; // {stored["dtype"]} {stored["shape"]}'
    yield _integer(f"{title}_WORDS", stored["words"])
    yield _integer(f"{title}_WORD_BITS", stored["word_bits"])


def _scales(quantization: Quantization) -> Iterator[str]:
    q = quantization
    yield _integer("X_ZERO_POINT", q.x_zero_point)
    yield _integer("Y_ZERO_POINT", q.y_zero_point)
    yield f"localparam [31:0] X_SCALE = 32'h{_bits(q.x_scale)}, Y_SCALE = 32'h{_bits(q.y_scale)}; // float32"
    yield _integer("WEIGHT_SCALES", len(q.weight_pairs))
    yield _packed("WEIGHT_SCALE", [_bits(scale) for scale, _ in q.weight_pairs])
    yield _packed("WEIGHT_ZERO_POINT", [f"{zero & 0xFFFFFFFF:08x}" for _, zero in q.weight_pairs])


def _integer(name: str, number: int) -> str:
    return f"localparam integer {name} = {number};"


def _packed(name: str, words: list[str]) -> str:
    listed = ", ".join(f"32'h{word}" for word in reversed(words))
    return f"localparam [{32 * len(words) - 1}:0] {name} = {{{listed}}}; // that of channel 0 lowest"


def _bits(scale: float) -> str:
    return pack(">f", scale).hex()
