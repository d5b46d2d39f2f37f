"""The geometry of one convolution: every shape rule, and the only output-size formula.

The three references share this room and nothing else.  It is watched by hand-written tables and by
PyTorch in the tests, because whatever is wrong here is wrong everywhere.
"""

from refconv.problem.convolution import ConvProblem, OversizedProblem
from refconv.problem.fields import Padding, Size
from refconv.problem.geometry import OPERATIONS, Geometry
from refconv.problem.padding import named_padding
from refconv.problem.reading import read_problem
from refconv.problem.rules import LARGEST, output_length
from refconv.problem.transposed import TransposedProblem

Problem = ConvProblem | TransposedProblem

__all__ = [
    "LARGEST",
    "OPERATIONS",
    "ConvProblem",
    "Geometry",
    "OversizedProblem",
    "Padding",
    "Problem",
    "Size",
    "TransposedProblem",
    "named_padding",
    "output_length",
    "read_problem",
]
