"""The accuracy classes: what an implementation may claim about its arithmetic, one claim per file."""

from refconv.judge.classes.base import AccuracyClass
from refconv.judge.classes.equality import Equality
from refconv.judge.classes.fft import Fft
from refconv.judge.classes.ftz import FlushToZero
from refconv.judge.classes.parse import FORMS, parse_class
from refconv.judge.classes.reduced import Reduced
from refconv.judge.classes.split import Split
from refconv.judge.classes.standard import Standard
from refconv.judge.classes.tosa import Tosa
from refconv.judge.classes.winograd import Winograd

__all__ = [
    "FORMS",
    "AccuracyClass",
    "Equality",
    "Fft",
    "FlushToZero",
    "Reduced",
    "Split",
    "Standard",
    "Tosa",
    "Winograd",
    "parse_class",
]
