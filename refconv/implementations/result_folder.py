"""Results that were computed elsewhere and brought back as raw files."""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.errors import SuiteError
from refconv.implementations.hexwords import from_words
from refconv.implementations.layouts import Layouts
from refconv.implementations.messages import unpacked
from refconv.implementations.protocol import RESULT_NAMES
from refconv.implementations.session import Answer, Call
from refconv.implementations.wanted import result_dtype
from refconv.suite import Suite

Array = npt.NDArray[Any]

OWN = Layouts()
STATED = "results.json"
LARGEST = 2**28  # bytes of it
STATUSES = {"unsupported": "UNSUPPORTED", "rejected": "REJECTED", "error": "ERROR", "crash": "CRASH",
            "timeout": "TIMEOUT"}  # fmt: skip
WORDS = {"unsupported": "", "rejected": "refused a legal problem", "error": "broke down", "crash": "crashed",
         "timeout": "gave no answer in time"}  # fmt: skip


class ResultFolder:
    """A session over a folder with one file per result, ``CASE.OPERATION.bin`` or ``CASE.OPERATION.hex``.

    Parameters
    ----------
    folder : path
    suite : Suite
        What the results are results of.
    layouts : Layouts
        How they lie.

    Attributes
    ----------
    missing : list of str
        The results that were asked for and are not there.

    Raises
    ------
    SuiteError
        If it is no folder, or its ``results.json`` is damaged or speaks of something else.
    """

    repeats = arranges = checks_arguments = False

    def __init__(self, folder: str | Path, suite: Suite, layouts: Layouts = OWN) -> None:
        self.folder, self.layouts = Path(folder), layouts
        if not self.folder.is_dir():
            raise SuiteError(f"{self.folder}: results must be a folder, and there is none.")
        document = _stated(self.folder)
        self.name = document.get("name", self.folder.resolve().name)
        self._statuses = _checked(document, suite, self.folder / STATED)
        self.missing: list[str] = []

    def call(self, call: Call) -> Answer:
        """Read the result of one operation."""
        stated = self._statuses.get(call.case_id, {}).get(call.operation, {"status": "ok"})
        if stated["status"] != "ok":
            said = ": ".join(filter(None, [WORDS[stated["status"]], stated.get("message", "")]))
            return Answer(STATUSES[stated["status"]], message=said)
        dtype, name = result_dtype(call.tensors, call.demand), result_file(call.case_id, call.operation)
        result = RESULT_NAMES[call.operation]
        shape = self.layouts.shape(call.problem.shape_of(result), result)
        try:
            found = self._found(name, dtype, shape)
        except FileNotFoundError:
            self.missing.append(name)
            return Answer("ERROR", message=f"no result: the file {name} is missing")
        except (OSError, ValueError) as error:
            return Answer("ERROR", message=str(error))
        return Answer("RETURNED", self.layouts.restored(found, result))

    def _found(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        """Read a packed file, or, where there is none, one of hexadecimal words, as $writememh leaves it."""
        count = math.prod(shape)
        words = f"{name.removesuffix('.bin')}.hex"
        if not os.path.lexists(self.folder / name) and os.path.lexists(self.folder / words):
            return _read_words(self.folder, words, dtype, count).reshape(shape)
        return unpacked(_read(self.folder, name, count * dtype.itemsize), dtype, shape)

    def strangers(self, suite: Suite) -> list[str]:
        """List the files that look like results, but of no case of the suite."""
        known = {f"{case_id}.{operation}" for case_id in suite.ids for operation in RESULT_NAMES}
        ends = tuple(f".{operation}{suffix}" for operation in RESULT_NAMES for suffix in (".bin", ".hex"))
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*"))
        return sorted(name for name in found if name.endswith(ends) and name[: -len(".bin")] not in known)

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> ResultFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def result_file(case_id: str, operation: str) -> str:
    """Return the path of a result inside its folder.

    Examples
    --------
    >>> result_file("grouped-float32/g2", "forward")
    'grouped-float32/g2.forward.bin'
    """
    return f"{case_id}.{operation}.bin"


def _read(folder: Path, name: str, nbytes: int) -> bytes:
    """Read a regular file of exactly this size."""
    path, size = _regular(folder, name)
    if size != nbytes:
        raise ValueError(f"{name} must have {nbytes} bytes, got {size}")
    return path.read_bytes()


def _read_words(folder: Path, name: str, dtype: np.dtype[Any], count: int) -> Array:
    """Read a file of hexadecimal words, one for each element; behind ``//`` may stand a comment."""
    path, size = _regular(folder, name)
    longest = (count + 9) * (2 * dtype.itemsize + 80)
    if size > longest:
        raise ValueError(f"{name} must hold {count} words, one element each, got {size} bytes")
    words = [word for line in path.read_text("utf-8", "replace").splitlines() for word in line.split("//")[0].split()]
    if len(words) != count:
        raise ValueError(f"{name} must hold {count} words, one element each, got {len(words)}")
    try:
        return from_words(words, dtype)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _regular(folder: Path, name: str) -> tuple[Path, int]:
    """Return a regular file and its size; no link is followed below the folder."""
    path = folder / name
    if path.parent.is_symlink():
        raise ValueError(f"{name}: its folder must not be a symbolic link")
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{name} must be a regular file, got something else")
    return path, status.st_size


def _stated(folder: Path) -> dict[str, Any]:
    """Read ``results.json``, if there is one."""
    path = folder / STATED
    if not os.path.lexists(path):
        return {}
    try:
        size = _regular(folder, STATED)[1]
    except ValueError as error:
        raise SuiteError(f"{path.parent}: {error}.") from None
    if size > LARGEST:
        raise SuiteError(f"{path}: must have at most {LARGEST} bytes, got {size}.")
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise SuiteError(f"{path}: must be JSON, and is not.") from None
    named = isinstance(document, dict) and isinstance(document.get("name", ""), str)
    if not named or not isinstance(document.get("results", {}), dict):
        raise SuiteError(f'{path}: must look like {{"name": "...", "results": {{CASE: {{OPERATION: {{...}}}}}}}}.')
    return dict(document)


def _checked(document: dict[str, Any], suite: Suite, where: Path) -> dict[str, dict[str, dict[str, str]]]:
    results: dict[str, Any] = document.get("results", {})
    known = set(suite.ids) if results else set()
    for case_id, entries in results.items():
        if case_id not in known:
            raise SuiteError(f"{where}: there is no case {case_id!r:.80} in suite {suite.name!r}.")
        for operation, entry in entries.items() if isinstance(entries, dict) else [(None, None)]:
            status = entry.get("status") if isinstance(entry, dict) else None
            said = entry.get("message", "") if isinstance(entry, dict) else None
            if operation not in RESULT_NAMES or status not in ("ok", *STATUSES) or not isinstance(said, str):
                raise SuiteError(
                    f"{where}: {case_id!r} must map operations ({', '.join(RESULT_NAMES)}) to objects with a status "
                    f"(ok, {', '.join(STATUSES)}) and perhaps a message."
                )
    return results
