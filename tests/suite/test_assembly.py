from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refconv.errors import SuiteError
from refconv.illegal import IllegalProblem
from refconv.problem import ConvProblem, Problem, TransposedProblem
from refconv.suite import Case, Group, note_for
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.files import sha256
from refconv.suite.index import group_files, tensors_of
from refconv.suite.safetensors_codec import decode, encode


@pytest.fixture
def files(group: Group) -> tuple[Any, bytes]:
    contents = group_files(group)
    return json.loads(contents["grouped.json"]), contents["grouped.safetensors"]


def read(document: Any, payload: bytes) -> Group:
    return build_group(parse_index(json.dumps(document).encode(), "g.json"), payload, "g.safetensors")


def test_a_group_comes_back_as_it_was(group: Group, files: tuple[Any, bytes]) -> None:
    again = read(*files)
    assert (again.name, again.suite, again.header, again.notes) == (group.name, group.suite, group.header, group.notes)
    plain = [(case.id, case.comment, case.flags, case.result, case.problem) for case in again.cases]
    assert plain == [(case.id, case.comment, case.flags, case.result, case.problem) for case in group.cases]
    judges = [[item.judge for item in case.expected.values()] for case in again.cases]
    assert judges == [[item.judge for item in case.expected.values()] for case in group.cases]


def test_all_tensors_come_back_bit_for_bit_and_read_only(group: Group, files: tuple[Any, bytes]) -> None:
    tensors, again = tensors_of(group), tensors_of(read(*files))
    assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in again.items()} == {
        name: (array.dtype, array.shape, array.tobytes()) for name, array in tensors.items()
    }
    assert not any(array.flags.writeable for array in again.values())


FIELDS = {"batch": 1, "in_channels": 2, "out_channels": 2, "input_size": (2, 3), "kernel_size": (1, 2)}
KINDS = [
    ("valid", ConvProblem(**FIELDS)),
    ("valid", TransposedProblem(**FIELDS, stride=(2, 1), output_padding=(1, 0))),
    ("invalid", IllegalProblem(**FIELDS, groups=4)),
]


@pytest.mark.parametrize(("result", "problem"), KINDS, ids=["convolution", "transposed", "illegal"])
def test_a_problem_comes_back_as_the_kind_that_it_was(result: str, problem: Problem) -> None:
    inputs, refused = {"x": np.ones(problem.x_shape, np.float32)}, ("forward",) if result == "invalid" else ()
    case = Case("kinds/one", "", ("RealValued",), result, problem, inputs, {}, refused=refused)
    contents = group_files(Group("kinds", "core", (), {"RealValued": note_for("RealValued")}, (case,)))
    [again] = read(json.loads(contents["kinds.json"]), contents["kinds.safetensors"]).cases
    assert type(again.problem) is type(problem)
    assert (again.problem, again.refused) == (problem, case.refused)


def test_damage_to_the_header_of_the_payload_is_told_with_its_name(files: tuple[Any, bytes]) -> None:
    with pytest.raises(SuiteError, match=r"^g\.safetensors: the header must lie inside the file"):
        read(files[0], b"\xff" * 16)


def test_writing_a_read_group_gives_the_same_files(group: Group, files: tuple[Any, bytes]) -> None:
    assert group_files(read(*files)) == group_files(group)


