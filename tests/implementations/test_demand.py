"""What a case asks of an implementation beyond its tensors, and who does not support it."""

import ml_dtypes
import numpy as np
import pytest

from refconv import ConvProblem
from refconv.implementations import Demand, as_runner
from refconv.implementations.references import im2col
from refconv.judge import judge_tensor
from refconv.quantization import Quantization

PROBLEM = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 3), kernel_size=(1, 2))
TENSORS = {"x": np.ones((1, 1, 1, 3)), "weight": np.ones((1, 1, 1, 2)), "bias": None}
MIXED = Demand(out_format="float32")
SATURATING = Demand(overflow="saturate")


class Taking:
    """An object whose forward takes everything and remembers it."""

    name = "taking"

    def forward(self, x, weight, bias, problem, **asked):
        self.asked = asked
        return x


def test_a_plain_demand_passes_no_keyword():
    taking = Taking()
    as_runner(taking).run("forward", TENSORS, PROBLEM, Demand())
    assert taking.asked == {}


def test_a_function_that_takes_the_keywords_gets_them():
    taking = Taking()
    as_runner(taking).run("forward", TENSORS, PROBLEM, Demand("float32", "saturate"))
    assert taking.asked == {"out_format": "float32", "overflow": "saturate"}


@pytest.mark.parametrize(("demand", "name"), [(MIXED, "out_format='float32'"), (SATURATING, "overflow='saturate'")])
def test_a_function_without_the_keyword_does_not_support_the_case(demand, name):
    with pytest.raises(NotImplementedError, match=f"takes no {name}"):
        as_runner(lambda x, weight, bias, stride: x, name="f").run("forward", TENSORS, PROBLEM, demand)


def test_a_reference_returns_the_format_that_is_asked_for():
    x, weight = (TENSORS[name].astype(ml_dtypes.bfloat16) for name in ("x", "weight"))
    assert im2col().forward(x, weight, None, PROBLEM).dtype == ml_dtypes.bfloat16
    assert im2col().forward(x, weight, None, PROBLEM, out_format="float32").dtype == np.float32


@pytest.mark.parametrize(("overflow", "result"), [(None, np.nan), ("nan", np.nan), ("saturate", 448.0)])
def test_a_reference_overflows_as_it_is_told(overflow, result):
    x, weight = (np.full(TENSORS[name].shape, 30, ml_dtypes.float8_e4m3fn) for name in ("x", "weight"))
    y = im2col().forward(x, weight, None, PROBLEM, overflow=overflow)
    np.testing.assert_array_equal(y.astype(np.float64), np.full((1, 1, 1, 2), result))


def test_saturation_where_nan_is_stated_fails():
    nan = np.array([np.nan], ml_dtypes.float8_e4m3fn)
    assert not judge_tensor(np.array([448.0]), nan).passed


QUANTIZED = Demand(quantization=Quantization(1.0, 1, (1.0,), (-2,), 1.0, 7, "int8"))
BYTES = {"x": np.full((1, 1, 1, 3), 3, np.int8), "weight": np.full((1, 1, 1, 2), 4, np.int8), "bias": None}


def test_a_quantised_layer_is_asked_of_a_function_of_its_own():
    y = as_runner(im2col()).run("forward", BYTES, PROBLEM, QUANTIZED)
    assert y.dtype == np.int8
    assert y.ravel().tolist() == [31, 31]  # 2 * (3 - 1) * (4 + 2) + 7


@pytest.mark.parametrize("target", [Taking(), lambda x, weight, bias: x], ids=["object", "function"])
def test_who_has_no_such_function_does_not_support_quantised_layers(target):
    with pytest.raises(NotImplementedError, match=r"has no function quantized_forward|is no quantised layer"):
        as_runner(target, name="f").run("forward", BYTES, PROBLEM, QUANTIZED)
