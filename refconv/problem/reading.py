"""From the word that describes a problem back to the problem, of whichever kind it is."""

from __future__ import annotations

from refconv.problem.convolution import ConvProblem
from refconv.problem.transposed import TransposedProblem


def read_problem(descriptor: str) -> ConvProblem | TransposedProblem:
    """Read the descriptor of a convolution, or of a transposed one.

    Raises
    ------
    GeometryError
        If the text is not a descriptor, or its output size is not the one that the rest implies.

    Examples
    --------
    >>> read_problem("t-n2c4i3x5-k6w3x2-s2x1-d1x1-p1+0x0+0-e1x0-g2-o7x6").output_padding
    (1, 0)
    >>> read_problem("n1c1i3x3-k1w2x2-s1x1-d1x1-p0+0x0+0-g1-o2x2").output_size
    (2, 2)
    """
    kind = TransposedProblem if descriptor.startswith("t-") else ConvProblem
    return kind.from_descriptor(descriptor)
