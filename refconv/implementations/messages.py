"""The messages of the JSON-lines protocol, version 1: what is asked, and what an answer must be.

``docs/protocol.md`` describes them; ``schemas/protocol.v1.schema.json`` holds them as JSON Schema.
"""

from __future__ import annotations

import base64
import binascii
import errno
import json
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refconv.formats import FORMATS
from refconv.implementations.protocol import RESULT_NAMES
from refconv.implementations.session import Call
from refconv.implementations.wanted import arguments_of, result_dtype
from refconv.suite import problem_document

Array = npt.NDArray[Any]

VERSION = 1
SHOWN = 80  # characters of what is no message
TRANSPORTS = ("base64", "file")
STATUSES = ("ok", "unsupported", "rejected", "error")


class GarbledError(Exception):
    """A line that is not the answer that was asked for; the message says why."""


@dataclass(frozen=True)
class Folder:
    """Where tensors travel as files: one name per tensor, used again by call after call."""

    path: Path

    @classmethod
    def made(cls) -> Folder:
        """Make a new one among the temporary files."""
        return cls(Path(tempfile.mkdtemp(prefix="refconv-")))

    def remove(self) -> None:
        """Remove it, or what a program has put in its place; a link is not followed."""
        if os.path.islink(self.path) or os.path.isfile(self.path):
            self.path.unlink()
        else:
            shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name: str) -> Path:
        """Return the file of a tensor."""
        return self.path / f"{name}.bin"

    def fresh(self, name: str) -> Path:
        """Remove the file of a tensor, so that it is a new one: ext4 writes a file that is cut off to disk at once.

        Raises
        ------
        OSError
            If the folder is no longer what it was.
        """
        if os.path.islink(self.path):  # through which anything could be overwritten
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        self.file(name).unlink(missing_ok=True)
        return self.file(name)


def load_schema() -> dict[str, Any]:
    """Return the JSON Schema of the messages.

    Examples
    --------
    >>> sorted(load_schema()["$defs"])[:2]
    ['answer', 'operation']
    """
    text = resources.files("refconv.implementations").joinpath("schemas", "protocol.v1.schema.json").read_text("ascii")
    schema: dict[str, Any] = json.loads(text)
    return schema


def line_of(message: Mapping[str, Any]) -> bytes:
    r"""Return a message as its line.

    Examples
    --------
    >>> line_of({"type": "stop", "seq": 7})
    b'{"type":"stop","seq":7}\n'
    """
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def run_message(call: Call, seq: int, folder: Folder | None) -> dict[str, Any]:
    """Describe a call; with a folder, its tensors are written there."""
    dtype = result_dtype(call.tensors, call.demand)
    name = RESULT_NAMES[call.operation]
    output: dict[str, Any] = {"name": name, "dtype": dtype.name, "shape": list(call.problem.shape_of(name))}
    if folder is not None:
        output["file"] = str(folder.fresh(name))
    tensors = arguments_of(call.operation, call.tensors)
    message = {
        "type": "run", "seq": seq, "case": call.case_id, "operation": call.operation,
        "problem": problem_document(call.problem),
        "inputs": {name: _sent(tensor, name, folder) for name, tensor in tensors.items()}, "output": output,
    }  # fmt: skip
    if call.demand.overflow is not None:
        message["overflow"] = call.demand.overflow
    if call.demand.quantization is not None:
        message["quantization"] = call.demand.quantization.as_dict()
    return message


def _sent(tensor: Array, name: str, folder: Folder | None) -> dict[str, Any]:
    data = packed(tensor)
    described = {"dtype": tensor.dtype.name, "shape": list(tensor.shape)}
    if folder is None:
        return described | {"base64": base64.b64encode(data).decode("ascii")}
    folder.fresh(name).write_bytes(data)
    return described | {"file": str(folder.file(name))}


def packed(tensor: Array) -> bytes:
    """Return a tensor as little-endian bytes in C order."""
    wide = tensor.dtype.kind in "iuf" and tensor.dtype.itemsize > 1
    return tensor.astype(tensor.dtype.newbyteorder("<"), copy=False).tobytes() if wide else tensor.tobytes()


def unpacked(data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Return the writable tensor that little-endian bytes in C order hold."""
    wide = dtype.kind in "iuf" and dtype.itemsize > 1
    stored = np.frombuffer(data, dtype.newbyteorder("<") if wide else dtype)
    return stored.astype(dtype).reshape(shape)


def parse_answer(line: bytes, seq: int) -> dict[str, Any]:
    """Read the line that answers a message.

    Raises
    ------
    GarbledError
        If it is no JSON object, answers another message, or has no status.
    """
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise GarbledError(f"wrote to stdout what is no JSON object: {shown(line)}")
    if answer.get("seq") != seq or isinstance(answer.get("seq"), bool):
        raise GarbledError(f"answered with seq {_short(answer.get('seq'))} what was asked with seq {seq}")
    if answer.get("status") not in STATUSES:
        raise GarbledError(
            f"answered with the status {_short(answer.get('status'))}, which is none of {', '.join(STATUSES)}"
        )
    return answer


def received(answer: Mapping[str, Any], folder: Folder | None, name: str) -> Array:
    """Take the result out of an answer whose status is ok.

    Raises
    ------
    GarbledError
        If there is none, or its bytes do not fit the dtype and the shape that it states.
    """
    output = answer.get("output")
    if not isinstance(output, dict):
        raise GarbledError("answered ok without an object named output")
    dtype, shape = _dtype(output.get("dtype")), _shape(output.get("shape"))
    expected = math.prod(shape) * dtype.itemsize
    data = _file(output["file"], folder, name, expected) if "file" in output else _decoded(output.get("base64"))
    if len(data) != expected:
        raise GarbledError(f"output of {dtype.name}, shape {shape}, must have {expected} bytes, got {len(data)}")
    return unpacked(data, dtype, shape)


def _dtype(name: Any) -> np.dtype[Any]:
    if not isinstance(name, str) or name not in FORMATS:
        raise GarbledError(f"output.dtype must be one of {', '.join(FORMATS)}, got {_short(name)}")
    return FORMATS[name].dtype


def _shape(shape: Any) -> tuple[int, ...]:
    lengths = shape if isinstance(shape, list) else [None]
    if len(lengths) > 8 or not all(type(length) is int and 0 <= length < 2**40 for length in lengths):
        raise GarbledError(f"output.shape must be a list of lengths, got {_short(shape)}")
    return tuple(lengths)


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str):
        raise GarbledError("output must hold its bytes as base64, or name its file")
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise GarbledError(f"output.base64 must be base64, got {_short(text)}") from None


def _file(stated: Any, folder: Folder | None, name: str, expected: int) -> bytes:
    path = None if folder is None else folder.file(name)
    if path is None or stated != str(path):
        raise GarbledError(f"output.file must be the one that was asked for, got {_short(stated)}")
    try:
        status = os.lstat(path)
    except OSError:
        status = None
    if status is None or not stat.S_ISREG(status.st_mode):
        raise GarbledError(f"output.file {path.name} must be a regular file, but there is none")
    if status.st_size != expected:
        raise GarbledError(f"output.file must have {expected} bytes, got {status.st_size}")
    return path.read_bytes()


def shown(line: bytes) -> str:
    """Return the beginning of a line, with quotes."""
    return repr(line[: 4 * SHOWN].decode("utf-8", "replace").rstrip("\n")[:SHOWN])


def _short(value: Any) -> str:
    return repr(value)[:SHOWN]
