"""im2col on a CUDA device: the discipline without one, the bytes with one."""

import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from elsewhere import cupy_with

from refconv import ConvProblem, ImplementationError, check, load_suite
from refconv.cli import commands
from refconv.generate import generate
from refconv.implementations import load_implementation
from refconv.implementations.devices import load_cupy
from refconv.suite.embedded import smoke_folder

VECTORS = Path(__file__).parents[2] / "vectors"
JOBS = max(1, (os.cpu_count() or 1) * 3 // 4)
SELECT = [
    "asymmetric-float32-full-mantissa/*", "asymmetric-bfloat16-*", "asymmetric-float64-*", "depthwise-float32-exact/*",
    "pointwise-float32-exact/*", "special-*", "subnormal*", "overflow*", "thin-*", "*quant*", "asymmetric-int8-*",
]  # fmt: skip


def digest(folder):
    return hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()


@pytest.fixture
def pretended(monkeypatch):
    """Put a module in CuPy's place whose arrays are not NumPy's, and no device."""
    carried = []
    monkeypatch.setitem(sys.modules, "cupy", cupy_with(carried))
    return carried


def test_what_computes_on_a_device_mixes_with_nothing_in_main_memory_and_gives_the_same_bytes(tmp_path, pretended):
    generate(tmp_path / "here", "core", SELECT)
    assert not pretended
    generate(tmp_path / "there", "core", SELECT, device="cuda")
    assert pretended
    assert digest(tmp_path / "here") == digest(tmp_path / "there")
    provenance = json.loads((tmp_path / "there" / "PROVENANCE.json").read_text())
    assert provenance["device of im2col"] == "cuda"


def test_the_engine_carries_tensors_there_and_results_back(pretended):
    engine, problem = load_implementation("cupy"), ConvProblem(
        batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))  # fmt: skip
    tensors = {"x": np.array([[[[2.0, 3.0, 5.0]]]]), "weight": np.array([[[[1.0, 10.0]]]])}
    assert engine.name == "cupy"
    assert engine.run("forward", tensors, problem).tolist() == [[[[32.0, 53.0]]]]
    assert len(pretended) == 2


def test_without_cupy_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImplementationError, match="a CUDA device needs CuPy, which is not installed"):
        generate(tmp_path / "suite", device="cuda")
    assert list(tmp_path.iterdir()) == []


def test_without_a_device_it_says_so(monkeypatch, tmp_path, pretended):
    def none():
        raise RuntimeError("cudaErrorNoDevice")

    sys.modules["cupy"].cuda.runtime.getDeviceCount = none
    arguments = ["generate", "--device", "cuda", "--out", str(tmp_path / "suite")]
    result = CliRunner().invoke(commands, arguments)
    assert str(result.exception) == "cupy needs a CUDA device, and CuPy sees none."
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def cuda():
    """Skip where there is no CUDA device, in the words in which refconv says so."""
    try:
        load_cupy()
    except ImplementationError as error:
        pytest.skip(str(error))


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("tier", ["core", "axes"])
def test_a_cuda_device_gives_the_committed_bytes(tmp_path, tier):
    generate(tmp_path / "suite", tier, device="cuda", jobs=JOBS)
    assert digest(tmp_path / "suite") == digest(VECTORS / tier)


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_a_cuda_device_gives_the_hashes_of_the_recipe(tmp_path):
    assert generate(tmp_path / "suite", "extended", device="cuda", jobs=JOBS) > 500  # or it says which one differs


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_cupy_passes_the_small_suite():
    assert not checked("cupy").failures


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
def test_torch_rounds_narrow_results_before_it_adds_the_bias_and_errs_nowhere_else_once_tf32_is_off(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    wrong = {(failure.operation, failure.element) for failure in checked("torch:cuda").failures}
    assert wrong <= {("forward", "float16"), ("forward", "bfloat16")}


def checked(engine):
    return check(load_implementation(engine), load_suite(smoke_folder()))
