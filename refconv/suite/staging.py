"""Building a folder beside its place and renaming it into it, so that a killed run leaves the old one or none."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from refconv.atomic import FULL
from refconv.errors import SuiteError
from refconv.suite.files import MANIFEST, list_folder


@contextmanager
def staged(out: str | Path, force: bool = False, marker: str = MANIFEST, durable: bool = True) -> Iterator[Path]:
    """Yield a fresh folder that takes the place of `out` when the block succeeds.

    A run that fails removes its folder; one that is killed leaves it, hidden beside `out`, and may leave the old
    suite there too.

    Parameters
    ----------
    out : path
    force : bool
        Replace an existing suite.  A folder that is not a suite is never replaced.
    marker : str
        The file by which a folder is known that may be replaced; another one for what is not a suite.
    durable : bool
        Wait until all files are on the disk, so that not even a power failure leaves half of them.

    Raises
    ------
    SuiteError
        If `out` exists and is not empty, and `force` is not given or `out` is not a suite; or the disk is full.
    """
    out = Path(out).resolve()
    _check_replaceable(out, force, marker)
    stage = _made(out, "staging")
    try:
        yield stage
        if durable:
            _sync_tree(stage)
        _check_replaceable(out, force, marker)  # once more: the run may have taken hours
        _swap(stage, out)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise SuiteError(
                f"{out}: there must be room for the whole folder, got {error.strerror!r}; nothing of it is left, "
                "make room or choose another place."
            ) from None
        raise


def _check_replaceable(out: Path, force: bool, marker: str) -> None:
    if not os.path.exists(out):
        return
    if not out.is_dir():
        raise SuiteError(f"{out}: the place of a suite must be a folder, got a file; choose another place.")
    if not list_folder(out):
        return
    new, kind = ("a new suite", "a suite") if marker == MANIFEST else ("an export", "an earlier export")
    if not force:
        raise SuiteError(f"{out}: the place of {new} must be empty or absent; choose another, or use --force.")
    if not (out / marker).is_file():
        raise SuiteError(f"{out}: only {kind} is replaced, and this folder has no {marker}; choose another place.")


def _beside(out: Path, purpose: str) -> Path:
    return out.with_name(f".{out.name}.{purpose}-{secrets.token_hex(4)}")


def _made(out: Path, purpose: str) -> Path:
    stage = _beside(out, purpose)
    try:
        stage.mkdir(parents=True)
    except OSError as error:
        raise SuiteError(f"{out.parent}: the folder of a new suite must be writable, got {error.strerror}.") from None
    return stage


def _swap(stage: Path, out: Path) -> None:
    """Move the old folder aside, the new one in, and only then remove the old one."""
    aside = _beside(out, "old") if out.exists() else None
    if aside is not None:
        os.rename(out, aside)
    try:
        os.rename(stage, out)
    except OSError:
        if aside is not None:
            os.rename(aside, out)
        raise
    _sync(out.parent)
    if aside is not None:
        shutil.rmtree(aside)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():
        return  # only POSIX opens folders
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
