"""Fold the exact results of a great many cases into one SHA-256: on any number of workers, and from a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from refconv.atomic import replace_file
from refconv.errors import DisagreementError, RefconvError, SuiteError
from refconv.generate.run import Progress
from refconv.generate.stream import BLOCK, blocks, digest, family_of, geometry, results, tensors
from refconv.implementations import Call, Session, open_session
from refconv.problem import OPERATIONS
from refconv.workers import spread

SCHEMA = "refconv.accumulated.v1"
FILE = "hashes.json"
CHUNK = 64 * BLOCK  # cases of a work item
START = bytes(32)

_PACKAGE = Path(__file__).parents[1]
PLACES = tuple(folder / "vectors" / "accumulated" / FILE for folder in (_PACKAGE, _PACKAGE.parent))  # wheel, checkout


@dataclass(frozen=True)
class Portion:
    """A work item: consecutive cases, and who is asked about each."""

    family: str
    start: int
    stop: int
    implementation: str | None = None
    isolate: bool = True

    def __str__(self) -> str:
        return f"{self.family}, cases {self.start} to {self.stop - 1}"


class Folded(NamedTuple):
    """What comes of a work item: the digests of its blocks, and what the implementation got wrong."""

    digests: list[bytes]
    asked: int
    wrong: list[str]


class Accumulated(NamedTuple):
    """What comes of all cases.

    Attributes
    ----------
    sha256 : str
    asked : int
        Operations that the implementation returned.
    wrong : int
        Of these, those that differ.
    examples : list of str
        A sentence for each of the first few.
    """

    sha256: str
    asked: int
    wrong: int
    examples: list[str]


def accumulate(
    family: str, count: int, jobs: int = 1, implementation: str | None = None, checkpoint: Path | None = None,
    executor: Executor | None = None, progress: Progress | None = None, isolate: bool = True,
) -> Accumulated:  # fmt: skip
    """Fold the exact results of the first cases of a family.

    Parameters
    ----------
    family : str
        A name of :data:`refconv.generate.stream.FAMILIES`.
    count : int
        Number of cases.
    jobs : int
        Number of processes.
    implementation : str, optional
        Whom to ask about each case, too.
    checkpoint : path, optional
        Where to write how far the work is, and from where to go on.
    executor : concurrent.futures.Executor, optional
        Where to work instead.
    progress : callable, optional
        Called as ``progress(done cases, all cases)``.
    isolate : bool
        Whether the implementation runs in processes of its own.

    Raises
    ------
    SuiteError
        If the checkpoint is not one of this family and implementation.

    Examples
    --------
    >>> accumulate("plain", 3).sha256 == accumulate("plain", 3, jobs=1).sha256
    True
    """
    family_of(family)
    if count < 1:
        raise RefconvError(f"count must be 1 or more, got {count}.")
    state = _State.read(checkpoint, family, implementation, count)
    starts = range(state.done, count, CHUNK)
    work = [Portion(family, start, min(count, start + CHUNK), implementation, isolate) for start in starts]
    early: dict[int, Folded] = {}
    for portion, folded, error in spread(fold, work, jobs, executor):
        if folded is None:
            raise error or RefconvError(f"{portion}: nothing came back.")
        early[portion.start] = folded
        while state.done in early:
            stop = min(count, state.done + CHUNK)
            state.add(early.pop(state.done), stop)
            if checkpoint is not None and stop % BLOCK == 0:
                state.write(checkpoint)
        if progress:
            progress(state.done + sum(CHUNK for _ in early), count)
    return Accumulated(state.state.hex(), state.asked, state.wrong, state.examples)


def fold(portion: Portion) -> Folded:
    """Digest the blocks of a portion; runs in a worker."""
    parts = list(blocks(range(portion.start, portion.stop)))
    digests = [digest(portion.family, cases) for cases in parts]
    if portion.implementation is None:
        return Folded(digests, 0, [])
    with open_session(portion.implementation, portion.isolate) as session:
        said = [sentence for cases in parts for sentence in _asked(session, portion.family, cases)]
    return Folded(digests, len(said), [sentence for sentence in said if sentence])


def known_hash(family: str, count: int) -> str | None:
    """Return the committed hash of so many cases, or None if there is none."""
    found = next((place for place in PLACES if place.is_file()), None)
    hashes: dict[str, dict[str, str]] = {} if found is None else json.loads(found.read_bytes())["sha256"]
    return hashes.get(family, {}).get(str(count))


def check_known(family: str, count: int, said: str) -> bool:
    """Hold a hash against the committed one; return whether there is one.

    Raises
    ------
    DisagreementError
        If they differ.
    """
    known = known_hash(family, count)
    if known is not None and known != said:
        raise DisagreementError(f"{family}: the sha256 of {count} cases must be {known}, got {said}.")
    return known is not None


def _asked(session: Session, family: str, cases: range) -> Iterator[str]:
    """Ask about every case: yields an empty text for what is right, a sentence for what is wrong."""
    problem = geometry(family, cases.start // BLOCK)
    drawn = tensors(family, cases, problem)
    truth = results(drawn, problem)
    for place, case in enumerate(cases):
        inputs = {name: values[place].astype(np.float32) for name, values in drawn.items()}
        for operation in OPERATIONS:
            answer = session.call(Call(f"{family}/{case}", operation, inputs, problem))
            if answer.status == "UNSUPPORTED":
                continue
            yield _sentence(answer, truth[operation][place], f"{family}/{case}: {operation}", problem)


def _sentence(answer: Any, expected: Any, what: str, problem: Any) -> str:
    if answer.status != "RETURNED":
        return f"{what}: {answer.message}"
    if answer.result.shape != expected.shape:
        return f"{what} must have shape {expected.shape}, got {answer.result.shape} ({problem})."
    differs = np.asarray(answer.result).astype(np.float64) != expected
    if not differs.any():
        return ""
    at = tuple(int(index) for index in np.argwhere(differs)[0])
    return (f"{what}{list(at)} must be {expected[at]:g}, got {answer.result[at]:g}; {int(differs.sum())} of "
            f"{differs.size} elements differ ({problem}).")  # fmt: skip


@dataclass
class _State:
    """How far the work is: a chain of digests, each hashed together with all before it."""

    family: str
    implementation: str | None
    done: int = 0
    state: bytes = START
    asked: int = 0
    wrong: int = 0
    examples: Any = ()

    def add(self, folded: Folded, done: int) -> None:
        for block in folded.digests:
            self.state = sha256(self.state + block).digest()
        self.done, self.asked, self.wrong = done, self.asked + folded.asked, self.wrong + len(folded.wrong)
        self.examples = [*self.examples, *folded.wrong][:5]

    def write(self, path: Path) -> None:
        head = {"schema": SCHEMA, **vars(self), "state": self.state.hex()}
        try:
            replace_file(path, json.dumps(head, indent=1).encode())
        except OSError as error:
            raise SuiteError(
                f"{path}: the checkpoint must be written here, got {error.strerror!r}; what stood here before is "
                "unharmed, make room or choose another place."
            ) from None

    @classmethod
    def read(cls, path: Path | None, family: str, implementation: str | None, count: int) -> _State:
        if path is None or not path.exists():
            return cls(family, implementation)
        try:
            entry = json.loads(path.read_bytes())
            if entry.pop("schema") != SCHEMA:
                raise ValueError
            found = cls(**entry | {"state": bytes.fromhex(entry["state"])})
            if len(found.state) != len(START) or not all(
                type(n) is int and n >= 0 for n in (found.done, found.asked, found.wrong)
            ):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise SuiteError(f"{path}: must be a checkpoint of refconv accumulate; remove it to begin anew.") from None
        asked = (found.family, found.implementation)
        if asked != (family, implementation) or found.done > count:
            who = f"{found.family}, {found.done} cases, implementation {found.implementation}"
            raise SuiteError(f"{path}: must be a checkpoint of this run, got {who}; choose another, or remove it.")
        return found
