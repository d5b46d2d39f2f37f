"""What each format writes, read back with other means than ours."""

import hashlib
import json
import re
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from foreign import CORE

import refconv
from refconv.export import Options, export
from refconv.export.hex import hex_words
from refconv.suite import Suite

FEW = ["asymmetric-float32-exact", "asymmetric-bfloat16-zero-mean", "asymmetric-int8-exact",
       "special-places-float32-exact", "quantized-int8-bytes/ties", "few-terms-float8_e4m3fn-narrow"]  # fmt: skip
NUMPY = {"bfloat16": ml_dtypes.bfloat16, "float8_e4m3fn": ml_dtypes.float8_e4m3fn, "float8_e5m2": ml_dtypes.float8_e5m2}


@pytest.fixture(scope="module")
def core():
    suite = refconv.load_suite(CORE)
    return Suite(suite.folder, replace(suite.manifest, version="2020-02-02"))


def bits(tensor):
    return np.ascontiguousarray(tensor).reshape(-1).view(f"u{tensor.dtype.itemsize}").tolist()


def golden(core, entry, operation):
    case = core.case(entry["case"])
    name = "y" if operation == "forward" else operation
    return case.expected[name] if name in case.expected else next(iter(case.alternatives.values()))[name]


# The same bytes on every Python and NumPy that tox has; whoever changes a format changes them on purpose.
DIGESTS = {
    "raw": "0842fefcf21e619e",
    "stream": "9878a157af8e8860",
    "hex": "8477c1d14bbb60f6",
    "npz": "7de4035216918f35",
    "json": "39b5decb85dcca19",
    "onnx": "da4aa02ce0c1c54c",
    "c-header": "82a6455858a38307",
}


@pytest.mark.parametrize(
    "form", [pytest.param(form, marks=[pytest.mark.client] * (form == "onnx")) for form in DIGESTS]
)
def test_the_bytes_are_the_same_on_every_python(core, tmp_path, form):
    export(core, tmp_path / "out", form, FEW)
    digest = hashlib.sha256()
    for path in sorted((tmp_path / "out").rglob("*"), key=lambda path: path.relative_to(tmp_path).as_posix()):
        if path.is_file() and path.name not in ("refconv_impl.h", "refconv_vector.h"):
            digest.update(path.relative_to(tmp_path).as_posix().encode() + b"\0" + path.read_bytes())
    assert digest.hexdigest()[:16] == DIGESTS[form]


def test_an_archive_is_read_by_numpy(core, tmp_path):
    export(core, tmp_path / "out", "npz", FEW)
    entries = json.loads((tmp_path / "out" / "index.json").read_text())["cases"]
    for entry in entries:
        with np.load(tmp_path / "out" / entry["file"]) as archive:
            assert json.loads(str(archive["about"])) == entry
            for name, stored in entry["inputs"].items():
                array = archive[stored["key"]].view(NUMPY.get(stored["dtype"], stored["dtype"]))
                assert bits(array) == bits(core.case(entry["case"]).inputs[name])
                assert list(array.shape) == stored["shape"]
            for operation, result in entry["results"].items():
                first = next(iter(result["expected"].values()))
                assert bits(archive[first["expected"]["key"]]) == bits(golden(core, entry, operation).tensor)
                assert ("lo" in first) == (first["class"] == "standard")
    assert {entry["case"].split("/")[0] for entry in entries} >= {"quantized-int8-bytes", "asymmetric-int8-exact"}


def test_the_one_json_file_holds_every_bit(core, tmp_path):
    export(core, tmp_path / "out", "json", FEW)
    document = json.loads((tmp_path / "out" / "vectors.json").read_text())
    for entry in document["cases"]:
        for name, stored in entry["inputs"].items():
            assert [int(word, 16) for word in stored["hex"].split()] == bits(core.case(entry["case"]).inputs[name])
        for operation, result in entry["results"].items():
            expected, truth = next(iter(result["expected"].values())), golden(core, entry, operation)
            for part, tensor in (("expected", truth.tensor), ("lo", truth.lo), ("hi", truth.hi)):
                assert (part in expected) == (tensor is not None)
                assert tensor is None or [int(word, 16) for word in expected[part]["hex"].split()] == bits(tensor)


@pytest.mark.parametrize("word_bits", [None, 8, 16, 32, 64, 128])
def test_packed_words_are_little_endian_memory(core, tmp_path, word_bits):
    export(core, tmp_path / "out", "hex", FEW, options=Options(word_bits=word_bits))
    for prompt in json.loads((tmp_path / "out" / "index.json").read_text())["prompts"]:
        for name, stored in prompt["inputs"].items():
            words = (tmp_path / "out" / stored["file"]).read_text().split()
            tensor = core.case(prompt["case"]).inputs[name]
            assert len(words) == stored["words"]
            assert (
                {len(word) * 4 for word in words} == {stored["word_bits"]} == {word_bits or 8 * tensor.dtype.itemsize}
            )
            memory = b"".join(int(word, 16).to_bytes(len(word) // 2, "little") for word in words)
            assert memory[: tensor.nbytes] == tensor.tobytes()
            assert not any(memory[tensor.nbytes :])


@pytest.mark.parametrize(
    ("lanes", "word_bits", "words"),
    [
        (2, None, ["fe01", "0003", "05fc", "0006"]),
        (4, None, ["0003fe01", "000605fc"]),
        (1, 32, ["00000001", "fffffffe", "00000003", "fffffffc", "00000005", "00000006"]),
        (2, 32, ["fffe0001", "00000003", "0005fffc", "00000006"]),
    ],
)
def test_every_row_begins_a_new_word_of_lanes(lanes, word_bits, words):
    tensor = np.array([[1, -2, 3], [-4, 5, 6]], np.int8)
    assert hex_words(tensor, word_bits, lanes).decode().split() == words


def test_elements_too_wide_for_a_lane_are_left_out_and_counted(core, tmp_path):
    exported = export(core, tmp_path / "out", "hex", FEW, options=Options(word_bits=32, lanes=4))
    assert exported.operations >= 1  # the quantised layers that have no bias of 32 bits, and float8
    assert exported.left_out["with elements that are wider than a lane of 8 bits"] > 20


def test_the_verilog_header_states_the_layer(core, tmp_path):
    export(core, tmp_path / "out", "hex", FEW)
    for prompt in json.loads((tmp_path / "out" / "index.json").read_text())["prompts"]:
        text = (tmp_path / "out" / prompt["parameters"]).read_text()
        numbers = dict(re.findall(r"localparam integer (\w+) = (-?\d+);", text))
        problem = prompt["problem"]
        assert [numbers[name] for name in ("N", "C", "K", "SH", "DW", "PAD_BOTTOM")] == [
            str(number) for number in (problem["batch"], problem["in_channels"], problem["out_channels"],
                                       problem["stride"][0], problem["dilation"][1], problem["padding"][0][1])
        ]  # fmt: skip
        for name, stored in prompt["inputs"].items():
            assert f'localparam {name.upper()}_FILE = "{stored["file"]}";' in text
        exact = next(iter(prompt["expected"].values()))["class"] == "exact"
        assert f"localparam EXACT = 1'b{int(exact)};" in text
        assert ("quantization" in prompt) == ("Y_ZERO_POINT" in text)
