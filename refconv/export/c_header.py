"""Constant arrays and tables in C99 that are C++17, too: one header for each group, and a program that runs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy.typing as npt

from refconv.export.c_literals import C_TYPES, identifier, literals
from refconv.export.c_tables import quantization_rows, tensor_row, vector_row
from refconv.export.form import LAYOUTS, Form
from refconv.export.options import Options
from refconv.export.prompts import Prompt
from refconv.implementations.abi import include_dir
from refconv.suite import Suite

Array = npt.NDArray[Any]


def write_c_header(folder: Path, suite: Suite, prompts: Iterable[Prompt], options: Options) -> None:
    """Write ``GROUP.h`` for every group, ``all.h``, what they include, and on demand ``main.c``."""
    groups, largest = [], 1
    for group, found in groupby(prompts, key=lambda prompt: prompt.case.id.partition("/")[0]):
        writer = GroupWriter(group, options)
        for prompt in found:
            writer.add(prompt)
        (folder / f"{group}.h").write_text(writer.text(suite), "ascii", newline="\n")
        groups.append(group)
        largest = max(largest, writer.largest)
    (folder / "all.h").write_text(_all(groups, largest, options), "ascii", newline="\n")
    ours = resources.files("refconv.export").joinpath("c")
    shared = [
        (include_dir() / "refconv_impl.h"),
        ours / "refconv_vector.h",
        *([ours / "main.c"] if options.main else []),
    ]
    for source in shared:
        (folder / source.name).write_bytes(source.read_bytes())


class GroupWriter:
    """The header of one group, line by line.

    Attributes
    ----------
    largest : int
        The bytes of the largest result.
    """

    def __init__(self, group: str, options: Options) -> None:
        self.group, self.options = group, options
        self.largest, self.nbytes = 1, 0
        self._arrays: list[str] = []
        self._rows: list[str] = []
        self._names: dict[str, str] = {}  # what an identifier was made of

    def add(self, prompt: Prompt) -> None:
        """Add an operation, and those of its tensors that are not there yet."""
        inputs = [tensor_row(tensor, self._stored(f"{prompt.case.id}/{name}", tensor))
                  for name, tensor in prompt.inputs.items()]  # fmt: skip
        scales = self._scales(prompt)
        goldens = self._goldens(prompt)
        self._rows.append(vector_row(prompt, inputs, scales, goldens))
        self.largest = max(self.largest, prompt.first.tensor.nbytes)

    def text(self, suite: Suite) -> str:
        """Return the whole file."""
        guard = f"REFCONV_GROUP_{identifier(self.group).upper()}_H"
        head = [
            f"/* {self.group} of suite {suite.name} {suite.version}:",
            f" * {len(self._rows)} operations, {self.nbytes} bytes of tensors.",
            f" * Images lie as {self.options.layout}, weights as {self.options.weight_layout}, in C order.",
            " * SPDX-License-Identifier: CC0-1.0 */", f"#ifndef {guard}", f"#define {guard}",
            '#include "refconv_vector.h"',
        ]  # fmt: skip
        table = [f"static const refconv_vector {table_of(self.group)}[] = {{", ",\n".join(self._rows), "};"]
        return "\n".join([*head, *self._arrays, *table, "#endif"]) + "\n"

    def _goldens(self, prompt: Prompt) -> str:
        """Write the golden tensors and their table; return its name."""
        if self.options.prompt_only:
            return "NULL"
        rows = []
        for policy, expected in prompt.expected.items():
            stem = "/".join(filter(None, [prompt.case.id, prompt.operation, policy]))
            exact, lo, hi = (
                self._stored(f"{stem}/{part}", expected.parts[part]) if part in expected.parts else "NULL"
                for part in ("tensor", "lo", "hi")
            )
            rows.append(f'{{"{policy}", {exact}, {lo}, {hi}}}')
        name = self._named(f"{prompt.case.id}/{prompt.operation}/expected")
        self._arrays.append(f"static const refconv_expected {name}[] = {{{', '.join(rows)}}};")
        return name

    def _scales(self, prompt: Prompt) -> str:
        if prompt.case.quantization is None:
            return "NULL"
        name = self._named(f"{prompt.case.id}/quantization")
        self._arrays += quantization_rows(name, prompt.case.quantization)
        return f"&{name}"

    def _stored(self, key: str, tensor: Array) -> str:
        """Write a tensor unless it is there; return the name of its array."""
        if (known := self._names.get(key)) is not None:
            return known
        name = self._named(key)
        self.nbytes += tensor.nbytes
        kind, size = C_TYPES[tensor.dtype.name], max(1, tensor.size)  # ISO C has no array without elements
        shape = "x".join(map(str, tensor.shape))
        self._arrays.append(f"/* {key}: {tensor.dtype.name} {shape} */")
        self._arrays.append(f"REFCONV_ALIGNED static const {kind} {name}[{size}] = {{\n{literals(tensor)}}};")
        return name

    def _named(self, key: str) -> str:
        """Return a new identifier."""
        name, taken = identifier(key), set(self._names.values())
        while name in taken:
            name += "_"
        self._names[key] = name
        return name


def table_of(group: str) -> str:
    """Return the name of the table of a group.

    Examples
    --------
    >>> table_of("grouped-float32-exact")
    'grouped_float32_exact'
    """
    return identifier(group)


def _all(groups: list[str], largest: int, options: Options) -> str:
    def lines() -> Iterator[str]:
        yield "/* All groups of this folder.  SPDX-License-Identifier: CC0-1.0 */"
        yield from ("#ifndef REFCONV_ALL_H", "#define REFCONV_ALL_H")
        yield from (f'#include "{group}.h"' for group in groups)
        yield f"#define REFCONV_MAX_RESULT_BYTES {largest} /* of the largest result: no malloc is needed */"
        yield f'#define REFCONV_LAYOUT "{options.layout}"'
        yield f'#define REFCONV_WEIGHT_LAYOUT "{options.weight_layout}"'
        yield "static const refconv_group refconv_groups[] = {"
        yield from (f"  {{{table_of(group)}, REFCONV_COUNT({table_of(group)})}}," for group in groups)
        yield from ("};", "#endif")

    return "".join(f"{line}\n" for line in lines())


C_HEADER = Form(
    write_c_header,
    """GROUP.h holds the vectors of a group as constant arrays and one table, refconv_vector.h says what they are,
refconv_impl.h is the C ABI, all.h includes everything; C99 and C++17. float32 and float64 are hexadecimal literals
that lose no bit; float16, bfloat16 and float8 are their bits in uint16_t and uint8_t. Every legal operation of the
selection is here; of a choice, one result per policy. main.c, written by --main, runs your functions over all of it:

    cc -std=c99 -O2 main.c mine.c -o run && ./run""",
    LAYOUTS | {"main"},
)
