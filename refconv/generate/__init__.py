"""Making suites: catalogue, then the consensus of the references, then files."""

from refconv.generate.consensus import consult, golden_case
from refconv.generate.recompute import recompute
from refconv.generate.run import generate

__all__ = ["consult", "generate", "golden_case", "recompute"]
