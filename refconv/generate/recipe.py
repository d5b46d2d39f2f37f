"""The recipe of a tier that is not committed: what identifies every case, and the SHA-256 of every tensor.

Whoever makes the tier makes the same bits, or is told in which case they differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from refconv.atomic import replace_file
from refconv.catalogue import VERSION, CaseSpec
from refconv.errors import DisagreementError, SuiteError

SCHEMA = "refconv.recipe.v1"
FILE = "recipe.json"

Hashes = dict[str, dict[str, str]]  # SHA-256 by case id and tensor

_PACKAGE = Path(__file__).parents[1]
PLACES = tuple(folder / "vectors" / "extended" / FILE for folder in (_PACKAGE, _PACKAGE.parent))  # wheel, checkout


def needs_recipe(tier: str) -> bool:
    """Tell whether the vectors of a tier are made from a recipe, instead of being committed."""
    return tier == "extended"


def read_recipe(path: Path | None = None) -> Hashes:
    """Read the hashes of a recipe, by default the one that comes with refconv.

    Raises
    ------
    SuiteError
        If it is missing or no recipe.
    """
    found = path or next((place for place in PLACES if place.is_file()), PLACES[0])
    try:
        document = json.loads(found.read_bytes())
        if document["schema"] != SCHEMA:
            raise KeyError("schema")
        return {case_id: case["tensors"] for case_id, case in document["cases"].items()}
    except OSError as error:
        raise SuiteError(
            f"{found}: the recipe must be readable, got {error.strerror}; install refconv again."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SuiteError(f"{found}: must be a recipe of schema {SCHEMA}, got something else.") from None


def write_recipe(path: Path, specs: Iterable[CaseSpec], hashes: Hashes) -> None:
    """Write a recipe, one line for each case, in the order of the catalogue."""
    cases = [f"  {json.dumps(spec.id)}: {json.dumps(_entry(spec, hashes[spec.id]))}" for spec in specs]
    head = {"schema": SCHEMA, "tier": "extended", "version": VERSION, "license": "CC0-1.0"}
    lines = [f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items()]
    text = "{\n" + "".join(lines) + ' "cases": {\n' + ",\n".join(cases) + "\n }\n}\n"
    replace_file(path, text.encode("ascii"))


def hashes_of(index: Mapping[str, Any]) -> Hashes:
    """Collect the hashes of all tensors from the index of a group, by case and by name within the case."""
    return {case["id"]: dict(sorted(_references(case, case["id"].partition("/")[2]))) for case in index["cases"]}


def check_recipe(made: Hashes, recipe: Hashes) -> None:
    """Refuse tensors that are not those of the recipe.

    Raises
    ------
    DisagreementError
        With the case and the tensor.
    """
    for case_id, tensors in made.items():
        if case_id not in recipe:
            raise DisagreementError(f"{case_id}: the recipe must hold every case, and this one is missing; nothing was "
                                    "written.")  # fmt: skip
        wanted = recipe[case_id]
        for name in sorted(tensors.keys() | wanted.keys()):
            if tensors.get(name) != wanted.get(name):
                raise DisagreementError(
                    f"{case_id}: {name} must have the sha256 {wanted.get(name)} of the recipe, got "
                    f"{tensors.get(name)}; nothing was written."
                )


def _entry(spec: CaseSpec, tensors: dict[str, str]) -> dict[str, Any]:
    return {"problem": spec.problem.descriptor, "element": spec.element, "fill": spec.fill, "tensors": tensors}


def _references(item: Any, slug: str) -> list[tuple[str, str]]:
    """Find all tensor references below an item."""
    if isinstance(item, list):
        return [found for part in item for found in _references(part, slug)]
    if not isinstance(item, dict):
        return []
    if "sha256" in item:
        return [(item["name"].removeprefix(f"{slug}/"), item["sha256"])]
    return [found for part in item.values() for found in _references(part, slug)]
