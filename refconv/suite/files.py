"""Reading files that are not trusted: no links, no devices, no more bytes than stated."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from refconv.errors import SuiteError
from refconv.suite.names import is_file_name

MANIFEST = "MANIFEST.json"
SUMS = "SHA256SUMS"
LARGEST = 2**28  # bytes of MANIFEST and SUMS, whose size is stated nowhere
PROVENANCE = "PROVENANCE.json"

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of some bytes in lowercase hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def list_folder(folder: Path) -> list[str]:
    """Return the names in a folder, hidden ones included, sorted.

    Raises
    ------
    SuiteError
        If the folder cannot be listed.
    """
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise SuiteError(f"{folder}: the folder must be readable, got {error.strerror}.") from None


def read_file(folder: Path, name: str, nbytes: int | None = None, most: int | None = None) -> bytes:
    """Read one regular file that lies directly in a folder.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
    nbytes : int, optional
        The size that the manifest states, in bytes; nothing is read if the file has another one.
    most : int, optional
        The largest size, in bytes.

    Raises
    ------
    SuiteError
        If the name leaves the folder, or the file is missing, a link, not regular, or of another size.
    """
    if not is_file_name(name):
        raise SuiteError(f"{folder}: a file of a suite must lie directly in its folder, got {name!r}.")
    path = folder / name
    with _opened(path) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SuiteError(f"{path}: must be a regular file, got something else; fetch the suite again.")
        if nbytes is not None and status.st_size != nbytes:
            raise SuiteError(
                f"{path}: must have {nbytes} bytes, got {status.st_size}; fetch or generate the suite again."
            )
        if most is not None and status.st_size > most:
            raise SuiteError(f"{path}: must have at most {most} bytes, got {status.st_size}; fetch the suite again.")
        return _read(descriptor, status.st_size, path)


def _read(descriptor: int, size: int, path: Path) -> bytes:
    try:
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(size)
    except MemoryError:  # a sparse file holds terabytes on a small disk
        raise SuiteError(f"{path}: must fit into memory, got {size} bytes; fetch the suite again.") from None


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    if os.path.islink(path):  # where the system has no O_NOFOLLOW
        raise SuiteError(f"{path}: must be a file of the suite, got a symbolic link; replace it by the file.")
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        raise SuiteError(f"{path}: the file is missing; fetch or generate the suite again.") from None
    except OSError as error:
        raise SuiteError(f"{path}: must be readable, got {error.strerror}.") from None
    try:
        yield descriptor
    except OSError as error:
        raise SuiteError(f"{path}: must be readable, got {error.strerror}.") from None
    finally:
        os.close(descriptor)
