"""Words of memory as text for ``$readmemh``, and the numbers of each layer as a Verilog header."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.export.entries import described, document, prompt_entry
from refconv.export.form import LAYOUTS, Form
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.export.raw import once, write_json
from refconv.export.verilog import header
from refconv.implementations.messages import packed
from refconv.suite import Suite

Array = npt.NDArray[Any]


def write_hex(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write ``CASE.NAME.hex`` for every tensor, ``CASE.OPERATION.vh``, and ``index.json``."""

    def words(tensor: Array) -> bytes:
        return hex_words(tensor, options.word_bits, options.lanes)

    def described_words(tensor: Array, name: str) -> dict[str, Any]:
        bits = word_bits(tensor, options)
        return {"file": name, **described(tensor), "word_bits": bits, "words": word_count(tensor, options)}

    entries = []
    store = once(folder, ".hex", words, described_words)
    for prompt in prompts:
        entry = prompt_entry(prompt, options, store, described(prompt.first.tensor))
        entry["parameters"] = f"{prompt.case.id}.{prompt.operation}.vh"
        (folder / entry["parameters"]).write_text(header(prompt, entry, options), "ascii", newline="\n")
        entries.append(entry)
    order = {"element_order": element_order(options), "lanes": options.lanes}
    write_json(folder / "index.json", document("hex", suite, options) | order | {"prompts": entries})


def word_bits(tensor: Array, options: Options) -> int:
    """Return the width of the words that hold a tensor."""
    return options.word_bits or 8 * tensor.dtype.itemsize * (options.lanes or 1)


def word_count(tensor: Array, options: Options) -> int:
    """Return how many words hold a tensor.

    Examples
    --------
    >>> word_count(np.zeros((2, 3), np.int8), Options(word_bits=32)), word_count(np.zeros((2, 3)), Options(lanes=2))
    (2, 4)
    """
    if options.lanes is None:
        return -(-8 * tensor.nbytes // word_bits(tensor, options))
    return tensor.size and tensor.size // tensor.shape[-1] * -(-tensor.shape[-1] // options.lanes)


def hex_words(tensor: Array, bits: int | None = None, lanes: int | None = None) -> bytes:
    """Return the lines of a file for ``$readmemh``: one word per line, its most significant digit first.

    Parameters
    ----------
    tensor : array
    bits : int, optional
        The width of a word.  Without `lanes` the packed bytes are cut into such words, the first byte lowest.
    lanes : int, optional
        How many neighbours on the last axis share a word, the first one lowest; each row begins a new word.

    Examples
    --------
    >>> hex_words(np.array([[1, -2, 3]], np.int8)).split()
    [b'01', b'fe', b'03']
    >>> hex_words(np.array([[1, -2, 3]], np.int8), 32).split()
    [b'0003fe01']
    >>> hex_words(np.array([[1, -2, 3]], np.int8), 32, lanes=2).split()
    [b'fffe0001', b'00000003']
    """
    size = tensor.dtype.itemsize
    width = bits // 8 if bits else size * (lanes or 1)
    data = np.frombuffer(packed(tensor), np.uint8)
    if lanes is not None:
        rows = data.reshape(-1, tensor.shape[-1], size) if tensor.size else data.reshape(0, 1, size)
        data = _in_lanes(rows, tensor.dtype.kind == "i", width // lanes, lanes).reshape(-1)
    padded = np.pad(data, (0, -len(data) % width)).reshape(-1, width)
    return padded[:, ::-1].tobytes().hex("\n", width).encode("ascii") + b"\n" * (padded.size > 0)


def _in_lanes(rows: Array, signed: bool, lane: int, lanes: int) -> Array:
    """Widen elements, shape (rows, elements, bytes), to the bytes of a lane, and fill up every row with zeros."""
    sign = np.where(rows[..., -1:] >= 128, 255, 0).astype(np.uint8) if signed else np.zeros_like(rows[..., -1:])
    wide = np.concatenate([rows, np.repeat(sign, lane - rows.shape[-1], axis=-1)], axis=-1)
    return np.pad(wide, ((0, 0), (0, -wide.shape[1] % lanes), (0, 0)))


def element_order(options: Options) -> str:
    """Say where the elements lie in the words.

    Examples
    --------
    >>> element_order(Options())
    'one element per word, in C order'
    """
    if options.lanes is None and options.word_bits is None:
        return "one element per word, in C order"
    if options.lanes is None:
        return (
            f"C order, packed into words of {options.word_bits} bits as in little-endian memory: the first one lowest"
        )
    lane = f"{options.word_bits // options.lanes} bits, extended" if options.word_bits else "the element's own bits"
    return (f"{options.lanes} lanes of {lane}: neighbours on the last axis, the first one lowest; "
            "each row begins a new word, unused lanes are zero")  # fmt: skip


def too_wide(prompt: Prompt, options: Options) -> str:
    """Say why elements that are wider than a lane are left out."""
    if options.word_bits is None or options.lanes is None:
        return ""
    lane = options.word_bits // options.lanes
    tensors = [*prompt.inputs.values(), prompt.first.tensor]
    fits = all(8 * tensor.dtype.itemsize <= lane for tensor in tensors)
    return "" if fits else f"with elements that are wider than a lane of {lane} bits"


HEX = Form(
    write_hex,
    """CASE.NAME.hex hold the tensors for $readmemh, one word per line, most significant digit first; integers are
two's complement, floats their IEEE bits. CASE.OPERATION.vh holds the numbers of the layer and the names of its files,
which are relative to this folder: include it inside of a module. index.json says the same, and 'element_order' in it
where the elements lie. Every legal operation of the selection is here; of a choice, one result per policy.""",
    LAYOUTS | {"word_bits", "lanes"},
    too_wide,
)
