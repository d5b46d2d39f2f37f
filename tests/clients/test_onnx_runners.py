"""The runner of ONNX's backend tests over exported models."""

import unittest

import numpy as np
import pytest
from clients import ROOT

import refconv
from refconv.export import export

pytestmark = pytest.mark.client
FOUND = (
    "asymmetric-float32-*", "asymmetric-int8-exact", "grouped-float32-*", "quantized-int8-bytes/*",
    "special-places-float32-exact", "batch-float32-exact", "leftover-float32-*",
)  # fmt: skip


def exported(folder, *asked):
    return folder, export(refconv.load_suite(ROOT / "vectors" / "core"), folder, "onnx", FOUND, *asked).operations


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("onnx") / "out")


@pytest.fixture(scope="module")
def forward_models(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("onnx") / "out", ["forward"])


def results(backend, folder):
    """Return how many tests ran, and the names of those that failed."""
    from onnx.backend.test import loader, runner

    def ours(data_dir=None, kind=None):
        return loader.load_model_tests(str(folder), "refconv") if kind == "simple" else []

    found = unittest.TestResult()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "load_model_tests", ours)
        runner.Runner(backend, __name__).include("_cpu$").test_suite.run(found)
    assert not found.errors, found.errors[0][1]
    return found.testsRun - len(found.skipped), sorted(test.id().rpartition(".")[2] for test, _ in found.failures)


class Reference:
    """The ReferenceEvaluator as a backend."""

    fault = staticmethod(lambda result: result)

    def __init__(self, model):
        from onnx.reference import ReferenceEvaluator

        self.evaluator = ReferenceEvaluator(model)

    @classmethod
    def prepare(cls, model, device, **options):
        return cls(model)

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"

    def run(self, inputs):
        named = dict(zip(self.evaluator.input_names, inputs, strict=True))
        with np.errstate(all="ignore"):  # infinities are convolved, too
            return [self.fault(result) for result in self.evaluator.run(None, named)]


class Shifted(Reference):
    """The last element is the next number: the smallest fault there is."""

    @staticmethod
    def fault(result):
        changed = result.copy()
        if changed.size:
            last = changed.reshape(-1)[-1]
            up = np.nextafter(last, np.float32(np.inf)) if changed.dtype.kind == "f" else last ^ 1
            changed.reshape(-1)[-1] = up
        return changed


@pytest.mark.filterwarnings("ignore:onnx.version is deprecated")  # onnxruntime.backend reads it
def test_onnxruntime_passes_all_models(models):
    import onnxruntime.backend

    folder, operations = models
    assert results(onnxruntime.backend, folder) == (operations, [])


# Of ReferenceEvaluator, forward alone: its ConvTranspose raises for an empty batch, and for pads that differ.
def test_the_reference_evaluator_misses_nothing_but_its_own_bug(forward_models):
    folder, operations = forward_models
    count, wrong = results(Reference, folder)
    assert count == operations
    assert all("quantized" in name and "ties" in name for name in wrong)  # docs/semantics.md, "Found by these vectors"


def test_one_wrong_bit_in_an_exact_case_is_reported(forward_models):
    folder, _ = forward_models
    _, wrong = results(Shifted, folder)
    assert "test_asymmetric_float32_exact__s21_d12_p1021__forward_cpu" in wrong
    assert "test_asymmetric_int8_exact__s21_d12_p1021__forward_cpu" in wrong


def test_the_models_state_what_the_index_states(models):
    import json

    import onnx

    folder, operations = models
    index = json.loads((folder / "index.json").read_text())
    assert len(index["tests"]) == operations
    for entry in index["tests"]:
        model = onnx.load(folder / entry["test"] / "model.onnx")
        onnx.checker.check_model(model, full_check=True)
        assert [node.op_type for node in model.graph.node] == entry["operators"]
        assert [opset.version for opset in model.opset_import] == [entry["opset"]]
        assert [value.name for value in model.graph.input] == list(entry["inputs"])
        exact = entry["class"] == "exact"
        assert json.loads((folder / entry["test"] / "data.json").read_text())["atol"] >= 0
        assert (folder / entry["test"] / "lo_0.pb").exists() == (not exact)
