"""One line of text for each operation of each case, for programs that read with scanf; see docs/protocol.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from refconv.export.form import Form
from refconv.export.geometry import numbers_of
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.implementations.hexwords import to_words
from refconv.implementations.protocol import ARGUMENTS
from refconv.suite import Suite

PLACES = 3  # tensors in every line; those that an operation lacks have no words


def stream_lines(prompts: Iterable[Prompt]) -> Iterator[str]:
    """Yield the line of every prompt, without its newline; quantised layers are left out."""
    return (_line(prompt) for prompt in prompts if not no_scales(prompt, Options()))


def no_scales(prompt: Prompt, options: Options) -> str:
    """Say why quantised layers are left out."""
    return "" if prompt.case.quantization is None else "quantised layers, whose scales have no place in the line"


def _line(prompt: Prompt) -> str:
    names = (*ARGUMENTS[prompt.operation], *[""] * PLACES)[:PLACES]
    tensors = [prompt.inputs.get(name) for name in names]
    dtypes = ["-" if tensor is None else tensor.dtype.name for tensor in tensors]
    words = [prompt.case.id, prompt.operation, *dtypes, prompt.result_dtype.name, prompt.overflow or "-"]
    words += map(str, (*numbers_of(prompt.case.problem), prompt.first.tensor.size))
    for tensor in tensors:
        found = [] if tensor is None else to_words(tensor)
        words += [str(len(found)), *found]
    return " ".join(words)


def write_stream(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write ``prompts.txt``; a stream never holds what is expected."""
    with open(folder / "prompts.txt", "w", encoding="ascii", newline="\n") as file:
        file.writelines(f"{line}\n" for line in stream_lines(prompts))


STREAM = Form(
    write_stream,
    """prompts.txt holds one line of words for every operation; docs/protocol.md says which. It never holds what is
expected: 'refconv judge SUITE --stream' judges the lines that answer.""",
    leaves_out=no_scales,
)
