"""Signals, volumes and transposed convolutions: in the exports that can say them, and a sentence in the others."""

import json
from pathlib import Path

import numpy as np
import pytest

import refconv
from refconv.errors import CatalogueError
from refconv.export import Options, export
from refconv.problem import TransposedProblem

FOUND = ("conv1d-float32-exact/s2-*", "conv3d-float32-exact/s213-*", "conv-transpose?d-float32-exact/*-e*",
         "conv-transpose2d-float32-exact/g2-*", "conv-transpose1d-float32-zero-mean/uneven-overlap")  # fmt: skip


@pytest.fixture(scope="module")
def suite():
    return refconv.load_suite(Path(__file__).parents[2] / "vectors" / "axes")


def test_an_archive_holds_every_tensor_with_channels_last_along_any_number_of_axes(suite, tmp_path):
    exported = export(suite, tmp_path / "npz", "npz", FOUND, options=Options(layout="NHWC"))
    cases = [suite.case(case_id) for case_id in suite.select(FOUND)]
    assert (exported.operations, exported.left_out) == (4 * len(cases), {})
    orders = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
    for case in cases:
        held = np.load(tmp_path / "npz" / f"{case.id}.npz")
        about = json.loads(str(held["about"]))["problem"]
        transposed = isinstance(case.problem, TransposedProblem)
        assert about.get("operator") == ("conv_transpose" if transposed else None)
        assert about["layout"] == orders[len(case.problem.stride)]
        assert about["weight_layout"][:2] == ("IO" if transposed else "OI")
        np.testing.assert_array_equal(np.moveaxis(held["x"], -1, 1), case.inputs["x"])
        np.testing.assert_array_equal(np.moveaxis(held["forward.expected"], -1, 1), case.expected["y"].tensor)
        np.testing.assert_array_equal(held["weight"], case.inputs["weight"])


def test_a_file_for_browsers_holds_them_too(suite, tmp_path):
    export(suite, tmp_path / "json", "json", FOUND)
    found = json.loads((tmp_path / "json" / "vectors.json").read_text(encoding="ascii"))["cases"]
    assert [entry["case"] for entry in found] == suite.select(FOUND)
    for entry in found:
        assert ("output_padding" in entry["problem"]) == entry["case"].startswith("conv-transpose")


@pytest.mark.oracle
def test_onnxruntime_computes_the_models_rightly(suite, tmp_path):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    exported = export(suite, tmp_path / "onnx", "onnx", FOUND, ["forward", "grad_input"])
    index = json.loads((tmp_path / "onnx" / "index.json").read_text(encoding="ascii"))["tests"]
    assert len(index) == exported.operations > 12
    assert {tuple(entry["operators"]) for entry in index} == {("Conv",), ("ConvTranspose",)}
    for entry in index:
        folder = tmp_path / "onnx" / entry["test"]
        session = onnxruntime.InferenceSession((folder / "model.onnx").read_bytes())
        given = {}
        for number, name in enumerate(entry["inputs"]):
            given[name] = read(onnx, folder / "test_data_set_0" / f"input_{number}.pb")
        (got,) = session.run(None, given)
        ends = [folder / f"{part}_0.pb" for part in ("lo", "hi")]
        lo, hi = (read(onnx, end if end.exists() else folder / "test_data_set_0" / "output_0.pb") for end in ends)
        assert got.shape == lo.shape
        assert ((lo <= got) & (got <= hi)).all(), entry["test"]


def read(onnx, path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


@pytest.mark.oracle
def test_what_onnx_has_no_operator_for_is_counted(suite, tmp_path):
    pytest.importorskip("onnx")
    select = ["cropped-*", "conv-transpose2d-int8-*", "conv1d-int8-*"]
    exported = export(suite, tmp_path / "onnx", "onnx", select, ["forward"])
    assert (exported.operations, exported.left_out) == (1, {
        "which crop, for which ONNX has no operator": 11,
        "transposed convolutions of integers, for which ONNX has no operator": 1,
    })  # fmt: skip


@pytest.mark.parametrize("form", ["raw", "stream", "hex", "c-header"])
def test_flat_formats_say_which_others_can(suite, tmp_path, form):
    for select, what in (("conv1d-*", "with another number of spatial axes than two"),
                         ("conv-transpose2d-*", "transposed convolutions")):  # fmt: skip
        with pytest.raises(CatalogueError, match=f"{what}, which npz, onnx, json can say"):
            export(suite, tmp_path / "out", form, [select])
    assert not (tmp_path / "out").exists()


def test_weights_of_transposed_convolutions_have_one_layout(suite, tmp_path):
    with pytest.raises(CatalogueError, match="transposed convolutions, whose weights have no other layout"):
        export(suite, tmp_path / "out", "npz", ["conv-transpose2d-*"], options=Options(weight_layout="HWIO"))
