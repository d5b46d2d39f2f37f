from __future__ import annotations

import re

import pytest

from refconv.errors import SuiteError
from refconv.suite import BUG_TYPES, FLAGS, Note, note_for

ASKED = [
    "Basic", "RealNetwork", "ExactInteger", "OneHot", "Iota", "NarrowAccumulator", "NonSquareInput",
    "NonSquareKernel", "EvenKernel", "StrideAboveKernel", "StrideDilationDiffer", "AsymmetricPadding",
    "PaddingAboveKernel", "Leftover", "Grouped", "Depthwise", "DepthMultiplier", "TileEdge", "VectorTail",
    "Pointwise", "FullReduction", "NonContiguous", "ZeroBatch", "OneByOne", "BatchOrder", "Cancellation",
    "LongReduction", "SwampedBias", "Subnormal", "Overflow", "RoundTie", "WideExponents", "NanPropagation",
    "InfPropagation", "PaddingMeetsNonFinite", "SignedZero", "MixedDtype", "Int8Extremes", "ZeroPoint",
    "PerChannelScale", "BadGroups", "KernelAbovePaddedInput", "ZeroStride", "ShapeMismatch", "DtypeMismatch",
]  # fmt: skip


@pytest.mark.parametrize("flag", ASKED)
def test_a_flag_of_the_format_is_in_the_table(flag: str) -> None:
    assert flag in FLAGS


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_a_flag_is_explained_in_two_sentences(flag: str) -> None:
    note = FLAGS[flag]
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", flag)
    assert note.bug_type in BUG_TYPES
    assert re.fullmatch(r"[A-Z][^\n]*\.", note.description)
    assert re.fullmatch(r"A failure usually means that [^\n]*[^.]\.", note.effect)
    assert note.effect.isascii()
    assert note.description.isascii()


def test_no_two_flags_share_a_sentence() -> None:
    assert len({note.description for note in FLAGS.values()}) == len(FLAGS)
    assert len({note.effect for note in FLAGS.values()}) == len(FLAGS)


def test_a_note_takes_the_defects_of_its_flag_alone() -> None:
    defects = {"Grouped": ["groups-ignored"], "Basic": ["flip"]}
    assert note_for("Grouped", defects).defects == ("groups-ignored",)
    assert note_for("Strided", defects).defects == ()
    assert (
        note_for("Grouped")
        == FLAGS["Grouped"]
        == Note("INDEXING", FLAGS["Grouped"].description, FLAGS["Grouped"].effect)
    )


def test_an_unknown_flag_is_one_sentence() -> None:
    with pytest.raises(SuiteError, match=r"a flag must be one of Basic, .*, got 'grouped'"):
        note_for("grouped")
