"""A group as its two files: the JSON index and the safetensors payload.

:mod:`refconv.suite.assembly` is the way back.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from refconv.errors import SuiteError
from refconv.problem import Problem, TransposedProblem
from refconv.suite.files import sha256
from refconv.suite.model import EXPECTED, INPUTS, Array, Case, Expected, Group, Judge, Note, payload_name
from refconv.suite.names import is_case_id, is_slug
from refconv.suite.safetensors_codec import Slot, encode, read_header
from refconv.suite.schemas import GROUP, validate
from refconv.suite.strict_json import dumps

SCHEMA = "refconv.group.v1"
LICENSE = "CC0-1.0"
TRANSPOSED = "conv_transpose"  # the operator of a transposed problem


def group_files(group: Group) -> dict[str, bytes]:
    """Return the contents of a group's two files by their names; equal groups give equal bytes.

    Raises
    ------
    SuiteError
        If a name is not a slug, two cases share an id, or something does not fit the schema.
    """
    _check_names(group)
    payload = encode(tensors_of(group))
    document = group_document(group, payload)
    index = f"{group.name}.json"
    text = dumps(document, index)
    validate(document, GROUP, index)
    return {index: text.encode("ascii"), f"{group.name}.safetensors": payload}


def tensors_of(group: Group) -> dict[str, Array]:
    """Return every tensor of a group by its name in the payload."""
    return {name: array for case in group.cases for name, array in case.payload_tensors().items()}


def group_document(group: Group, payload: bytes) -> dict[str, Any]:
    """Return the index of a group as plain JSON objects, its keys in the order of the schema."""
    slots = read_header(payload)
    return {
        "schema": SCHEMA,
        "suite": group.suite,
        "group": group.name,
        "license": LICENSE,
        "header": list(group.header),
        "notes": {flag: _note(note) for flag, note in sorted(group.notes.items())},
        "payload": {"file": f"{group.name}.safetensors", "nbytes": len(payload), "sha256": sha256(payload)},
        "numberOfCases": len(group.cases),
        "cases": [_case(case, payload, slots) for case in group.cases],
    }


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return a problem with nothing left to a default, the output size stated.

    A transposed convolution names its operator; where none is named, it is a convolution.

    Examples
    --------
    >>> from refconv.problem import ConvProblem
    >>> problem = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 4), kernel_size=(3, 2))
    >>> problem_document(problem)["output_size"]
    [3, 3]
    """
    fields = problem.as_dict() | {"output_size": list(problem.output_size), "layout": problem.layout}
    stated: dict[str, Any] = {"operator": TRANSPOSED} if isinstance(problem, TransposedProblem) else {}
    order = ("batch", "in_channels", "out_channels", "groups", "input_size", "kernel_size", "output_size",
             "stride", "dilation", "padding", "output_padding", "layout")  # fmt: skip
    return stated | {name: fields[name] for name in order if name in fields}


def _check_names(group: Group) -> None:
    if not is_slug(group.name):
        raise SuiteError(f"the name of a group must be a slug such as 'grouped-float32', got {group.name!r}.")
    for name, count in Counter(case.id for case in group.cases).items():
        if not is_case_id(name, group.name):
            raise SuiteError(f"the id of a case must be {group.name + '/'!r} and a slug, got {name!r}.")
        if count > 1:
            raise SuiteError(f"the id of a case must be unique, got {name!r} {count} times.")


def _case(case: Case, payload: bytes, slots: dict[str, Slot]) -> dict[str, Any]:
    def reference(scope: str, name: str, part: str = "tensor") -> dict[str, Any]:
        return _reference(payload_name(scope, name, part), payload, slots)

    def results(scope: str, expected: dict[str, Expected]) -> dict[str, Any]:
        return {
            name: _expected(expected[name], {part: reference(scope, name, part) for part in expected[name].parts})
            for name in _ordered(expected, EXPECTED)
        }

    alternatives = {policy: results(f"{case.slug}/{policy}", found) for policy, found in case.alternatives.items()}
    return {
        "id": case.id,
        "comment": case.comment,
        "flags": list(case.flags),
        "result": case.result,
        "problem": problem_document(case.problem),
        **({"quantization": case.quantization.as_dict()} if case.quantization else {}),
        "inputs": {name: reference(case.slug, name) for name in _ordered(case.inputs, INPUTS)},
        "expected": results(case.slug, case.expected),
        **({"refused": list(case.refused)} if case.refused else {}),
        **({"alternatives": alternatives} if alternatives else {}),
    }


def _ordered(names: Any, order: tuple[str, ...]) -> list[str]:
    """Put known names into their order and unknown ones behind them, where the schema refuses them."""
    return sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name))


def _expected(expected: Expected, references: dict[str, Any]) -> dict[str, Any]:
    tensor = references.pop("tensor")
    return {"tensor": tensor, "judge": _judge(expected.judge), **references}


def _judge(judge: Judge) -> dict[str, Any]:
    stated = {"class": judge.rule, "accumulator": judge.accumulator, "terms": judge.terms, "overflow": judge.overflow}
    return {key: value for key, value in stated.items() if value is not None}


def _note(note: Note) -> dict[str, Any]:
    return {
        "bugType": note.bug_type,
        "description": note.description,
        "effect": note.effect,
        "defects": list(note.defects),
        "links": list(note.links),
    }


def _reference(name: str, payload: bytes, slots: dict[str, Slot]) -> dict[str, Any]:
    slot = slots[name]
    return {
        "name": name,
        "offset": slot.offset,
        "nbytes": slot.nbytes,
        "dtype": slot.dtype,
        "shape": list(slot.shape),
        "sha256": tensor_sha256(payload, slot),
    }


def tensor_sha256(payload: bytes, slot: Slot) -> str:
    """Return the SHA-256 of a tensor's packed bytes, without a copy of them."""
    return sha256(memoryview(payload)[slot.offset : slot.offset + slot.nbytes])
