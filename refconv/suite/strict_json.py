"""JSON as the suite writes it: no floats, no duplicate keys, and one sentence for whatever is wrong."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from refconv.errors import SuiteError

_INTEGERS = re.compile(r"\[\n *-?\d+(?:,\n *-?\d+)*\n *\]")
_GAP = re.compile(r"\n *")


def loads(data: bytes, where: str, encoding: str = "ascii") -> Any:
    """Read a JSON document that holds no floats and no key twice.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for the message.
    encoding : str
        Indices are ASCII; the header of a safetensors file is UTF-8.

    Raises
    ------
    SuiteError
        If the bytes are not such a document.

    Examples
    --------
    >>> loads(b'{"stride": [2, 1]}', "group.json")
    {'stride': [2, 1]}
    """

    def refuse(token: str) -> NoReturn:
        raise SuiteError(f"{where}: JSON must hold integers, never floats, got {shorten(token)}.")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return _unique(pairs, where)

    try:
        text = data.decode(encoding)
        return json.loads(text, parse_float=refuse, parse_constant=refuse, object_pairs_hook=unique)
    except SuiteError:
        raise
    except UnicodeDecodeError as error:
        raise SuiteError(
            f"{where}: JSON must be {encoding.upper()}, got {error.reason} at byte {error.start}."
        ) from None
    except ValueError as error:
        raise SuiteError(f"{where}: must be JSON, got {error}; fetch or generate the file again.") from None
    except RecursionError:
        raise SuiteError(f"{where}: JSON is nested too deeply to be read; fetch or generate the file again.") from None


def dumps(document: Any, where: str) -> str:
    r"""Write a document as ASCII with a one-space indent, lists of integers in one line, and a final newline.

    Raises
    ------
    SuiteError
        If it holds a float or anything else that is not plain JSON.

    Examples
    --------
    >>> dumps({"stride": [2, 1]}, "group.json")
    '{\n "stride": [2, 1]\n}\n'
    """
    _check_plain(document, where, "$")
    text = json.dumps(document, indent=1, ensure_ascii=True)
    # a line break within a text is written as \\n, so these stand between elements
    return _INTEGERS.sub(lambda found: _GAP.sub(" ", found[0]).replace("[ ", "[").replace(" ]", "]"), text) + "\n"


def shorten(text: str, limit: int = 160) -> str:
    """Cut the middle out of a long text.

    Examples
    --------
    >>> shorten("abcdefghij", limit=7)
    'ab...ij'
    """
    keep = (limit - 3) // 2
    return text if len(text) <= limit else f"{text[:keep]}...{text[-keep:]}"


def visible(text: str) -> str:
    r"""Put a text on one line, and escapes in the place of signs that a terminal would obey.

    Examples
    --------
    >>> visible("a\n  b\x1b[31m")
    'a b\\x1b[31m'
    """
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in " ".join(text.split()))


def _unique(pairs: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            raise SuiteError(f"{where}: a JSON key must stand once in its object, got {shorten(key)!r} twice.")
        document[key] = value
    return document


def _check_plain(value: Any, where: str, path: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                raise SuiteError(f"{where}: {path} must have texts as keys, got {shorten(repr(key))}.")
            _check_plain(item, where, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _check_plain(item, where, f"{path}[{number}]")
    elif type(value) not in (str, int, bool):
        raise SuiteError(f"{where}: {path} must be an integer or a text, got {shorten(repr(value))}.")
