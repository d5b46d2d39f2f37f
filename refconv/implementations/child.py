"""What runs in the child process: one implementation, called as its parent asks.

The parent writes pickled requests to what was standard input, the child answers in lines of JSON on what was
standard output; both are moved aside first, so that whatever foreign code prints goes to standard error.
Tensors lie in an arena, see :mod:`refconv.implementations.arena`.  An answer counts if it ends in the token
of its request, which foreign code never sees.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pickle
import struct
import sys
from typing import IO, Any

from refconv.errors import RefconvError
from refconv.implementations.arena import Arena, Place
from refconv.implementations.in_process import InProcess
from refconv.implementations.library import LibraryRunner
from refconv.implementations.loading import load_implementation
from refconv.implementations.session import Answer, Array, Call, is_last
from refconv.workers import die_with_parent

HEADER = struct.Struct("<Q")  # the length of a request


def packed_request(request: Any) -> bytes:
    """Return the bytes of a request; the parent's side."""
    content = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(content)) + content


def read_request(stream: IO[bytes]) -> Any:
    """Receive a request, or None when the parent is gone."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return pickle.loads(stream.read(*HEADER.unpack(header)))


def main() -> None:
    """Serve until the parent closes its end."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    start = read_request(requests)
    die_with_parent()
    _limit_memory(start["memory_limit"])
    try:
        with contextlib.redirect_stdout(sys.stderr):
            runner = load_implementation(start["implementation"])
            gc.freeze()  # an engine is large, and nothing of it is garbage: look through what comes afterwards alone
            if isinstance(runner, LibraryRunner):
                runner.protect = start["protect"]
            session = InProcess(runner)
    except RefconvError as error:
        _answer(answers, start["token"], {"failed": str(error)})
        return
    with contextlib.ExitStack() as stack:
        arenas = [stack.enter_context(Arena(path)) for path in start["arenas"]]
        _answer(answers, start["token"], _greeting(session))
        _serve(session, arenas, requests, answers)


def _greeting(session: InProcess) -> dict[str, Any]:
    return {"name": session.name, "arranges": session.arranges, "checks_arguments": session.checks_arguments}


def _serve(session: InProcess, arenas: list[Arena], requests: IO[bytes], answers: IO[bytes]) -> None:
    while (request := read_request(requests)) is not None:
        if "renew" in request:
            session = InProcess(load_implementation(request["renew"]))
            _answer(answers, request["token"], _greeting(session))
        else:
            _run_batch(session, arenas[request["arena"]], request, answers)


def _run_batch(session: InProcess, arena: Arena, request: dict[str, Any], answers: IO[bytes]) -> None:
    """Run calls up to the one after which nothing more is asked; results lie behind all inputs, one after the other."""
    tensors: dict[str, Array] = {}
    end = request["end"]
    for index, (stated, token) in enumerate(zip(request["calls"], request["tokens"], strict=True)):
        if "tensors" in stated:  # else those of the call before
            tensors = {name: arena.get(place) for name, place in stated["tensors"].items()}
        answer = session.call(Call("", **{**stated, "tensors": tensors}))
        place = None if answer.result is None else arena.put([answer.result], end)[0]
        end = end if place is None else place.end
        _answer(answers, token, _described(answer, place))
        if is_last(answer, index):
            return


def _described(answer: Answer, place: Place | None) -> dict[str, Any]:
    return {
        "status": answer.status, "message": answer.message, "seconds": answer.seconds, "changed": answer.changed,
        "overwrote": answer.overwrote, "result": place,
    }  # fmt: skip


def _answer(stream: IO[bytes], token: str, content: dict[str, Any]) -> None:
    line = json.dumps([content, token])
    stream.write(line.encode("ascii") + b"\n")
    stream.flush()


def _limit_memory(limit: int | None) -> None:
    if limit is not None and sys.platform == "linux":  # macOS does not hold to it, and refuses small ones
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
