"""Results that arrive as text: ``CASE OPERATION ok COUNT WORD ...`` or ``CASE OPERATION unsupported``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from refconv.implementations.hexwords import from_words
from refconv.implementations.layouts import Layouts
from refconv.implementations.protocol import RESULT_NAMES
from refconv.implementations.session import Answer, Call
from refconv.implementations.wanted import result_dtype

OWN = Layouts()
SHOWN = 80
NOT_OFFERED = {"unsupported": ("UNSUPPORTED", ""), "rejected": ("REJECTED", "refused a legal problem"),
               "error": ("ERROR", "broke down")}  # fmt: skip


class StreamResults:
    """A session over the lines that a program wrote; they may come in any order.

    Parameters
    ----------
    lines : iterable of str
        They are read to their end at once.
    name : str
    layouts : Layouts
        How the results lie.

    Attributes
    ----------
    missing : list of str
        The results that were asked for and did not come.
    garbage : list of str
        The lines that are no results.
    """

    repeats = arranges = checks_arguments = False

    def __init__(self, lines: Iterable[str], name: str = "stream", layouts: Layouts = OWN) -> None:
        self.name, self.layouts = name, layouts
        self.missing: list[str] = []
        self.garbage: list[str] = []
        self._lines: dict[tuple[str, str], list[str]] = {}
        for line in lines:
            words = line.split()
            if len(words) >= 3 and words[1] in RESULT_NAMES:
                self._lines.setdefault((words[0], words[1]), []).append(line)
            elif words:
                self.garbage.append(line.strip()[:SHOWN])

    def call(self, call: Call) -> Answer:
        """Look up the result of one operation."""
        found = self._lines.get((call.case_id, call.operation), [])
        if not found and call.demand.quantization is not None:
            return Answer("UNSUPPORTED", message="the stream has no quantised layers")
        if len(found) == 1:
            return _parsed(found[0].split()[2:], call, self.layouts)
        if found:
            return Answer("ERROR", message=f"{len(found)} result lines came, one is due")
        self.missing.append(f"{call.case_id} {call.operation}")
        return Answer("ERROR", message="no result line came")

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> StreamResults:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _parsed(words: list[str], call: Call, layouts: Layouts) -> Answer:
    if words[0] in NOT_OFFERED:
        status, said = NOT_OFFERED[words[0]]
        return Answer(status, message=": ".join(filter(None, [said, " ".join(words[1:])[:500]])))
    values = words[2:]
    if words[0] != "ok" or len(words) < 2 or words[1] != str(len(values)):
        return Answer("ERROR", message=f"a result is 'ok', the number of words and the words, got {_start(words)!r}")
    dtype, name = result_dtype(call.tensors, call.demand), RESULT_NAMES[call.operation]
    shape = layouts.shape(call.problem.shape_of(name), name)
    try:
        result = from_words(values, dtype)
    except ValueError as error:
        return Answer("ERROR", message=str(error))
    count = math.prod(shape)
    if count != len(values):
        return Answer("ERROR", message=f"the result must have {count} words for shape {shape}, got {len(values)}")
    return Answer("RETURNED", layouts.restored(result.reshape(shape), name))


def _start(words: list[str]) -> str:
    return " ".join(itertools.islice(words, 6))[:SHOWN]
