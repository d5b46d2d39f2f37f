import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from foreign import CORE

import refconv
from refconv import CatalogueError, SuiteError
from refconv.export import FORMATS, Options, Selection, export, prompts_of, stream_lines
from refconv.export.geometry import COLUMNS
from refconv.export.raw import SCALES
from refconv.implementations.layouts import Layouts
from refconv.implementations.messages import packed
from refconv.implementations.result_folder import ResultFolder
from refconv.suite import write_group, write_manifest
from refconv.suite.embedded import smoke_folder

NEEDS_ONNX = [pytest.param("onnx", marks=pytest.mark.client)]
ALL = [*(form for form in FORMATS if form != "onnx"), *NEEDS_ONNX]
RESULTS = {"forward": "y"} | {name: name for name in ("grad_input", "grad_weight", "grad_bias")}
WORKED = "worked-example-float32-iota/x3x3-w2x2"


@pytest.fixture
def suite():
    return refconv.load_suite(smoke_folder())


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", ALL)
def test_an_export_is_the_same_bytes_again(suite, tmp_path, form):
    counts = [export(suite, tmp_path / name, form) for name in "ab"]
    assert counts[0] == counts[1]
    assert counts[0].operations > 30
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("form", ALL)
def test_only_an_earlier_export_is_replaced(suite, tmp_path, form):
    export(suite, tmp_path / "out", form, ["worked-*"])
    with pytest.raises(SuiteError, match="must be empty or absent"):
        export(suite, tmp_path / "out", form)
    export(suite, tmp_path / "out", form, force=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    with pytest.raises(SuiteError, match="only an earlier export is replaced"):
        export(suite, tmp_path / "mine", form, force=True)
    assert contents(tmp_path / "mine") == {"thesis.txt": b"words"}


def test_a_failed_export_leaves_nothing(tmp_path):
    shutil.copytree(smoke_folder(), tmp_path / "suite")
    next((tmp_path / "suite").glob("worked-*.safetensors")).write_bytes(b"")
    with pytest.raises(SuiteError):
        export(refconv.load_suite(tmp_path / "suite"), tmp_path / "out", "raw")
    assert [path.name for path in tmp_path.iterdir()] == ["suite"]


def test_raw_files_hold_the_tensors_that_the_index_names(suite, tmp_path):
    export(suite, tmp_path / "out", "raw")
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert len(index["prompts"]) == 86
    for prompt in index["prompts"]:
        case = suite.case(prompt["case"])
        for name, tensor in prompt["inputs"].items():
            assert (tmp_path / "out" / tensor["file"]).read_bytes() == packed(case.inputs[name])
        golden = case.expected["y" if prompt["operation"] == "forward" else prompt["operation"]]
        stored = prompt["expected"]["only"]
        assert (tmp_path / "out" / stored["expected"]["file"]).read_bytes() == packed(golden.tensor)
        assert ("lo" in stored) == (golden.lo is not None)
        assert not (tmp_path / "out" / prompt["result"]["file"]).exists()


def test_prompts_only_hold_nothing_of_what_is_expected(suite, tmp_path):
    export(suite, tmp_path / "out", "raw", options=Options(prompt_only=True))
    names = contents(tmp_path / "out")
    assert not [name for name in names if ".expected." in name or ".lo." in name or ".hi." in name]
    assert b"expected" not in names["index.json"]


def test_the_table_for_awk_says_the_same_as_the_index(suite, tmp_path):
    export(suite, tmp_path / "out", "raw", ["worked-*"], ["forward", "grad_input"])
    head, *rows = (line.split("\t") for line in (tmp_path / "out" / "index.tsv").read_text().splitlines())
    forward = dict(zip(head, rows[0], strict=True))
    assert len(rows) == 2
    assert [forward[name] for name in COLUMNS] == [
        "1",
        "1",
        "1",
        "1",
        "3",
        "3",
        "2",
        "2",
        "2",
        "2",
        "1",
        "1",
        "1",
        "1",
        "0",
        "0",
        "0",
        "0",
    ]
    assert (forward["x"], forward["bias"], forward["result_bytes"]) == (f"{WORKED}.x.bin", "-", "16")
    assert {forward[name] for name in SCALES} == {"-"}


def test_the_table_for_awk_holds_scales_and_zero_points_exactly(tmp_path):
    suite = refconv.load_suite(CORE)
    export(suite, tmp_path / "out", "raw", ["quantized-int8-bytes/per-channel"])
    head, row = (line.split("\t") for line in (tmp_path / "out" / "index.tsv").read_text().splitlines())
    assert head[-len(SCALES) :] == list(SCALES)
    cells = dict(zip(head, row, strict=True))
    stated = suite.case(cells["case"]).quantization
    assert cells["quantized"] == "yes"
    assert tuple(map(float, cells["weight_scale"].split(","))) == stated.weight_scale
    assert len(stated.weight_scale) > 1
    assert tuple(map(int, cells["weight_zero_point"].split(","))) == stated.weight_zero_point
    for name in ("x_scale", "x_zero_point", "y_scale", "y_zero_point"):
        assert float(cells[name]) == getattr(stated, name)


def test_choices_are_exported_with_a_result_for_each_policy():
    suite = refconv.load_suite(CORE)
    case = next(case for case in suite if case.result == "choice" and len(case.alternatives) > 1)
    prompt = next(prompts_of(case, ["forward"]))
    assert list(prompt.expected) == [name for name, results in case.alternatives.items() if "y" in results]


def test_a_line_of_the_stream_is_what_the_documentation_says(suite):
    (prompt,) = prompts_of(suite.case(WORKED), ["grad_input"])
    words = next(stream_lines([prompt])).split()
    assert words[:7] == [WORKED, "grad_input", "float32", "float32", "-", "float32", "-"]
    assert words[7:25] == ["1", "1", "1", "1", "3", "3", "2", "2", "2", "2", "1", "1", "1", "1", "0", "0", "0", "0"]
    assert words[25:27] == ["9", "4"]
    assert np.array([int(word, 16) for word in words[27:31]], "u4").view("f4").tolist() == [1, 2, 3, 4]
    assert words[31] == "4"
    assert words[-1] == "0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("pdf",), "an export format must be one of raw, stream, hex, c-header, npz, onnx, json, got 'pdf'"),
        (("raw", ["nothing"]), "no case of suite 'smoke' matches nothing"),
        (("raw", ["*"], ["sideways"]), "an operation must be one of forward"),
    ],
)
def test_mistakes_end_in_one_sentence(suite, tmp_path, arguments, sentence):
    with pytest.raises(CatalogueError, match=sentence):
        export(suite, tmp_path / "out", *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def twins(suite, tmp_path):
    group = suite.group(WORKED.partition("/")[0])
    cases = [replace(group.cases[0], id=f"{group.name}/{slug}") for slug in ("a-b", "a.b")]
    records = [write_group(tmp_path, replace(group, cases=tuple(cases)))]
    write_manifest(tmp_path, "smoke", "2026.1.31", records, {})
    return refconv.load_suite(tmp_path)


@pytest.mark.client
def test_two_cases_that_onnx_cannot_tell_apart_are_named(twins, tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(SuiteError, match=r"a\.b': its id must differ from others by more than signs"):
        export(twins, tmp_path / "out", "onnx")
    assert not (tmp_path / "out").exists()


def test_two_cases_that_c_cannot_tell_apart_get_two_names(twins, tmp_path):
    export(twins, tmp_path / "out", "c-header")
    text = (tmp_path / "out" / "worked-example-float32-iota.h").read_text("ascii")
    names = re.findall(r"static const float (\w+__x_*)\[9\]", text)
    assert sorted(names) == ["worked_example_float32_iota__a_b__x", "worked_example_float32_iota__a_b__x_"]


@pytest.mark.parametrize(
    ("form", "options", "sentence"),
    [
        ("stream", {"layout": "NHWC"}, "the format 'stream' has no option --layout"),
        ("onnx", {"weight_layout": "HWIO"}, "the format 'onnx' has no option --weight-layout"),
        ("raw", {"word_bits": 32}, "the format 'raw' has no option --word-bits"),
        ("npz", {"main": True}, "the format 'npz' has no option --main"),
        ("raw", {"max_bytes": 1}, "nothing is left for the format 'raw'; 0 operations to compute; left out: 86"),
        ("hex", {"word_bits": 12}, "word_bits must be one of 8, 16, 32, 64, 128, got 12"),
        ("hex", {"word_bits": 32, "lanes": 3}, "got word_bits=32, lanes=3; choose lanes from 1, 2, 4"),
        ("hex", {"lanes": 0}, "lanes must be from 1 to 1024, got 0"),
        ("raw", {"layout": "CHWN"}, "layout must be one of NCHW, NHWC, got 'CHWN'"),
    ],
)
def test_an_option_that_means_nothing_is_refused(suite, tmp_path, form, options, sentence):
    with pytest.raises(refconv.RefconvError, match=sentence):
        export(suite, tmp_path / "out", form, options=Options(**options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("form", "counts"),
    [
        ("raw", {"illegal problems, which have no result but must be refused": 1}),
        ("stream", {"illegal problems, which have no result but must be refused": 1,
                    "quantised layers, whose scales have no place in the line": 1}),
    ],
)  # fmt: skip
def test_what_is_left_out_is_counted_and_named_in_the_folder(tmp_path, form, counts):
    selection = ["illegal-float32-iota/stride-zero-height", "quantized-int8-bytes/ties", "choice-*oversized*"]
    exported = export(refconv.load_suite(CORE), tmp_path / "out", form, selection)
    assert exported.left_out == counts
    account = (tmp_path / "out" / "EXPORT.txt").read_text()
    assert all(f"left out: {count} operations, {reason}" in account for reason, count in counts.items())
    assert f"{exported.operations} operations to compute" in account


def test_large_operations_are_left_out_and_counted(suite, tmp_path):
    exported = export(suite, tmp_path / "out", "raw", options=Options(max_bytes=2000))
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    kept = {(prompt["case"], prompt["operation"]) for prompt in index["prompts"]}
    small = {(p.case.id, p.operation) for case in suite for p in prompts_of(case) if p.nbytes <= 2000}
    assert kept == small
    assert 0 < len(kept) < 86
    assert exported.left_out == {"whose tensors have more than 2000 bytes": 86 - len(kept)}


def test_a_choice_that_may_be_refused_says_so(tmp_path):
    export(refconv.load_suite(CORE), tmp_path / "out", "raw", ["choice-*oversized*"])
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert all(prompt["may_refuse"] for prompt in index["prompts"])


@pytest.mark.parametrize("form", ["raw", "npz", "json", "hex"])
def test_the_index_states_the_layouts(suite, tmp_path, form):
    export(suite, tmp_path / "out", form, ["asymmetric-float32-exact"], options=Options(layout="NHWC"))
    name = "vectors.json" if form == "json" else "index.json"
    index = json.loads((tmp_path / "out" / name).read_text())
    assert (index["layout"], index["weight_layout"]) == ("NHWC", "OIHW")
    assert "images NHWC, weights OIHW" in (tmp_path / "out" / "EXPORT.txt").read_text()


@pytest.mark.parametrize("weight_layout", ["OIHW", "HWIO", "OHWI"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_tensors_are_transposed_as_stated(suite, tmp_path, layout, weight_layout):
    options = Options(layout=layout, weight_layout=weight_layout)
    export(suite, tmp_path / "out", "raw", ["grouped-float32-exact"], options=options)
    for prompt in json.loads((tmp_path / "out" / "index.json").read_text())["prompts"]:
        case = suite.case(prompt["case"])
        for name, stored in [
            *prompt["inputs"].items(),
            (RESULTS[prompt["operation"]], prompt["expected"]["only"]["expected"]),
        ]:
            own = case.inputs[name] if name in case.inputs else case.expected[name].tensor
            written = np.fromfile(tmp_path / "out" / stored["file"], stored["dtype"]).reshape(stored["shape"])
            letters, kept = ("OIHW", weight_layout) if "weight" in name else ("NCHW", layout)
            expected = np.einsum(f"{letters}->{kept}", own) if own.ndim == 4 else own
            assert np.array_equal(written, expected), (prompt["case"], name)


def test_results_in_another_layout_are_judged(suite, tmp_path):
    layouts = Layouts("NHWC", "HWIO")
    for case in map(suite.case, suite.select("grouped-float32-exact")):
        for prompt in prompts_of(case):
            path = tmp_path / f"{case.id}.{prompt.operation}.bin"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(packed(prompt.laid_out(layouts).first.tensor))
    right, wrong = (
        refconv.check(ResultFolder(tmp_path, suite, lie), suite, ["grouped-float32-exact"]).count()
        for lie in (layouts, Layouts("NHWC", "OHWI"))
    )
    assert right["PASS"] == sum(right.values()) > 3
    assert (wrong["PASS"], wrong["FAIL"]) == (3, 1)  # grad_weight alone


def test_layers_with_one_spatial_axis_are_left_out_and_counted(suite):
    problem = refconv.ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3,), kernel_size=(2,))
    selection = Selection(suite, "raw", [WORKED])
    selection.cases = [replace(suite.case(WORKED), problem=problem), suite.case(WORKED)]
    assert [prompt.case.problem.input_size for prompt in selection] == [(3, 3)] * 3  # it has no bias
    assert selection.left_out == {"with another number of spatial axes than two, which npz, onnx, json can say": 3}
