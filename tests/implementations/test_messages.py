"""The messages that really travel fit the schema that is shipped."""

import base64
import json
import sys

import numpy as np
import pytest
from foreign import CORE, EXAMPLES
from jsonschema import Draft202012Validator

import refconv
from refconv.implementations import Call, command, messages
from refconv.implementations.command import Command
from refconv.implementations.messages import Folder, GarbledError, load_schema, parse_answer, received, run_message
from refconv.implementations.protocol_test import call_of
from refconv.suite.embedded import smoke_folder


def validator(kind):
    schema = load_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": schema["$defs"]})


def test_all_traffic_fits_the_schema(monkeypatch):
    asked, answered = [], []
    monkeypatch.setattr(command, "line_of", lambda message: asked.append(message) or messages.line_of(message))
    monkeypatch.setattr(command, "parse_answer", lambda line, seq: answered.append(line) or parse_answer(line, seq))
    with Command([sys.executable, str(EXAMPLES / "harness.py")]) as session:
        refconv.check(session, refconv.load_suite(smoke_folder()), ["worked-*", "pointwise-*", "*int8*"])
    assert {message["type"] for message in asked} == {"start", "run", "stop"}
    for message in asked:
        validator(message["type"]).validate(message)
    for line in answered:
        validator("answer").validate(json.loads(line))


def test_what_few_cases_say_fits_the_schema(tmp_path):
    suite = refconv.load_suite(CORE)
    from refconv.check.operation import demand
    from refconv.check.policies import accepted_of

    for case in map(suite.case, suite.select(["quantized-*", "*to-float32*", "*float8*"])[::12]):
        first = next(iter(accepted_of(case, ())["y"].values()))
        call = Call(case.id, "forward", case.inputs, case.problem, demand(case, first))
        message = run_message(call, 1, Folder(tmp_path))
        validator("run").validate(message)
        assert (message["output"]["dtype"], message["output"]["shape"]) == (
            first.tensor.dtype.name, list(first.tensor.shape),
        )  # fmt: skip
        assert message.get("overflow") in (None, first.judge.overflow)


def test_other_axes_and_transposed_convolutions_fit_the_schema(tmp_path):
    suite = refconv.load_suite(CORE.with_name("axes"))
    for case in map(suite.case, suite.select(["conv*-float32-exact/plain", "conv-transpose*-float32-exact/s2*-e1*"])):
        message = run_message(Call(case.id, "forward", case.inputs, case.problem), 1, Folder(tmp_path))
        validator("run").validate(message)
        if case.id.startswith("conv-transpose"):
            del message["problem"]["operator"]  # output_padding alone would be read as that of a convolution
            assert not validator("run").is_valid(message)


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16", "float8_e5m2", "int32", "uint8"])
def test_a_tensor_survives_the_journey(name):
    tensor = np.arange(6).reshape(2, 3).astype(refconv.formats.get_format(name).dtype)
    data = messages.packed(tensor)
    assert data[tensor.dtype.itemsize :][: tensor.dtype.itemsize] == tensor.reshape(-1)[1:2].tobytes()
    output = {"dtype": name, "shape": [2, 3], "base64": base64.b64encode(data).decode()}
    got = received({"output": output}, None, "y")
    assert got.dtype == tensor.dtype
    assert got.tobytes() == tensor.tobytes()
    assert got.flags.writeable


@pytest.mark.parametrize(
    "shape", [[-1], ["3"], [True], 3, None, [2**70], [1] * 9, [[1]], {"0": 1}], ids=lambda shape: repr(shape)[:20]
)
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(GarbledError, match="must be a list of lengths"):
        received({"output": {"dtype": "int8", "shape": shape, "base64": ""}}, None, "y")


@pytest.mark.parametrize("output", [{}, {"base64": 3}, {"base64": None}])
def test_a_result_without_bytes_is_refused(output):
    with pytest.raises(GarbledError, match="must hold its bytes as base64, or name its file"):
        received({"output": {"dtype": "int8", "shape": [1], **output}}, None, "y")


@pytest.mark.parametrize("line", [b"", b"1", b"[]", b"null", b"\xff\xfe", b'{"seq": 5', b"[" * 100_000])
def test_what_is_no_object_is_no_answer(line):
    with pytest.raises(GarbledError, match="wrote to stdout what is no JSON object"):
        parse_answer(line, 5)


@pytest.mark.parametrize("seq", ["5", 4, None, [5], True])
def test_seq_must_be_echoed(seq):
    with pytest.raises(GarbledError, match="what was asked with seq 5"):
        parse_answer(json.dumps({"seq": seq, "status": "ok"}).encode(), 5)


def test_a_file_is_taken_only_where_files_were_agreed_on():
    output = {"dtype": "int8", "shape": [1], "file": "/etc/hostname"}
    with pytest.raises(GarbledError, match="must be the one that was asked for"):
        received({"output": output}, None, "y")


def test_a_call_reads_only_the_tensors_of_its_operation():
    assert list(run_message(call_of("grad_bias"), 1, None)["inputs"]) == ["grad_output"]


def test_the_documentation_shows_what_really_travels():
    text = (EXAMPLES.parent / "protocol.md").read_text("utf-8")
    for tensor in run_message(call_of("forward"), 2, None)["inputs"].values():
        assert f'"base64":"{tensor["base64"]}"' in text
    truth = np.array([37, 47, 67, 77], np.float32)
    assert f'"base64":"{base64.b64encode(truth.tobytes()).decode()}"' in text
