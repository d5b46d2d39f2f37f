"""The JSON schemas of the vector format, and the one place that holds a document against them."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from refconv.errors import SuiteError
from refconv.suite.strict_json import shorten

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

GROUP = "group.v1"
MANIFEST = "manifest.v1"


def load_schema(name: str) -> dict[str, Any]:
    """Return a schema that is shipped with the package.

    Parameters
    ----------
    name : {"group.v1", "manifest.v1"}

    Examples
    --------
    >>> load_schema("manifest.v1")["properties"]["format"]
    {'const': 1}
    """
    text = resources.files(__name__).joinpath(f"{name}.schema.json").read_text("ascii")
    schema: dict[str, Any] = json.loads(text)
    return schema


def validate(document: Any, name: str, where: str) -> None:
    """Hold a document against a schema.

    Parameters
    ----------
    document : object
        As :func:`json.loads` returns it.
    name : {"group.v1", "manifest.v1"}
    where : str
        The file, for the message.

    Raises
    ------
    SuiteError
        With the JSON path and the rule of the first place that breaks one.
    """
    try:
        error = next(_validator(name).iter_errors(document), None)
        if error is not None:
            rule = f"rule {error.validator!r} of refconv.{name}"
            raise SuiteError(f"{where}: {shorten(error.json_path)} breaks {rule}: {shorten(error.message)}.")
    except RecursionError:
        raise SuiteError(f"{where}: JSON is nested too deeply to be read; fetch or generate the file again.") from None


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # 100 ms, which only those who read a suite should pay

    return Draft202012Validator(load_schema(name))
