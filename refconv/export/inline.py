"""One JSON file that holds everything, its numbers as hexadecimal words: for teaching and for the browser."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy.typing as npt

from refconv.export.entries import case_entry, described, document
from refconv.export.form import LAYOUTS, Form
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.implementations.hexwords import to_words
from refconv.suite import Suite


def write_inline(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write ``vectors.json``, one case per line."""
    head = json.dumps(document("inline", suite, options) | {"license": "CC0-1.0"})
    with open(folder / "vectors.json", "w", encoding="ascii", newline="\n") as file:
        file.write(f'{head[:-1]}, "cases": [')
        separator = "\n"
        for _, found in groupby(prompts, key=lambda prompt: prompt.case.id):
            file.write(separator + json.dumps(case_entry(list(found), options, _inline)))
            separator = ",\n"
        file.write("\n]}\n")


def _inline(stem: str, tensor: npt.NDArray[Any]) -> dict[str, Any]:
    return described(tensor) | {"hex": " ".join(to_words(tensor))}


JSON = Form(
    write_inline,
    """vectors.json holds every case: problem, inputs, and for each operation what is expected, by policy where there
is a choice, with lo and hi where results may round. A tensor is its elements in C order as hexadecimal words of two
digits per byte, most significant first: 3f800000 is 1 in float32, ff is -1 in int8. Scales of quantised layers are
hex-float strings. Every legal operation of the selection is here.""",
    LAYOUTS,
    any_layer=True,
)
