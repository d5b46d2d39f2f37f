"""Functions that want channels last, along one, two and three axes, and transposed."""

from pathlib import Path

import pytest

from refconv import FormatError, check, load_suite
from refconv.implementations import load_implementation
from refconv.implementations.layouts import Layouts

AXES = Path(__file__).parents[2] / "vectors" / "axes"
SOURCE = """
import numpy as np
import refconv

def channels_last(function, x, weight, bias, how):
    own = np.moveaxis(weight, (-1, -2), (0, 1)) if WEIGHT == "HWIO" else weight
    channels = own.shape[0] if "transpose" in function else own.shape[1] * how["groups"]
    assert x.shape[-1] == channels
    return np.moveaxis(getattr(refconv, function)(np.moveaxis(x, -1, 1), own, bias, **how), 1, -1)

def conv(x, weight, bias=None, **how):
    return channels_last(f"conv{x.ndim - 2}d", x, weight, bias, how)

def up(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    how = dict(stride=stride, padding=padding, output_padding=output_padding, groups=groups, dilation=dilation)
    return channels_last(f"conv_transpose{x.ndim - 2}d", x, weight, bias, how)
"""


@pytest.fixture(scope="module")
def suite():
    return load_suite(AXES)


@pytest.mark.parametrize(
    ("name", "layouts", "select"),
    [("conv", "NWC,HWIO", "conv1d-float32-exact/*"), ("conv", "NDHWC", "conv3d-float32-exact/g*"),
     ("up", "NHWC", "conv-transpose2d-float32-exact/*2*"), ("up", "NDHWC", "conv-transpose3d-float32-exact/s*")],
)  # fmt: skip
def test_a_function_with_channels_last_passes_behind_its_layouts(name, layouts, select, suite, tmp_path):
    path = tmp_path / "last.py"
    path.write_text(SOURCE.replace("WEIGHT", repr("HWIO" if "HWIO" in layouts else "OIHW")))
    runner = load_implementation(f"{path}:{name}@{layouts}")
    assert runner.name == f"{name}@{layouts}"
    report = check(runner, suite, [select], ["forward"])
    assert report.passed, report.summary()
    assert {outcome.status for outcome in report.outcomes} == {"PASS"}
    wrong = check(load_implementation(f"{path}:{name}"), suite, [select], ["forward"])
    assert "PASS" not in {outcome.status for outcome in wrong.outcomes if not outcome.case_id.endswith("/one-by-one")}


def test_gradients_come_back_in_order_and_a_process_of_its_own_knows_the_layouts(suite, tmp_path):
    path = tmp_path / "last.py"
    path.write_text(
        "import numpy as np\nfrom refconv.reference import im2col\n\n\nclass Last:\n"
        "    def grad_input(self, grad_output, weight, problem):\n"
        "        gradient = im2col.grad_input(np.moveaxis(grad_output, -1, 1), np.moveaxis(weight, -1, 1), problem)\n"
        "        return np.moveaxis(gradient, 1, -1)\n\n"
        "    def grad_weight(self, x, grad_output, problem):\n"
        "        gradient = im2col.grad_weight(np.moveaxis(x, -1, 1), np.moveaxis(grad_output, -1, 1), problem)\n"
        "        return np.moveaxis(gradient, 1, -1)\n"
    )
    report = check(
        f"{path}:Last@NHWC,OHWI", suite, ["conv3d-float32-exact/s*"], ["grad_input", "grad_weight"], isolate=True
    )
    assert {outcome.status for outcome in report.outcomes} == {"PASS"}
    assert report.implementation.endswith("@NHWC,OHWI")


def test_weights_of_transposed_convolutions_have_no_other_layout(suite):
    report = check(load_implementation("im2col@NCHW,HWIO"), suite, ["conv-transpose2d-float32-exact/plain"])
    assert {outcome.status for outcome in report.outcomes} == {"UNSUPPORTED"}


@pytest.mark.parametrize(("options", "name"), [({"image": "NWHC"}, "layout"), ({"weight": "OHIW"}, "weight_layout")])
def test_an_unknown_layout_is_refused(options, name):
    with pytest.raises(FormatError, match=f"^{name} must be one of [A-Z, ]+, got '{next(iter(options.values()))}'"):
        Layouts(**options)
