"""Tensors to safetensors bytes and back: one byte string for one set of tensors, and a reader that trusts nothing.

The layout is https://huggingface.co/docs/safetensors: eight bytes with the length of the header, the header
(JSON, filled up with spaces to a multiple of eight), then the tensors, little-endian, in C order and packed.
The order of the tensors is that of the official writer: its list of dtypes backwards, then the name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from refconv.errors import FormatError, SuiteError
from refconv.formats import get_format
from refconv.suite.model import Array
from refconv.suite.strict_json import loads, shorten

# The official writer's list, narrow before wide: the payload holds the last of these first.
CODES = {
    "uint8": "U8",
    "int8": "I8",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fn": "F8_E4M3",
    "float16": "F16",
    "bfloat16": "BF16",
    "int32": "I32",
    "float32": "F32",
    "float64": "F64",
}
DTYPES = {code: name for name, code in CODES.items()}
RANK = {name: rank for rank, name in enumerate(CODES)}
LARGEST_EXTENT = 2**63 - 1
MOST_AXES = 64  # NumPy's limit


@dataclass(frozen=True)
class Slot:
    """Where a tensor lies in a file.

    Attributes
    ----------
    dtype : str
        As in ml_dtypes.
    shape : tuple of int
    offset, nbytes : int
        In bytes, from the beginning of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int

    def __str__(self) -> str:
        return f"{self.nbytes} bytes of {self.dtype} {list(self.shape)} at byte {self.offset}"


def encode(tensors: Mapping[str, Array]) -> bytes:
    r"""Write tensors as the bytes of a safetensors file without metadata.

    Big-endian and non-contiguous arrays come out little-endian and packed.

    Raises
    ------
    SuiteError
        If a dtype is unknown or a name cannot be written.

    Examples
    --------
    >>> encode({"x": np.array([1, 2], np.int8)})[8:]
    b'{"x":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}   \x01\x02'
    """
    dtypes = {name: _dtype_name(name, array) for name, array in tensors.items()}
    header, chunks, end = {}, [], 0
    for name in sorted(tensors, key=lambda name: (-RANK[dtypes[name]], name)):
        chunk = _pack(tensors[name])
        offsets = [end, end + len(chunk)]
        header[name] = {"dtype": CODES[dtypes[name]], "shape": list(tensors[name].shape), "data_offsets": offsets}
        chunks.append(chunk)
        end += len(chunk)
    text = _header_text(header)
    return b"".join([len(text).to_bytes(8, "little"), text, *chunks])


def decode(data: bytes, where: str = "payload", slots: Mapping[str, Slot] | None = None) -> dict[str, Array]:
    """Read the tensors of a safetensors file as read-only arrays in ml_dtypes dtypes.

    Parameters
    ----------
    data : bytes
        The whole file.
    where : str
        Its name, for the message.
    slots : mapping of str to Slot, optional
        What :func:`read_header` found in these bytes, if it has been asked already.

    Raises
    ------
    SuiteError
        If the header does not describe the file to the last byte.

    Examples
    --------
    >>> decode(encode({"x": np.array([[1, 2]], np.int8)}))["x"]
    array([[1, 2]], dtype=int8)
    """
    slots = read_header(data, where) if slots is None else slots
    return {name: _unpack(data, slot, f"{where}: tensor {name!r}") for name, slot in slots.items()}


def read_header(data: bytes, where: str = "payload") -> dict[str, Slot]:
    """Return where each tensor lies in a file, in the order of the file.

    Raises
    ------
    SuiteError
        If the header does not describe the file to the last byte.

    Examples
    --------
    >>> read_header(encode({"x": np.array([1, 2], np.int8)}))["x"]
    Slot(dtype='int8', shape=(2,), offset=64, nbytes=2)
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise SuiteError(
            f"{where}: the header must lie inside the file, got {length} bytes of header in {len(data)} bytes of file; "
            "fetch or generate the file again."
        )
    header = loads(data[8 : 8 + length], f"{where}: header", "utf-8")
    if not isinstance(header, dict):
        raise SuiteError(f"{where}: the header must be a JSON object, got {shorten(repr(header))}.")
    slots = {name: _slot(entry, 8 + length, f"{where}: tensor {shorten(name)!r}") for name, entry in header.items()}
    ordered = dict(sorted(slots.items(), key=lambda item: (item[1].offset, item[1].nbytes)))
    _check_cover(ordered, 8 + length, len(data), where)
    return ordered


def _dtype_name(name: str, array: Array) -> str:
    try:
        return get_format(array.dtype).name
    except FormatError as error:
        raise SuiteError(f"tensor {name!r}: {error}") from None


def _pack(array: Array) -> bytes:
    """Take the bits as unsigned integers, so that no value is converted on the way to little-endian."""
    size = array.dtype.itemsize
    unsigned = np.dtype(f"u{size}")
    bits = array.view(unsigned if array.dtype.isnative else unsigned.newbyteorder())
    return bits.astype(f"<u{size}", copy=False).tobytes()


def _unpack(data: bytes, slot: Slot, where: str) -> Array:
    dtype = get_format(slot.dtype).dtype
    count = slot.nbytes // dtype.itemsize
    bits = np.frombuffer(data, f"<u{dtype.itemsize}", count, slot.offset)
    try:
        array = bits.astype(f"=u{dtype.itemsize}", copy=False).view(dtype).reshape(slot.shape)
    except ValueError:  # no elements, but extents that NumPy cannot multiply
        raise SuiteError(f"{where} must have a shape that can be addressed, got {list(slot.shape)}.") from None
    array.flags.writeable = False
    return array


def _header_text(header: dict[str, Any]) -> bytes:
    if "__metadata__" in header:
        raise SuiteError("a tensor must not be named '__metadata__', which safetensors reserves; rename it.")
    try:
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise SuiteError(f"the name of a tensor must be valid Unicode, got {error.reason}; rename it.") from None
    return text + b" " * (-len(text) % 8)


def _slot(entry: Any, start: int, where: str) -> Slot:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise SuiteError(f"{where} must have dtype, shape and data_offsets and no more, got {shorten(repr(entry))}.")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        raise SuiteError(f"{where} must have one of the dtypes {', '.join(DTYPES)}, got {shorten(repr(code))}.")
    if not _is_extents(shape) or len(shape) > MOST_AXES:
        raise SuiteError(f"{where} must have a shape of at most {MOST_AXES} extents, got {shorten(repr(shape))}.")
    if not _is_extents(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise SuiteError(f"{where} must have data_offsets [begin, end], got {shorten(repr(offsets))}.")
    dtype = DTYPES[code]
    nbytes, stated = math.prod(shape) * get_format(dtype).dtype.itemsize, offsets[1] - offsets[0]
    if nbytes != stated:
        raise SuiteError(f"{where} must have {nbytes} bytes for {dtype} {shape}, got data_offsets of {stated} bytes.")
    return Slot(dtype, tuple(shape), start + offsets[0], nbytes)


def _is_extents(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item <= LARGEST_EXTENT for item in value)


def _check_cover(slots: Mapping[str, Slot], start: int, size: int, where: str) -> None:
    end = start
    for name, slot in slots.items():
        if slot.offset != end:
            raise SuiteError(
                f"{where}: tensor {shorten(name)!r} must begin where the one before ends, at byte {end}, "
                f"got {slot.offset}; fetch or generate the file again."
            )
        end += slot.nbytes
    if end != size:
        raise SuiteError(f"{where}: the tensors must end with the file, at byte {size}, got {end}; fetch it again.")