def _set(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return change


def _drop(*path: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]

    return change


HASHES = f"have sha256 {'0' * 64}, got [0-9a-f]{{64}}"
X = ("cases", 0, "inputs", "x")
PROBLEM = ("cases", 0, "problem")
CHANGES = {
    "missing-key": (_drop("cases"), r"\$ breaks rule 'required'"),
    "extra-key": (_set("more", value=1), r"\$ breaks rule 'additionalProperties'"),
    "extra-key-inside": (_set(*X, "path", value="../x"), r"inputs\.x breaks rule 'additionalProperties'"),
    "wrong-type": (_set(*X, "offset", value="8"), r"\$\.cases\[0\]\.inputs\.x\.offset breaks rule 'type'"),
    "boolean-for-integer": (_set(*X, "offset", value=True), "breaks rule 'type'"),
    "negative": (_set(*X, "nbytes", value=-1), "breaks rule 'minimum'"),
    "beyond-64-bits": (_set(*PROBLEM, "batch", value=2**63), "breaks rule 'maximum'"),
    "unknown-schema": (_set("schema", value="refconv.group.v2"), r"\$\.schema breaks rule 'const'"),
    "unknown-dtype": (_set(*X, "dtype", value="int4"), "breaks rule 'enum'"),
    "unknown-layout": (_set(*PROBLEM, "layout", value="NHWC"), "breaks rule 'enum'"),
    "case-is-null": (_set("cases", 0, value=None), r"\$\.cases\[0\] breaks rule 'type'"),
    "cases-is-an-object": (_set("cases", value={}), r"\$\.cases breaks rule 'type'"),
    "no-flags": (_set("cases", 0, "flags", value=[]), "breaks rule 'minItems'"),
    "lowercase-flag": (_set("cases", 0, "flags", value=["grouped"]), "breaks rule 'pattern'"),
    "exact-with-terms": (_set("cases", 0, "expected", "y", "judge", "terms", value=3), "'propertyNames'.*terms"),
    "standard-without-lo": (_drop("cases", 1, "expected", "y", "lo"), "breaks rule 'required'"),
    "standard-without-terms": (_drop("cases", 1, "expected", "y", "judge", "terms"), "breaks rule 'required'"),
    "wrong-count": (_set("numberOfCases", value=3), "numberOfCases must be the 2 cases that follow, got 3"),
    "payload-elsewhere": (_set("payload", "file", value="other.safetensors"), "must be 'grouped.safetensors'"),
    "payload-outside": (_set("payload", "file", value="../a.safetensors"), r"\$\.payload\.file breaks rule 'pattern'"),
    "id-of-another-group": (_set("cases", 0, "id", value="other/x"), "a case id must be 'grouped/' and a slug"),
    "id-with-a-newline": (_set("cases", 0, "id", value="grouped/x\n"), "breaks rule 'pattern'"),
    "id-twice": (_set("cases", 1, "id", value="grouped/g2-s21"), "and stand once"),
    "wrong-output-size": (_set(*PROBLEM, "output_size", value=[3, 7]), r"output_size \[3, 7\], but .*\[3, 10\]"),
    "layout-of-other-axes": (_set(*PROBLEM, "layout", value="NCW"), "states the layout NCW, but .* gives NCHW"),
    "impossible-groups": (_set(*PROBLEM, "groups", value=5), "impossible problem: in_channels must be divisible"),
    "axes-differ": (_set(*PROBLEM, "stride", value=[1]), "has an impossible problem: stride must have one entry"),
    "other-name": (_set(*X, "name", value="g2-s21/weight"), "must be named 'g2-s21/x', got 'g2-s21/weight'"),
    "other-offset": (_set(*X, "offset", value=8), r"tensor 'g2-s21/x' must be .* at byte \d+ as its index states"),
    "other-dtype": (_set(*X, "dtype", value="uint8"), r"tensor 'g2-s21/x' must be .* at byte \d+ as its index states"),
    "other-shape": (_set(*X, "shape", value=[504]), r"tensor 'g2-s21/x' must be .* at byte \d+ as its index states"),
    "other-hash": (_set(*X, "sha256", value="0" * 64), f"tensor 'g2-s21/x' must {HASHES}"),
    "other-payload-hash": (_set("payload", "sha256", value="0" * 64), f"the file must {HASHES}"),
    "unused-tensor": (_drop("cases", 0, "inputs", "bias"), "must belong to a case of the index, got 'g2-s21/bias'"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_wrong_index_is_one_sentence(files: tuple[Any, bytes], name: str) -> None:
    document, payload = files
    change, sentence = CHANGES[name]
    changed = copy.deepcopy(document)
    change(changed)
    with pytest.raises(SuiteError, match=sentence) as caught:
        read(changed, payload)
    assert str(caught.value).startswith(("g.json: ", "g.safetensors: "))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_missing_tensor_is_named(files: tuple[Any, bytes]) -> None:
    document, payload = files
    tensors = decode(payload)
    del tensors["bf16-2x3/y.hi"]
    with pytest.raises(SuiteError, match=r"tensor 'bf16-2x3/y\.hi' is missing"):
        build_group({**document, "cases": document["cases"][1:]}, encode(tensors), "g.safetensors")


def test_a_damaged_tensor_is_named_with_both_hashes(files: tuple[Any, bytes]) -> None:
    document, payload = files
    reference = document["cases"][1]["expected"]["y"]["hi"]
    place = reference["offset"]
    damaged = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
    actual = sha256(damaged[place : place + reference["nbytes"]])
    sentence = rf"g\.safetensors: tensor 'bf16-2x3/y\.hi' must have sha256 {reference['sha256']}, got {actual}"
    with pytest.raises(SuiteError, match=sentence):
        read(document, damaged)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [path, *(place for key, item in items for place in _places(item, (*path, key)))]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_replaced_value_raises_anything_but_a_suite_error(new_group: Callable[..., Group], data: Any) -> None:
    contents = group_files(new_group())
    document = json.loads(contents["grouped.json"])
    path = data.draw(st.sampled_from([place for place in _places(document) if place]))
    value = data.draw(st.sampled_from([None, -1, 0, 1, 2, 2**63 - 1, "", "x", [], [0], {}, True, [[0, 0], [0, 0]]]))
    _set(*path, value=value)(document)
    try:
        again = read(document, contents["grouped.safetensors"])
    except SuiteError:
        return
    written = decode(contents["grouped.safetensors"])
    assert {name: array.tobytes() for name, array in tensors_of(again).items()} == {
        name: array.tobytes() for name, array in written.items()
    }
