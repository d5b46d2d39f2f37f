"""The covering arrays: problems in which every pair, or every triple, of factor values occurs.

Their rows were chosen by ``scripts/make_arrays.py`` and are frozen in ``pairs.tsv`` and ``triples.tsv``, those of the
axes tier by ``scripts/make_operator_arrays.py`` in ``operators.tsv``.  :mod:`refconv.catalogue.coverage` and
:mod:`refconv.catalogue.operators` count what they cover.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from refconv.catalogue.spec import Row
from refconv.problem import OPERATIONS, ConvProblem, TransposedProblem

# Their formats and fills.  In core, most exact groups hold the rows of all of them.
ARRAYS = (
    ("float32", "exact"), ("float64", "exact"), ("float16", "exact"), ("bfloat16", "exact"), ("int8", "exact"),
    ("float32", "zero-mean"), ("float64", "zero-mean"), ("float16", "zero-mean"), ("bfloat16", "zero-mean"),
)  # fmt: skip


def array_rows(name: str, element: str, fill: str, everything: bool = False) -> list[Row]:
    """Return the rows of an array that are meant for a format and a fill, or all of them.

    Parameters
    ----------
    name : {"pairs", "triples"}
    element, fill : str
        As in the labels of groups.
    everything : bool
        Take all rows, whatever their format and fill.

    Examples
    --------
    >>> array_rows("pairs", "float32", "exact")[0].slug
    'n1c2i6x6-k2w3x3-s1x1-d1x1-p1.0x0.0-g1'
    """
    forward_only = fill == "exact" and element in ("int8", "float16", "bfloat16")
    return [
        _row(problem, bias, forward_only) for problem, bias, *own in lines(name) if everything or own == [element, fill]
    ]


def operator_rows(axes: int, transposed: bool, element: str, judged: str) -> list[Row]:
    """Return the rows of the array of the axes tier for an operator, a format and a rule.

    Parameters
    ----------
    axes : int
    transposed : bool
    element : str
    judged : {"exact", "interval"}

    Examples
    --------
    >>> operator_rows(1, True, "float32", "exact")[0].slug
    't-n2c3i2-k2w3-s2-d3-p2.3-e0-g1-no-bias'
    """
    rows = [_row(problem, bias, element == "int8") for problem, bias, *own in lines("operators")
            if own == [element, judged] and problem.startswith("t-") == transposed]  # fmt: skip
    return [row for row in rows if len(row.problem.input_size) == axes]


@cache
def lines(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the frozen rows of a file of this folder."""
    text = files(__package__).joinpath(f"{name}.tsv").read_text(encoding="ascii")
    return tuple(tuple(line.split("\t")) for line in text.splitlines()[1:])


def _row(descriptor: str, bias: str, forward_only: bool) -> Row:
    kind = TransposedProblem if descriptor.startswith("t-") else ConvProblem
    problem, has_bias = kind.from_descriptor(descriptor), bias == "yes"
    slug = slug_of(descriptor) + ("" if has_bias else "-no-bias")
    comment = "A row of the covering array, which its name spells out."
    return Row(slug, comment, problem, bias=has_bias, operations=("forward",) if forward_only else OPERATIONS)


def slug_of(descriptor: str) -> str:
    """Return the name of a row: its problem, without what follows from the rest.

    Examples
    --------
    >>> slug_of("n1c1i3x3-k1w2x2-s1x1-d1x1-p0+0x0+1-g1-o2x3")
    'n1c1i3x3-k1w2x2-s1x1-d1x1-p0.0x0.1-g1'
    """
    return descriptor.rpartition("-o")[0].replace("+", ".")
