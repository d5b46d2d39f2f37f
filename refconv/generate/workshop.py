"""Groups that are finished, kept until all are: a run that was killed goes on where it stopped.

Finished groups lie in a hidden folder beside the place of the suite.  Its name says what is being made and by which
code, so that nothing is taken over from another selection, another version or edited sources.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from refconv.atomic import replace_file
from refconv.errors import SuiteError
from refconv.generate.recipe import Hashes
from refconv.suite import FileRecord, GroupRecord

if sys.platform != "win32":
    import fcntl

PACKAGE = Path(__file__).parents[1]
SOURCES = ("*.py", "*.tsv", "*.json")


@dataclass(frozen=True)
class Made:
    """What a worker reports of a group, beside the files that it wrote.

    ``opinions`` is what the oracle said by case and operation; ``sampled`` names, by case, the references that
    computed only a sample.
    """

    record: GroupRecord
    opinions: dict[str, dict[str, str]]
    hashes: Hashes
    sampled: dict[str, list[str]]


@contextmanager
def workshop(out: Path, purpose: tuple[Any, ...]) -> Iterator[Path]:
    """Yield a folder for finished groups, with those that a killed run of the same purpose left there.

    It is removed when the block succeeds or fails; an interruption keeps what is finished, and a note says where.

    Raises
    ------
    SuiteError
        If another run is making the same suite at the same place.
    """
    out = out.resolve()
    folder = out.with_name(f".{out.name}.unfinished-{_key(purpose)}")
    for stale in set(out.parent.glob(f".{out.name}.unfinished-*")) - {folder}:
        shutil.rmtree(stale, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        _lock(lock, out)
        try:
            yield folder
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except KeyboardInterrupt as interruption:
            _say_what_is_kept(folder, interruption)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _say_what_is_kept(folder: Path, interruption: BaseException) -> None:
    count = len(list(folder.glob("*.made")))
    if count:
        interruption.add_note(
            f"finished groups, {count} of them, are kept in {folder}; give the same command again to go on from there, "
            "or remove that folder."
        )
    else:
        shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path, made: Made) -> None:
    """Note that a group is finished, after its files are written."""
    replace_file(folder / f"{made.record.name}.made", json.dumps(asdict(made)).encode())


def kept(folder: Path) -> Iterator[Made]:
    """Find the groups that are finished, as far as their files are what was written."""
    for path in sorted(folder.glob("*.made")):
        try:
            made = _made(json.loads(path.read_bytes()))
            whole = all(FileRecord.of(f.path, (folder / f.path).read_bytes()) == f for f in made.record.files)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if whole:
            yield made


def move(folder: Path, made: Made, stage: Path) -> None:
    """Move the files of a group to where the suite is put together."""
    for file in made.record.files:
        os.replace(folder / file.path, stage / file.path)


def _made(entry: dict[str, Any]) -> Made:
    record = entry.pop("record")
    files = tuple(FileRecord(**file) for file in record.pop("files"))
    return Made(record=GroupRecord(**record, files=files), **entry)


def _key(purpose: tuple[Any, ...]) -> str:
    """Digest the purpose, the sources and the versions of what computes."""
    digest = sha256(repr((purpose, platform.python_version(), version("numpy"), version("scipy"))).encode())
    for path in sorted(path for pattern in SOURCES for path in PACKAGE.rglob(pattern)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _lock(lock: Any, out: Path) -> None:
    if sys.platform == "win32":  # two runs at the same place are the user's affair
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        message = f"{out}: another run is making this suite here; wait for it, or choose another place."
        raise SuiteError(message) from None
