"""Everything that can be judged, and the ways to plug it in; only these files name an engine's package."""

from refconv.implementations.callables import Runner, as_runner
from refconv.implementations.loading import engines, load_implementation
from refconv.implementations.protocol import ARGUMENTS, PLAIN, RESULT_NAMES, Demand, Implementation

__all__ = [
    "ARGUMENTS",
    "PLAIN",
    "RESULT_NAMES",
    "Demand",
    "Implementation",
    "Runner",
    "as_runner",
    "engines",
    "load_implementation",
]
