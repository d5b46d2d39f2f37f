"""Everything that can be judged, and the ways to plug it in; only these files name an engine's package."""

from refconv.implementations.callables import Runner, as_runner
from refconv.implementations.in_process import InProcess
from refconv.implementations.library import LibraryRunner
from refconv.implementations.loading import engines, load_implementation
from refconv.implementations.misbehaviour import MisbehaviourError
from refconv.implementations.protocol import ARGUMENTS, PLAIN, RESULT_NAMES, Demand, Implementation
from refconv.implementations.session import Answer, Call, Session, as_array, same_bytes

__all__ = [
    "ARGUMENTS",
    "PLAIN",
    "RESULT_NAMES",
    "Answer",
    "Call",
    "Demand",
    "Implementation",
    "InProcess",
    "LibraryRunner",
    "MisbehaviourError",
    "Runner",
    "Session",
    "as_array",
    "as_runner",
    "engines",
    "load_implementation",
    "same_bytes",
]
