"""im2col on a CUDA device: the discipline without one, the bytes with one."""

import hashlib
import json
import sys
from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest
from click.testing import CliRunner

from refconv import ImplementationError
from refconv.cli import commands
from refconv.generate import generate
from refconv.implementations import load_implementation
from refconv.implementations.devices import load_cupy

SELECT = ["asymmetric-float32-full-mantissa/*", "depthwise-float32-exact/*", "pointwise-float32-exact/*", "thin-*"]


def digest(folder):
    return hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()


@pytest.fixture
def pretended(monkeypatch):
    """Put a namespace in CuPy's place that has nothing but the array API standard, and no device."""
    runtime = SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError)
    carried = []

    def asarray(tensor):
        carried.append(tensor)
        return array_api_strict.asarray(tensor)

    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(
        asarray=asarray, asnumpy=np.asarray, __version__="0", cuda=SimpleNamespace(runtime=runtime),
        ndarray=SimpleNamespace, generic=SimpleNamespace,
    ))  # fmt: skip
    return carried


def test_the_device_path_needs_the_standard_alone_and_gives_the_same_bytes(tmp_path, pretended):
    generate(tmp_path / "here", "core", SELECT)
    assert not pretended
    generate(tmp_path / "there", "core", SELECT, device="cuda")
    assert pretended
    assert digest(tmp_path / "here") == digest(tmp_path / "there")
    provenance = json.loads((tmp_path / "there" / "PROVENANCE.json").read_text())
    assert provenance["device of im2col"] == "cuda"


def test_the_engine_carries_tensors_there_and_results_back(pretended):
    engine = load_implementation("cupy")
    assert engine.name == "cupy"


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
@pytest.mark.parametrize("tier", ["core", "extended"])
def test_a_cuda_device_gives_the_same_bytes(tmp_path, tier):
    generate(tmp_path / "suite", tier, device="cuda")  # extended is held against its recipe
    if tier == "core":
        generate(tmp_path / "here", tier)
        assert digest(tmp_path / "suite") == digest(tmp_path / "here")


@pytest.mark.gpu
@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("engine", ["torch:cuda", "cupy"])
def test_engines_on_the_device_pass_the_small_suite(engine):
    from refconv import check, load_suite
    from refconv.suite.embedded import smoke_folder

    assert not check(load_implementation(engine), load_suite(smoke_folder())).failures
