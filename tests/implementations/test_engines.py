"""Every engine by name: those that CI installs always, the others by ``-m engine`` where they are installed."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import refconv
from refconv import ConvProblem, ImplementationError
from refconv.implementations import Demand, engines, load_implementation
from refconv.implementations.limits import leftovers
from refconv.quantization import Quantization
from refconv.suite.embedded import smoke_folder

AXES = Path(__file__).parents[2] / "vectors" / "axes"
NAMED = ("same-*-image", "same-*er-image-groups", "valid-image", "valid-transposed-image")
PACKAGES = {
    "jax": "jax", "tensorflow": "tensorflow", "paddle": "paddle", "openvino": "openvino", "mlx": "mlx",
    "tinygrad": "tinygrad", "opencv": "cv2", "ncnn": "ncnn",
}  # fmt: skip
ALWAYS = {"torch": "torch", "onnxruntime": "onnxruntime", "onnx": "onnx", "scipy": "scipy"}
ORACLES = [name if name == "scipy" else pytest.param(name, marks=pytest.mark.oracle) for name in ALWAYS]
ENGINES = [*ORACLES, *(pytest.param(name, marks=pytest.mark.engine) for name in PACKAGES)]
TRANSPOSING = [
    *ORACLES[:-1],
    *(pytest.param(name, marks=pytest.mark.engine) for name in PACKAGES if name != "ncnn"),
]  # fmt: skip

# grad_input undoes both leftovers (6 - 3 leaves one row over) and uneven padding.
PROBLEM = ConvProblem(
    batch=1, in_channels=2, out_channels=3, input_size=(6, 5), kernel_size=(3, 2), stride=(2, 1),
    padding=((0, 0), (1, 0)),
)  # fmt: skip


def load(name):
    package = (PACKAGES | ALWAYS)[name]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}")
    return load_implementation(name)


def integers(shape, dtype=np.float32):
    return np.random.default_rng(len(shape)).integers(-9, 10, shape).astype(dtype)


@pytest.mark.parametrize("name", sorted({*PACKAGES, *ALWAYS, "cupy"}))
def test_an_engine_goes_by_name(name):
    assert name in engines()


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_passes_what_everybody_must(name):
    suite = refconv.load_suite(smoke_folder())
    report = refconv.check(load(name), suite, ["[!pg]*-float32-*", "grouped-*g2*"], operations=["forward"])
    assert [(outcome.case_id, outcome.message) for outcome in report.failures] == []
    assert report.executed >= 6  # of 7; scipy has no dilation


@pytest.mark.parametrize("name", TRANSPOSING)
def test_grad_input_covers_the_leftovers(name):
    runner = load(name)
    grad_output, weight = integers(PROBLEM.y_shape), integers(PROBLEM.weight_shape)
    got = runner.run("grad_input", {"grad_output": grad_output, "weight": weight}, PROBLEM)
    truth = load_implementation("direct").run("grad_input", {"grad_output": grad_output, "weight": weight}, PROBLEM)
    np.testing.assert_array_equal(got, truth)


@pytest.mark.parametrize("option", ["native", "channels_last"])
@pytest.mark.oracle
def test_the_ways_of_torch_agree(option):
    load("torch")
    runner, suite = load_implementation(f"torch:{option}"), refconv.load_suite(smoke_folder())
    report = refconv.check(runner, suite, ["grouped-float32*", "asymmetric-float*", "depthwise-float32*"])
    assert [(outcome.case_id, outcome.message) for outcome in report.failures] == []
    assert {outcome.status for outcome in report.outcomes} <= {"PASS", "SUSPICIOUS"}


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_states_its_version(name):
    engine = load(name).implementation
    assert any(character.isdigit() for character in engine.version)


def test_leftovers_are_what_no_window_reaches():
    assert leftovers(PROBLEM) == (1, 0)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("onnxruntime", r"pip install onnxruntime onnx\.$"),
        ("opencv", r"pip install opencv-python-headless onnx\.$"),
        ("mlx", r"pip install 'mlx\[cpu\]'\.$"),
        ("jax", r"pip install jax\.$"),
        ("tensorflow", r"pip install tensorflow-cpu\.$"),
    ],
)
def test_an_engine_that_is_not_installed_says_how_to_install_it(name, line, monkeypatch):
    hidden = {"opencv": "cv2"}.get(name, name)
    monkeypatch.setitem(sys.modules, hidden, None)  # as if it were not there
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImplementationError, match=f"^{name} is not installed .*{line}"):
        load_implementation(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scipy:fast", "option of scipy must be one of direct, fft, got 'fast'"),
        ("ncnn:fast", "option of ncnn must be one of unpacked, bfloat16, got 'fast'"),
        ("onnx:fast", "the option of onnx must be auto_pad, got 'fast'"),
    ],
)
def test_an_unknown_option_is_told_in_one_sentence(text, message):
    with pytest.raises(ImplementationError, match=message):
        load_implementation(text)


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [
        ("scipy", "float16", "scipy.signal.correlate has no float16 convolution"),
        ("onnxruntime", "float64", "onnxruntime has no kernel for it: Could not find an implementation for Conv"),
        ("torch", "int8", "PyTorch has no int8 convolution on cpu"),
    ],
)
@pytest.mark.oracle
def test_what_an_engine_does_not_take_is_unsupported_with_the_reason(name, dtype, message):
    tensors = {"x": integers(PROBLEM.x_shape, dtype), "weight": integers(PROBLEM.weight_shape, dtype)}
    with pytest.raises(NotImplementedError, match=message):
        load(name).run("forward", tensors, PROBLEM)


TWO_BYTES = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
BYTES = np.array([[[[-128, 127]]]], np.int8)


@pytest.mark.parametrize("name", ["onnxruntime", "onnx"])
@pytest.mark.oracle
def test_bytes_are_added_in_int32_with_their_bias(name):
    tensors = {"x": BYTES, "weight": BYTES, "bias": np.array([5], np.int32)}
    y = load(name).run("forward", tensors, TWO_BYTES)
    assert y.dtype == np.int32
    assert y.tolist() == [[[[32518]]]]  # 16384 + 16129 + 5


@pytest.mark.parametrize("name", ["onnxruntime", "onnx"])
@pytest.mark.oracle
def test_a_quantised_layer_is_a_qlinearconv(name):
    quantization = Quantization(0.5, -1, (0.25,), (0,), 256.0, 3, "int8")
    tensors = {"x": BYTES, "weight": BYTES, "bias": np.array([7], np.int32)}
    y = load(name).run("forward", tensors, TWO_BYTES, Demand(quantization=quantization))
    assert y.dtype == np.int8
    assert y.tolist() == [[[[19]]]]  # (127 * 128 + 128 * 127 + 7) / 2048 = 15.9, and the zero point


@pytest.mark.parametrize("method", ["direct", "fft"])
def test_scipy_does_not_swap_groups(method):
    problem = ConvProblem(
        batch=1, in_channels=4, out_channels=6, groups=2, input_size=(4, 5), kernel_size=(2, 3), stride=(2, 1)
    )
    x, weight = integers(problem.x_shape, np.float64), integers(problem.weight_shape, np.float64)
    truth = load_implementation("direct").run("forward", {"x": x, "weight": weight}, problem)
    got = load_implementation(f"scipy:{method}").run("forward", {"x": x, "weight": weight}, problem)
    np.testing.assert_allclose(got, truth, rtol=0, atol=1e-9)


def stand_in(devices):
    """A package like CuPy, on the host."""
    runtime = types.SimpleNamespace(getDeviceCount=lambda: devices, CUDARuntimeError=OSError)
    return types.SimpleNamespace(
        __version__="0", asarray=np.asarray, asnumpy=np.asarray, cuda=types.SimpleNamespace(runtime=runtime)
    )


def test_cupy_that_is_not_installed_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImplementationError, match=r"needs CuPy, which is not installed .*'refconv\[cupy13\]'"):
        load_implementation("cupy")


def test_cupy_without_a_device_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", stand_in(0))
    with pytest.raises(ImplementationError, match="cupy needs a CUDA device, and CuPy sees none"):
        load_implementation("cupy")


def test_cupy_carries_tensors_there_and_back(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", stand_in(1))
    assert refconv.check(load_implementation("cupy"), refconv.load_suite(smoke_folder()), ["worked-example*"]).passed


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_padding_may_be_said_to_onnx_by_name(name):
    load(name)
    runner, axes = load_implementation(f"{name}:auto_pad"), refconv.load_suite(AXES)
    named = refconv.check(runner, axes, [f"named-padding-float32-exact/{some}" for some in NAMED], ["forward"])
    assert [(outcome.case_id, outcome.message) for outcome in named.failures] == []
    assert named.executed == len(named.outcomes) > 5
    other = refconv.check(runner, refconv.load_suite(smoke_folder()), ["*-float32-exact/*"], ["forward"])
    assert {"UNSUPPORTED"} < {outcome.status for outcome in other.outcomes} <= {"PASS", "UNSUPPORTED"}
    assert any("SAME_UPPER, SAME_LOWER, VALID stand for other pads than" in item.message for item in other.outcomes)


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_bytes_need_no_bias(name):
    x, weight = integers(PROBLEM.x_shape, np.int8), integers(PROBLEM.weight_shape, np.int8)
    tensors = {"x": x, "weight": weight, "bias": None}
    truth = load_implementation("direct").run("forward", tensors, PROBLEM)
    np.testing.assert_array_equal(load(name).run("forward", tensors, PROBLEM), truth)
