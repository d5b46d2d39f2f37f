"""Everything that can be judged, and the ways to plug it in; only these files name an engine's package."""

from refconv.implementations.callables import Runner, as_runner
from refconv.implementations.in_process import InProcess
from refconv.implementations.isolated import TIMEOUT, Isolated
from refconv.implementations.library import LibraryRunner
from refconv.implementations.loading import engines, load_implementation
from refconv.implementations.misbehaviour import MisbehaviourError
from refconv.implementations.opening import address_of, open_session
from refconv.implementations.protocol import ARGUMENTS, PLAIN, RESULT_NAMES, Demand, Implementation
from refconv.implementations.session import Answer, Call, Session, answers_of, as_array, same_bytes
from refconv.implementations.session_runner import CallError, SessionRunner

__all__ = [
    "ARGUMENTS",
    "PLAIN",
    "RESULT_NAMES",
    "TIMEOUT",
    "Answer",
    "Call",
    "CallError",
    "Demand",
    "Implementation",
    "InProcess",
    "Isolated",
    "LibraryRunner",
    "MisbehaviourError",
    "Runner",
    "Session",
    "SessionRunner",
    "address_of",
    "answers_of",
    "as_array",
    "as_runner",
    "engines",
    "load_implementation",
    "open_session",
    "same_bytes",
]
