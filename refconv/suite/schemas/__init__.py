"""The JSON schemas of the vector format, and the one place that holds a document against them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from refconv.errors import SuiteError
from refconv.suite.strict_json import shorten

GROUP = "group.v1"
MANIFEST = "manifest.v1"
ROOT = "data"  # what the compiler calls the document


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
    from fastjsonschema import JsonSchemaValueException  # only those who read a suite should pay for it

    try:
        _validator(name)(document)
    except JsonSchemaValueException as error:
        place, rule = (error.name or ROOT).replace(ROOT, "$", 1), f"rule {error.rule!r} of refconv.{name}"
        reason = shorten(error.message.removeprefix(error.name or "").strip())
        raise SuiteError(f"{where}: {shorten(place)} breaks {rule}: it {reason}, got {_shown(error.value)}.") from None


def _shown(value: Any) -> str:
    """Name a value without the values inside it, which may be deep."""
    if isinstance(value, dict):
        return shorten(f"the keys {', '.join(sorted(value))}")
    return f"a list of {len(value)}" if isinstance(value, list) else shorten(repr(value))


@cache
def _validator(name: str) -> Callable[[Any], Any]:
    """Compile a schema: its rules mean the same in draft 7, which is the latest that the compiler knows."""
    from fastjsonschema import compile

    schema = load_schema(name) | {"$schema": "http://json-schema.org/draft-07/schema#"}
    validator: Callable[[Any], Any] = compile(schema, use_default=False)
    return validator
