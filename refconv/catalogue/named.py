"""Families of padding that is said by a name, or that crops.

The numbers that a name stands for are written out here, not computed: whoever resolves names can be held to them.
"""

from __future__ import annotations

from dataclasses import replace

from refconv.catalogue.shapes import nd, up
from refconv.catalogue.spec import Row
from refconv.problem import Problem

_UNEVEN = (  # with the numbers of SAME_UPPER; those of SAME_LOWER have begin and end exchanged
    ("signal", "Half of 3, stride 2.", nd(1, (2, 3), (7,), (4,), (2,), padding=((1, 2),))),
    ("signal-dilated", "Half of 3 by dilation.", nd(2, (3, 2), (9,), (2,), dilation=(3,), padding=((1, 2),))),
    ("signal-above-kernel", "Half of 1, stride 4 above two taps.", nd(1, (2, 3), (9,), (2,), (4,), padding=((0, 1),))),
    ("image", "Even along the height, half of 1 along the width.",
     nd(1, (2, 3), (7, 8), (3, 3), (2, 2), padding=((1, 1), (0, 1)))),
    ("image-even-kernel", "Halves of 1 and 3, no stride.",
     nd(2, (3, 2), (5, 6), (2, 4), padding=((0, 1), (1, 2)))),
    ("image-dilated", "4 and half of 3: dilation counts, and stride.",
     nd(1, (3, 2), (6, 7), (3, 2), (1, 2), (2, 3), ((2, 2), (1, 2)))),
    ("image-groups", "Halves of 3 and 1, two groups.",
     nd(2, (4, 6), (8, 5), (5, 2), (3, 1), padding=((1, 2), (0, 1)), groups=2)),
    ("volume", "Halves of 1, 2 and 1.",
     nd(1, (2, 3), (4, 5, 6), (2, 3, 4), (1, 2, 3), padding=((0, 1), (1, 1), (0, 1)))),
    ("transposed-signal", "Half of 3 is cut off at the end.", up(1, (2, 3), (4,), (5,), (2,), padding=((1, 2),))),
    ("transposed-signal-longer", "Half of 3, of which 2 by output_padding.",
     up(2, (3, 2), (3,), (4,), (3,), padding=((1, 2),), extra=(2,))),
    ("transposed-image", "Halves of 3 and 1.",
     up(1, (2, 3), (3, 4), (5, 2), (2, 1), padding=((1, 2), (0, 1)))),
    ("transposed-image-dilated", "Half of 3 by dilation, along both axes.",
     up(2, (3, 2), (2, 4), (3, 2), (2, 1), (2, 3), ((1, 2), (1, 2)))),
    ("transposed-image-groups", "Halves of 1 and 3, two groups.",
     up(1, (4, 2), (3, 2), (3, 4), (2, 1), padding=((0, 1), (1, 2)), groups=2)),
    ("transposed-volume", "Halves of 1, 1 and 3.",
     up(1, (2, 2), (2, 3, 2), (3, 2, 4), (2, 1, 1), padding=((0, 1), (0, 1), (1, 2)))),
)  # fmt: skip

_EVEN = (  # both names stand for the same numbers
    ("same-signal-odd-kernel", "2 in halves, no stride.", nd(1, (2, 3), (6,), (3,), padding=((1, 1),))),
    ("same-signal-needs-none", "Stride 4 over 8 elements under one tap: less than nothing is nothing.",
     nd(2, (3, 2), (8,), (1,), (4,))),
    ("same-image-needs-none", "What stride leaves over takes nothing away.", nd(1, (2, 3), (8, 9), (2, 1), (4, 3))),
    ("same-transposed-gaps", "One element more, since two taps do not fill a stride of 3.",
     up(1, (2, 3), (4,), (2,), (3,), extra=(1,))),
    ("same-transposed-odd-kernel", "2 in halves.", up(1, (3, 2), (3, 4), (3, 3), padding=((1, 1), (1, 1)))),
)  # fmt: skip

_VALID = (
    ("valid-signal", "Nothing is added, one element is left over.", nd(1, (2, 3), (9,), (4,), (2,))),
    ("valid-image", "Nothing is added, rows and columns are left over.", nd(2, (3, 2), (8, 9), (3, 2), (2, 3))),
    ("valid-volume", "Nothing is added.", nd(1, (2, 3), (3, 4, 5), (2, 2, 3), (1, 2, 1))),
    ("valid-transposed-image", "Nothing is cut off.", up(1, (2, 3), (3, 4), (3, 2), (2, 1))),
)  # fmt: skip


def named_padding() -> list[Row]:
    """Say SAME_UPPER, SAME_LOWER and VALID in the numbers that they stand for."""
    rows = []
    for slug, comment, problem in _UNEVEN:
        rows.append(Row(f"same-upper-{slug}", f"{comment} The larger half comes last.", problem, ("SameUpper",)))
        rows.append(Row(f"same-lower-{slug}", f"{comment} The larger half comes first.", _mirrored(problem),
                        ("SameLower",)))  # fmt: skip
    rows += [Row(slug, comment, problem, ("SameUpper", "SameLower")) for slug, comment, problem in _EVEN]
    return rows + [Row(slug, comment, problem, ("ValidPadding",)) for slug, comment, problem in _VALID]


def _mirrored(problem: Problem) -> Problem:
    return replace(problem, padding=tuple((end, begin) for begin, end in problem.padding))


def cropped() -> list[Row]:
    """Negative padding: the input is cropped, the output of a transposed convolution grows."""
    return [
        Row("signal-begin", "The first element is not read.", nd(1, (2, 3), (8,), (3,), padding=((-1, 0),))),
        Row("signal-both", "Two at the beginning and one at the end, stride 2.",
            nd(2, (3, 2), (11,), (3,), (2,), padding=((-2, -1),))),
        Row("signal-pad-and-crop", "Padded at the beginning, cropped at the end, dilated.",
            nd(1, (2, 3), (9,), (3,), (1,), (2,), ((2, -1),))),
        Row("image-end", "The last row and the last two columns are not read.",
            nd(1, (2, 3), (6, 7), (3, 2), padding=((0, -1), (0, -2)))),
        Row("image-mixed", "All four differ, with stride and dilation.",
            nd(2, (3, 2), (8, 9), (3, 2), (2, 1), (1, 2), ((-1, 2), (1, -2)))),
        Row("image-groups", "Two groups, cropped at the beginning.",
            nd(1, (4, 6), (6, 5), (2, 3), (1, 2), padding=((-2, 0), (-1, 1)), groups=2)),
        Row("image-below-kernel", "What is left is as large as the kernel.",
            nd(1, (2, 3), (5, 6), (3, 2), padding=((-1, -1), (-3, -1)))),
        Row("volume-mixed", "All six differ.",
            nd(1, (2, 3), (5, 4, 6), (2, 3, 2), (1, 1, 2), padding=((-1, 0), (1, -1), (-2, 1)))),
        Row("transposed-signal", "One more at the beginning: it is the bias.",
            up(1, (2, 3), (4,), (3,), (2,), padding=((-1, 0),))),
        Row("transposed-image", "Grown at two ends, cut at the others.",
            up(2, (3, 2), (3, 4), (3, 2), (2, 1), padding=((-1, 1), (1, -2)), extra=(1, 0))),
        Row("transposed-volume", "Grown at the end of every axis.",
            up(1, (2, 2), (2, 3, 2), (2, 1, 3), (1, 2, 1), padding=((0, -1), (1, -1), (1, -2)))),
    ]  # fmt: skip
