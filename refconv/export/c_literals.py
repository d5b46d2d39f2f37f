"""Numbers and names in C."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

C_TYPES = {
    "float64": "double", "float32": "float", "float16": "uint16_t", "bfloat16": "uint16_t",
    "float8_e4m3fn": "uint8_t", "float8_e5m2": "uint8_t", "int8": "int8_t", "uint8": "uint8_t", "int32": "int32_t",
}  # fmt: skip
PER_LINE = {"double": 6, "float": 8, "int32_t": 12}
INT32_MIN = "(-2147483647-1)"  # C has no negative literals, and 2147483648 is no int


def literals(tensor: npt.NDArray[Any]) -> str:
    r"""Return the elements of an initialiser, line by line, every bit of them kept.

    Examples
    --------
    >>> literals(np.array([1.5, -0.0, 2.0**-149, np.inf], np.float32))
    '0x1.8p+0f,-0x0p+0f,0x1p-149f,INFINITY\n'
    >>> literals(np.array([1, -2], np.float16)), literals(np.array([-128], np.int8)), literals(np.zeros(0))
    ('0x3c00,0xc000\n', '-128\n', '0\n')
    """
    kind = C_TYPES[tensor.dtype.name]
    words = _words(tensor.reshape(-1), kind) or ["0"]
    per_line = PER_LINE.get(kind, 16)
    lines = (",".join(words[at : at + per_line]) for at in range(0, len(words), per_line))
    return ",\n".join(lines) + "\n"


def scalar(value: float) -> str:
    """Return a float32.

    Examples
    --------
    >>> scalar(0.5)
    '0x1p-1f'
    """
    return literals(np.array([value], np.float32)).rstrip()


def identifier(text: str) -> str:
    """Turn an id into an identifier.

    Examples
    --------
    >>> identifier("grouped-float32/g2-p1.0/x"), identifier("3x3")
    ('grouped_float32__g2_p1_0__x', 'v3x3')
    """
    name = re.sub(r"[^a-z0-9]", "_", text.lower().replace("/", "__"))
    return name if name[0].isalpha() else f"v{name}"


def _words(flat: npt.NDArray[Any], kind: str) -> list[str]:
    if kind in ("double", "float"):
        suffix = "f" if kind == "float" else ""
        text = "\n".join(value.hex() for value in flat.tolist())
        short = re.sub(r"\.?0+p", "p", text).split()
        return [_NAMES.get(word) or word + suffix for word in short]
    if flat.dtype.kind not in "iu":
        size = flat.dtype.itemsize
        return [f"0x{word:0{2 * size}x}" for word in flat.view(f"u{size}").tolist()]
    return [INT32_MIN if value == -(2**31) else str(value) for value in flat.tolist()]


_NAMES = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}
