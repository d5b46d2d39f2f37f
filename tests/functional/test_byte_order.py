"""Arrays of the other byte order, as files of other machines give them: the same numbers, so the same bytes."""

import numpy as np
import pytest

import refconv
from refconv.judge import judge_tensor
from refconv.suite.embedded import smoke_folder
from refconv.suite.safetensors_codec import decode, encode

SHAPES = {"x": (2, 4, 5, 6), "weight": (6, 2, 3, 2), "bias": (6,), "grad_output": (2, 6, 3, 5)}
LAYER = {"stride": (1, 1), "groups": 2}
DTYPES = ["float64", "float32", "float16", "int32"]


def tensors(dtype):
    rng = np.random.default_rng(7)
    return {name: rng.integers(-8, 9, shape).astype(dtype) for name, shape in SHAPES.items()}


def swapped(array):
    other = array.astype(array.dtype.newbyteorder())
    assert not other.dtype.isnative
    return other


def results(t, method):
    forward = [refconv.conv2d(t["x"], t["weight"], t["bias"], **LAYER, method=method),
               refconv.exact_conv2d(t["x"], t["weight"], t["bias"], **LAYER, method=method)]  # fmt: skip
    return [*forward, *refconv.conv2d_backward(t["grad_output"], t["x"], t["weight"], **LAYER, method=method)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["direct", "sparse", "im2col"])
def test_results_do_not_depend_on_the_byte_order_of_what_is_given(dtype, method):
    own = tensors(dtype)
    other = {name: swapped(array) for name, array in own.items()}
    for one, two in zip(results(own, method), results(other, method), strict=True):
        assert two.dtype.isnative
        assert one.dtype == two.dtype
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_files_do_not_depend_on_the_byte_order_of_what_is_written(dtype):
    own = tensors(dtype)
    mixed = {name: swapped(array) if name != "x" else array for name, array in own.items()}
    assert encode(mixed) == encode(own)
    for name, array in decode(encode(mixed)).items():
        assert array.dtype.isnative
        np.testing.assert_array_equal(array, own[name])


def test_an_answer_of_the_other_byte_order_is_judged_by_its_values():
    truth = tensors("float32")["x"]
    wrong = truth.copy()
    wrong[1, 2, 3, 4] += 1
    assert judge_tensor(swapped(truth), truth).passed
    verdict = judge_tensor(swapped(wrong), truth)
    assert (verdict.wrong, verdict.passed) == (1, False)


def test_check_takes_answers_of_the_other_byte_order():
    def foreign(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return swapped(np.asarray(refconv.conv2d(x, weight, bias, stride, padding, dilation, groups)))

    suite = refconv.load_suite(smoke_folder())
    report = refconv.check(foreign, suite, select=["worked-example-float32-*"], thorough=False)
    assert report.executed == 1
    assert report.passed
