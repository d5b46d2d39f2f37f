"""Cases for people: a table of many, a page about one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from refconv.problem import TransposedProblem
from refconv.suite import FLAGS, Case, Suite, chosen
from refconv.suite.strict_json import visible

SMALL = 64  # elements up to which a tensor is printed whole
LINE = 2**16  # columns of a line in a file or a pipe, at most


def print_list(suite: Suite, select: Iterable[str], console: Console) -> None:
    """Print one line per case: id, what it covers, and its flags.

    Raises
    ------
    CatalogueError
        If nothing matches.
    """
    ids = chosen(suite, select)
    rows = [(case.id, case.problem.descriptor, " ".join(_results(case)), " ".join(case.flags))
            for case in map(suite.case, ids)]  # fmt: skip
    if console.is_terminal:
        _print_lines(rows, console)
    else:
        print_rows(("case", "problem", "results", "flags"), rows, console)
    console.print(f"{len(ids)} cases of {suite.name} {suite.version}.")


def _print_lines(rows: Iterable[tuple[str, ...]], console: Console) -> None:
    """Give each case its name on a line of its own, whole, so that it can be copied, and below it the rest."""
    for name, problem, results, flags in rows:
        console.print(f"[bold]{escape(name)}[/]", soft_wrap=True)
        for text in (f"{problem}  {results}", flags):
            console.print(Padding(escape(text), (0, 0, 0, 2)), soft_wrap=False)


def print_rows(head: Iterable[str], rows: Iterable[Iterable[str]], console: Console) -> None:
    """Print a table of which nothing is cut: a terminal folds cells, anything else gets one line for each row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    if not console.is_terminal:
        console.width = max(
            console.width, console.measure(table, options=console.options.update(max_width=LINE)).maximum
        )
    console.print(table)


def print_case(case: Case, console: Console) -> None:
    """Print what a case is, what a failure would mean, its geometry and its numbers."""
    console.print(f"[bold]{escape(case.id)}[/]\n{escape(visible(case.comment))}\n")
    console.print(_geometry(case))
    console.print("\n[bold]A failure usually means[/]")
    for flag in case.flags:
        effect = FLAGS[flag].effect.removeprefix("A failure usually means that ")
        console.print(f"  {flag:<21} {escape(effect)}")
    for name, tensor in case.inputs.items():
        _print_tensor(f"input {name}", tensor, console)
    for scope, name, expected in case.all_expected():
        judge, policy = expected.judge, scope.partition("/")[2]
        within = f", lo <= value <= hi for {judge.terms} terms in {judge.accumulator}" if judge.accumulator else ""
        name = f"{name} under {policy}" if policy else name
        _print_tensor(f"expected {name} ({judge.rule}{within})", expected.tensor, console)


def _results(case: Case) -> list[str]:
    return list(dict.fromkeys(name for _, name, _ in case.all_expected()))


def _geometry(case: Case) -> Table:
    p = case.problem
    table = Table(box=None, show_header=False, pad_edge=False)
    axes = p.layout[2:]
    kernel, output = (", ".join(letter + axis for axis in axes) for letter in "ko")
    channels = "C, K/G" if isinstance(p, TransposedProblem) else "K, C/G"
    shapes = {
        f"x ({', '.join(p.layout)})": p.x_shape, f"weight ({channels}, {kernel})": p.weight_shape,
        f"y (N, K, {output})": p.y_shape,
    }  # fmt: skip
    settings = {"stride": p.stride, "dilation": p.dilation, "padding": p.padding, "groups": p.groups}
    if isinstance(p, TransposedProblem):
        settings = {"operator": "transposed convolution"} | settings | {"output_padding": p.output_padding}
    for name, value in (shapes | settings | {"descriptor": p.descriptor}).items():
        table.add_row(name, str(value))
    return table


def _print_tensor(title: str, tensor: npt.NDArray[Any], console: Console) -> None:
    console.print(f"\n[bold]{escape(title)}[/]  {tensor.dtype.name} {tensor.shape}")
    values = tensor.astype(np.float64) if tensor.dtype.kind not in "iu" else tensor
    whole = tensor.size <= SMALL
    text = np.array2string(values, max_line_width=110, threshold=SMALL, edgeitems=2, precision=9)
    console.print(escape(text if whole else f"{text}\n({tensor.size} elements)"))
