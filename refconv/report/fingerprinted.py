"""A fingerprint for people: one row for each format and shape."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from refconv.diagnosis.fingerprint import Arithmetic, Fingerprint

HEADER = ("format", "shape", "operands", "accumulator", "FMA", "flushed", "rounding", "order of summation")
FMA = {True: "yes", False: "no", None: "-"}


def print_fingerprint(found: Fingerprint, console: Console) -> None:
    """Print what was measured, and the class that it suggests."""
    rows = [HEADER, *map(_row, found.found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.print(line.rstrip(), markup=False, style="" if number else "bold")
    for why in dict.fromkeys(found.refused.values()):
        console.print(f"not measured: {'; '.join(_refused(found, why))} ({why})", markup=False)
    for item in _telling(found):
        console.print(f"\n{item.dtype}, {item.shape}: {item.order}\n  {item.tree}", markup=False)
    console.print()
    for dtype, suggested in found.suggested.items():
        name = f"--class {suggested}" if suggested else "no class fits"
        console.print(f"{dtype}: [bold]{name}[/]  {escape(found.reasons[dtype])}")


def _refused(found: Fingerprint, why: str) -> list[str]:
    """Name what was not measured for a reason: formats as a whole, where nothing of them was."""
    names = [name for name, reason in found.refused.items() if reason == why]
    measured = {item.dtype for item in found.found}
    partly = measured | {name.partition(",")[0] for name, reason in found.refused.items() if reason != why}
    whole = dict.fromkeys(dtype for name in names if (dtype := name.partition(",")[0]) not in partly)
    rest = [name for name in names if name.partition(",")[0] not in whole]
    return ([f"{', '.join(whole)} in every shape"] if whole else []) + rest


def _telling(found: Fingerprint) -> list[Arithmetic]:
    """Return one for each order of summation that takes a tree to be understood."""
    trees = {
        (item.dtype, item.order): item for item in found.found if item.tree and not item.order.startswith("sequential")
    }
    return list(trees.values())


def _row(item: Arithmetic) -> tuple[str, ...]:
    operands = f"{item.x_bits}" if item.x_bits == item.weight_bits else f"{item.x_bits} by {item.weight_bits}"
    ways = [way for way in (item.accumulator_rounding, item.output_rounding) if way]
    rounding = "; output ".join(ways) if len(set(ways)) > 1 else (ways or ["-"])[0]
    accumulator = str(item.accumulator_bits or "wide")
    if item.parts > 1:
        accumulator = f"{item.part_bits or 'wide'}, {item.parts} parts in {accumulator}"
    flushed = ", ".join(item.flushed) or "-"
    return item.dtype, item.shape, f"{operands} bits", accumulator, FMA[item.fma], flushed, rounding, item.order
