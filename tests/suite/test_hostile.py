"""Whatever is in a file or on a line, its reader says one sentence of ours, or reads what is right."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation import damaged, mutate

from refconv.check import read_xfails
from refconv.errors import RefconvError, XfailError
from refconv.implementations.messages import GarbledError, parse_answer, received
from refconv.suite.assembly import build_group, parse_index
from refconv.suite.embedded import smoke_folder
from refconv.suite.manifest import parse_manifest, parse_sums
from refconv.suite.safetensors_codec import decode

SMOKE = smoke_folder()
GROUP = "full-reduction-float32-zero-mean"
INDEX, PAYLOAD = ((SMOKE / f"{GROUP}.{suffix}").read_bytes() for suffix in ("json", "safetensors"))
ANSWER = {"seq": 7, "status": "ok", "output": {"dtype": "float32", "shape": [1, 2], "base64": "AACAPwAAAEA="}}
XFAILS = (
    b'[[xfail]]\nmatch = "grouped-*"\noperations = ["forward"]\nreason = "known"\nissue = "https://example.org/1"\n'
)
READERS = {
    "index": (INDEX, lambda data: build_group(parse_index(data, "g.json"), PAYLOAD, "g")),
    "payload": (PAYLOAD, lambda data: decode(data, "g.safetensors")),
    "manifest": ((SMOKE / "MANIFEST.json").read_bytes(), lambda data: parse_manifest(data, "m.json")),
    "sums": ((SMOKE / "SHA256SUMS").read_bytes(), lambda data: parse_sums(data, "SHA256SUMS")),
}


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=60)
def test_damaged_bytes_are_read_or_refused_in_one_sentence(name: str, data: st.DataObject) -> None:
    content, read = READERS[name]
    with suppress(RefconvError):
        read(damaged(content, data))


@given(data=st.data())
@settings(max_examples=60)
def test_a_changed_index_is_read_or_refused_in_one_sentence(data: st.DataObject) -> None:
    document = json.loads(INDEX)
    mutate(document, data)
    with suppress(RefconvError):
        build_group(parse_index(json.dumps(document).encode(), "g.json"), PAYLOAD, "g")


@given(data=st.data())
def test_a_changed_answer_is_read_or_garbled(data: st.DataObject) -> None:
    answer: Any = copy.deepcopy(ANSWER)
    mutate(answer, data)
    with suppress(GarbledError):
        received(parse_answer(json.dumps(answer).encode(), 7), None, "y")
    with suppress(GarbledError):
        received(parse_answer(damaged(json.dumps(ANSWER).encode(), data), 7), None, "y")


@given(data=st.data())
def test_damaged_expected_failures_are_read_or_refused(data: st.DataObject, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "known.toml"
    path.write_bytes(damaged(XFAILS, data))
    with suppress(RefconvError):
        read_xfails(path)


def test_deeply_nested_expected_failures_are_refused(tmp_path: Any) -> None:
    path = tmp_path / "known.toml"
    path.write_bytes(XFAILS.replace(b'["forward"]', b"[" * 5000))
    with pytest.raises(XfailError, match="not nested so deeply"):
        read_xfails(path)
