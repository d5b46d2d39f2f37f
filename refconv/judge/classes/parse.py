"""The text form of accuracy classes."""

from __future__ import annotations

from refconv.errors import FormatError, JudgeError
from refconv.formats import NumberFormat, get_format
from refconv.judge.classes.base import AccuracyClass
from refconv.judge.classes.equality import Equality
from refconv.judge.classes.fft import Fft
from refconv.judge.classes.ftz import FlushToZero
from refconv.judge.classes.reduced import NARROW, Reduced
from refconv.judge.classes.split import Split
from refconv.judge.classes.standard import Standard
from refconv.judge.classes.tosa import Tosa
from refconv.judge.classes.winograd import TRANSFORMS, Winograd

FORMS = (
    "exact, correctly_rounded, standard[:FORMAT], ftz[:FORMAT], reduced:tf32, reduced:bf16, split:PARTS:FORMAT, "
    "winograd:2, winograd:4, fft, tosa"
)


def parse_class(text: str) -> AccuracyClass:
    """Read the text form of an accuracy class.

    Parameters
    ----------
    text : str
        Such as ``"standard:float32"`` or ``"split:4:bfloat16"``; FORMAT is a floating-point format, or
        int32 for integers, and by default the ordinary accumulator of the inputs.

    Raises
    ------
    JudgeError
        If it is none of the forms.

    Examples
    --------
    >>> parse_class("split:4:bfloat16").name, parse_class("ftz").name
    ('split:4:bfloat16', 'ftz')
    """
    name, *options = text.split(":")
    try:
        found = _make(name, options)
    except (FormatError, ValueError):
        found = None
    if found is None:
        raise JudgeError(f"an accuracy class must be one of {FORMS}, got {text!r}.")
    return found


def _make(name: str, options: list[str]) -> AccuracyClass | None:
    match name, options:
        case (("exact" | "correctly_rounded"), []):
            return Equality(name)
        case "standard", [] | [_]:
            return Standard(*map(get_format, options))
        case "ftz", [] | [_]:
            return FlushToZero(*map(_floating, options))
        case "reduced", [narrow] if narrow in NARROW:
            return Reduced(narrow)
        case "split", [parts, between] if int(parts) > 0:
            return Split(int(parts), _floating(between))
        case "winograd", [tile] if int(tile) in TRANSFORMS:
            return Winograd(int(tile))
        case "fft", []:
            return Fft()
        case "tosa", []:
            return Tosa()
    return None


def _floating(name: str) -> NumberFormat:
    found = get_format(name)
    if found.is_integer:
        raise FormatError(f"a floating-point format is needed, got {name!r}.")
    return found
