"""A whole problem in one word, such as ``n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10``.

The numbers of the axes are joined by x: batch, in_channels and input_size; out_channels and kernel_size; stride;
dilation; padding at the beginning + at the end, where negative numbers crop; groups; the output size.  A transposed
convolution begins with ``t-`` and has its output_padding, ``e``, after the padding.
"""

from __future__ import annotations

import re
from typing import Any

from refconv.errors import GeometryError
from refconv.problem.fields import Size
from refconv.problem.geometry import Geometry

EXAMPLES = {False: "n2c4i7x9-k6w3x2-s2x1-d1x2-p1+0x2+1-g2-o3x10",
            True: "t-n2c4i3x5-k6w3x2-s2x1-d1x1-p1+0x0+0-e1x0-g2-o7x6"}  # fmt: skip
_SIZES = r"\d+(?:x\d+)*"
_PATTERN = re.compile(
    rf"(?P<t>t-)?n(?P<n>\d+)c(?P<c>\d+)i(?P<i>{_SIZES})-k(?P<k>\d+)w(?P<w>{_SIZES})-s(?P<s>{_SIZES})-d(?P<d>{_SIZES})"
    rf"-p(?P<p>-?\d+\+-?\d+(?:x-?\d+\+-?\d+)*)(?(t)-e(?P<e>{_SIZES}))-g(?P<g>\d+)-o(?P<o>{_SIZES})",
    re.ASCII,
)


def write(problem: Geometry, output_padding: Size | None = None) -> str:
    """Describe a problem; with output_padding, a transposed one."""
    parts = [
        f"n{problem.batch}c{problem.in_channels}i{_by(problem.input_size)}",
        f"k{problem.out_channels}w{_by(problem.kernel_size)}",
        f"s{_by(problem.stride)}",
        f"d{_by(problem.dilation)}",
        "p" + "x".join(f"{begin}+{end}" for begin, end in problem.padding),
        f"g{problem.groups}",
        f"o{_by(problem.output_size)}",
    ]
    if output_padding is not None:
        parts = ["t", *parts[:5], f"e{_by(output_padding)}", *parts[5:]]
    return "-".join(parts)


def read(text: str, transposed: bool) -> tuple[dict[str, Any], Size]:
    """Return the fields of a problem and the output size that the descriptor states.

    Raises
    ------
    GeometryError
        If the text does not describe such a problem.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or bool(match["t"]) != transposed:
        raise GeometryError(f"descriptor must look like {EXAMPLES[transposed]}, got {text!r}.")
    fields = {
        "batch": int(match["n"]), "in_channels": int(match["c"]), "input_size": _split(match["i"]),
        "out_channels": int(match["k"]), "kernel_size": _split(match["w"]), "stride": _split(match["s"]),
        "dilation": _split(match["d"]), "groups": int(match["g"]),
        "padding": tuple(tuple(map(int, pair.split("+"))) for pair in match["p"].split("x")),
    }  # fmt: skip
    return fields | ({"output_padding": _split(match["e"])} if transposed else {}), _split(match["o"])


def check_output_size(problem: Geometry, stated: Size, text: str) -> None:
    """Refuse a descriptor whose output size is not the one that the rest implies."""
    if problem.output_size != stated:
        raise GeometryError(
            f"descriptor states the output size {_by(stated)}, but its geometry gives "
            f"{_by(problem.output_size)}: {text!r}."
        )


def _by(sizes: Size) -> str:
    return "x".join(map(str, sizes))


def _split(text: str) -> Size:
    return tuple(map(int, text.split("x")))
