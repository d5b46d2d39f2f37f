"""From the two files of a group to its cases, believing nothing that the files state.

:mod:`refconv.suite.index` is the way there.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from refconv.errors import FormatError, GeometryError, SuiteError
from refconv.illegal import IllegalProblem
from refconv.problem import ConvProblem, OversizedProblem, Problem, TransposedProblem
from refconv.quantization import Quantization, parse_quantization
from refconv.suite.files import sha256
from refconv.suite.fitting import misfits
from refconv.suite.index import tensor_sha256
from refconv.suite.model import Array, Case, Expected, Group, Judge, Note, payload_name
from refconv.suite.names import is_case_id, is_slug
from refconv.suite.safetensors_codec import Slot, decode, read_header
from refconv.suite.schemas import GROUP, validate
from refconv.suite.strict_json import loads, shorten


def parse_index(data: bytes, where: str, validated: bool = False) -> dict[str, Any]:
    """Read the index of a group and hold it against its schema; the payload is not needed.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for the message.
    validated : bool
        Whether these very bytes have been held against the schema before.

    Raises
    ------
    SuiteError
        If it is not an index in format 1.
    """
    document: dict[str, Any] = loads(data, where)
    if not validated:
        validate(document, GROUP, where)
    _check_names(document, where)
    stated, count = document["numberOfCases"], len(document["cases"])
    if stated != count:
        raise SuiteError(f"{where}: numberOfCases must be the {count} cases that follow, got {stated}.")
    return document


def build_group(document: dict[str, Any], payload: bytes, where: str) -> Group:
    """Put the tensors of a payload into the cases of an index.

    Parameters
    ----------
    document : dict
        As :func:`parse_index` returns it.
    payload : bytes
        The whole safetensors file.
    where : str
        The payload's file, for the message.

    Raises
    ------
    SuiteError
        If the payload is not the one that the index describes, to the last bit.
    """
    tensors = _checked_tensors(document, payload, where)
    return Group(
        name=document["group"],
        suite=document["suite"],
        header=tuple(document["header"]),
        notes={flag: _note(note) for flag, note in document["notes"].items()},
        cases=tuple(_fitting(_case(case, tensors, where), where) for case in document["cases"]),
    )


def _check_names(document: dict[str, Any], where: str) -> None:
    group = document["group"]
    payload, stated = f"{group}.safetensors", document["payload"]["file"]
    if not is_slug(group) or payload != stated:
        raise SuiteError(f"{where}: the payload must be {payload!r}, got {stated!r}; generate the group again.")
    for name, count in Counter(case["id"] for case in document["cases"]).items():
        if count > 1 or not is_case_id(name, group):
            raise SuiteError(f"{where}: a case id must be {group + '/'!r} and a slug and stand once, got {name!r}.")


def _checked_tensors(document: dict[str, Any], payload: bytes, where: str) -> dict[str, Array]:
    slots = read_header(payload, where)
    references = [reference for case in document["cases"] for reference in _references(case, where)]
    _check_tensor_names({reference["name"] for reference in references}, set(slots), where)
    for reference in references:
        _check_reference(reference, slots[reference["name"]], payload, where)
    stated, actual = document["payload"]["sha256"], sha256(payload)
    if stated != actual:  # all tensors are as stated, so the header is not
        raise SuiteError(f"{where}: the file must have sha256 {stated}, got {actual}; fetch or generate it again.")
    return decode(payload, where, slots)


def _references(case: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """List the tensor references of a case, each under the name that its place demands."""
    slug = case["id"].partition("/")[2]
    places = [(payload_name(slug, name), reference) for name, reference in case["inputs"].items()]
    scopes = {slug: case["expected"]}
    scopes |= {f"{slug}/{policy}": results for policy, results in case.get("alternatives", {}).items()}
    for scope, results in scopes.items():
        for name, expected in results.items():
            parts = [part for part in expected if part != "judge"]
            places += [(payload_name(scope, name, part), expected[part]) for part in parts]
    for name, reference in places:
        if reference["name"] != name:
            raise SuiteError(f"{where}: a tensor of {case['id']!r} must be named {name!r}, got {reference['name']!r}.")
    return [reference for _, reference in places]


def _check_tensor_names(stated: set[str], present: set[str], where: str) -> None:
    missing, extra = sorted(stated - present), sorted(present - stated)
    if missing:
        raise SuiteError(f"{where}: tensor {missing[0]!r} is missing; fetch or generate the file again.")
    if extra:
        raise SuiteError(f"{where}: every tensor must belong to a case of the index, got {shorten(extra[0])!r}.")


def _check_reference(reference: dict[str, Any], slot: Slot, payload: bytes, where: str) -> None:
    name = reference["name"]
    stated = Slot(reference["dtype"], tuple(reference["shape"]), reference["offset"], reference["nbytes"])
    if stated != slot:
        raise SuiteError(f"{where}: tensor {name!r} must be {stated} as its index states, got {slot}.")
    actual = tensor_sha256(payload, slot)
    if actual != reference["sha256"]:
        raise SuiteError(
            f"{where}: tensor {name!r} must have sha256 {reference['sha256']}, got {actual}; "
            "the file is damaged, fetch or generate it again."
        )


def _fitting(case: Case, where: str) -> Case:
    for misfit in misfits(case):
        raise SuiteError(f"{where}: case {case.id!r}: {misfit}")
    return case


def _case(case: dict[str, Any], tensors: dict[str, Array], where: str) -> Case:
    return Case(
        id=case["id"],
        comment=case["comment"],
        flags=tuple(case["flags"]),
        result=case["result"],
        problem=_problem(case, f"{where}: case {case['id']!r}"),
        inputs={name: tensors[reference["name"]] for name, reference in case["inputs"].items()},
        expected=_results(case["expected"], tensors),
        alternatives={policy: _results(item, tensors) for policy, item in case.get("alternatives", {}).items()},
        quantization=_quantization(case.get("quantization"), f"{where}: case {case['id']!r}"),
        refused=tuple(case.get("refused", ())),
    )


def _quantization(stated: dict[str, Any] | None, where: str) -> Quantization | None:
    try:
        return None if stated is None else parse_quantization(stated)
    except FormatError as error:
        raise SuiteError(f"{where} has an impossible quantization: {error}") from None


def _results(items: dict[str, Any], tensors: dict[str, Array]) -> dict[str, Expected]:
    return {name: _expected(item, tensors) for name, item in items.items()}


def _expected(item: dict[str, Any], tensors: dict[str, Array]) -> Expected:
    judge = item["judge"]
    parts = {part: tensors[item[part]["name"]] for part in item if part != "judge"}
    stated = Judge(judge["class"], *map(judge.get, ("accumulator", "terms", "overflow")))
    return Expected(judge=stated, **parts)


def _problem(case: dict[str, Any], where: str) -> Problem:
    stated = case["problem"]
    fields = {name: value for name, value in stated.items() if name not in ("operator", "output_size", "layout")}
    kind: type[Problem] = ConvProblem
    if "operator" in stated:  # the schema knows one
        kind = TransposedProblem
    elif 0 in stated["output_size"]:
        kind = IllegalProblem if case["result"] == "invalid" else OversizedProblem
    try:
        problem = kind(**fields)
    except GeometryError as error:
        raise SuiteError(f"{where} has an impossible problem: {error}") from None
    for name, given in (("output_size", list(problem.output_size)), ("layout", problem.layout)):
        if given != stated[name]:
            raise SuiteError(f"{where} states the {name} {stated[name]}, but its geometry gives {given}.")
    return problem


def _note(note: dict[str, Any]) -> Note:
    return Note(note["bugType"], note["description"], note["effect"], tuple(note["defects"]), tuple(note["links"]))
