import json
import shutil

import numpy as np
import pytest

import refconv
from refconv import CatalogueError, SuiteError
from refconv.export import FORMATS, export, prompts_of, stream_lines
from refconv.export.geometry import COLUMNS
from refconv.implementations.messages import packed
from refconv.suite.embedded import smoke_folder

WORKED = "worked-example-float32-iota/x3x3-w2x2"


@pytest.fixture
def suite():
    return refconv.load_suite(smoke_folder())


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_the_same_bytes_again(suite, tmp_path, form):
    counts = [export(suite, tmp_path / name, form) for name in "ab"]
    assert counts[0] == counts[1] > 60
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.parametrize("form", FORMATS)
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
    assert len(index["prompts"]) == 67
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
    export(suite, tmp_path / "out", "raw", prompt_only=True)
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


def test_choices_are_exported_with_a_result_for_each_policy():
    from foreign import CORE

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
        (("pdf",), "an export format must be one of raw, stream, got 'pdf'"),
        (("raw", ["nothing"]), "no case of suite 'smoke' matches nothing"),
        (("raw", ["*"], ["sideways"]), "an operation must be one of forward"),
    ],
)
def test_mistakes_end_in_one_sentence(suite, tmp_path, arguments, sentence):
    with pytest.raises(CatalogueError, match=sentence):
        export(suite, tmp_path / "out", *arguments)
    assert list(tmp_path.iterdir()) == []
