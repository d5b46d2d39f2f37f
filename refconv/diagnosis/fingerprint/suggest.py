"""The accuracy class that fits what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from refconv.formats import get_format

FORMAT_OF = {8: "bfloat16", 11: "float16", 24: "float32", 53: "float64"}
REDUCED = {8: "bf16", 11: "tf32"}
NEAREST = "nearest"


class Measured(Protocol):
    """What the suggestion reads; see :class:`refconv.diagnosis.fingerprint.Arithmetic`."""

    @property
    def dtype(self) -> str: ...  # noqa: D102
    @property
    def x_bits(self) -> int: ...  # noqa: D102
    @property
    def weight_bits(self) -> int: ...  # noqa: D102
    @property
    def accumulator_bits(self) -> int | None: ...  # noqa: D102
    @property
    def part_bits(self) -> int | None: ...  # noqa: D102
    @property
    def parts(self) -> int: ...  # noqa: D102
    @property
    def flushed(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def accumulator_rounding(self) -> str | None: ...  # noqa: D102
    @property
    def output_rounding(self) -> str | None: ...  # noqa: D102


def suggest(found: Sequence[Measured]) -> tuple[str | None, str]:
    """Suggest the narrowest class that covers all shapes of one format; return it, or None, and the reason."""
    element = get_format(found[0].dtype)
    for item in found:
        for way in (item.accumulator_rounding, item.output_rounding):
            if way is not None and not way.startswith(NEAREST):
                return None, f"sums are rounded {way}, and every class asks for the nearest number"
    operand = min(min(item.x_bits, item.weight_bits) for item in found)
    whole = min(item.accumulator_bits or 99 for item in found)
    usual = get_format(element.accumulator)
    if operand < element.precision:
        return _narrowed(operand, whole, usual.precision)
    part = min(item.part_bits or 99 for item in found)
    parts = max(item.parts for item in found)
    if parts > 1 and whole < part and part >= usual.precision and whole in FORMAT_OF:
        return f"split:{parts}:{FORMAT_OF[whole]}", f"partial sums pass through {whole} bits, {parts} times"
    known = [bits for bits in FORMAT_OF if bits <= whole]
    if not known:
        return None, f"an accumulator of {whole} bits is narrower than that of any class"
    accumulator = FORMAT_OF[max(known)] if whole < 99 else usual.name
    flushed = sorted({name for item in found for name in item.flushed})
    if flushed:
        return f"ftz:{accumulator}", f"subnormal numbers are flushed to zero: {', '.join(flushed)}"
    return f"standard:{accumulator}", f"all bits of the inputs, and {accumulator} between the products"


def _narrowed(operand: int, whole: int, usual: int) -> tuple[str | None, str]:
    if whole < usual:
        return None, f"operands of {operand} bits and an accumulator of {whole}: no class allows both"
    fitting = [bits for bits in REDUCED if bits <= operand]
    if not fitting:
        return None, f"operands of {operand} bits are narrower than those of any class"
    return f"reduced:{REDUCED[max(fitting)]}", f"of the operands {operand} bits are kept"
