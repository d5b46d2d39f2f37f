"""Narrow, mixed and quantised cases from the catalogue through the files to the verdict."""

import numpy as np
import pytest

from refconv import load_suite
from refconv.check import check
from refconv.exact import centred, requantize
from refconv.generate import generate, recompute
from refconv.implementations import load_implementation
from refconv.reference import im2col

SELECT = ("float8-*", "thin-float32-exact/row", "padding-over-kernel-float16-to-float32-*", "ends-*/pair", "quantized*")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("suite") / "core"
    generate(out, "core", SELECT)
    return out


@pytest.fixture(scope="module")
def suite(folder):
    return load_suite(folder)


class Plain:
    """Who takes no keywords and knows no quantised layers."""

    name = "plain"

    def forward(self, x, weight, bias, problem):
        return load_implementation("im2col").implementation.forward(x, weight, bias, problem)


class Saturating16:
    """Add pairs of products in 16 bits, as instructions without VNNI do."""

    name = "saturating"

    def forward(self, x, weight, bias, problem):
        return np.clip(im2col.forward(x.astype(np.int32), weight.astype(np.int32), bias, problem), -(2**15), 2**15 - 1)


class Quantised:
    """A quantised layer with one fault, or none."""

    def __init__(self, fault=None, rounding="half-to-even"):
        self.name, self.fault, self.rounding = "quantised", fault, rounding

    def quantized_forward(self, x, weight, bias, quantization, problem):
        if self.fault == "zero-padding":
            pads = ((0, 0), (0, 0), *problem.padding)
            size = tuple(length + sum(pair) for length, pair in zip(problem.input_size, problem.padding, strict=True))
            x, problem = np.pad(x, pads), problem.__class__(**problem.as_dict() | {"input_size": size, "padding": ()})
        plain = centred({"x": x, "weight": weight}, quantization)
        sums = im2col.forward(plain["x"], plain["weight"], bias, problem)
        y = requantize(sums, quantization, self.rounding)
        return y.astype(np.int32) if self.fault == "dtype" else y


def statuses(report):
    return {outcome.case_id.partition("/")[2]: outcome.status for outcome in report.outcomes}


def test_recomputing_finds_nothing(folder):
    assert recompute(folder) == []


@pytest.mark.parametrize("name", ["direct", "sparse", "im2col"])
def test_the_references_pass(name, suite):
    report = check(load_implementation(name), suite, policies=["half-to-even"])
    assert report.passed, [outcome.message for outcome in report.failures]
    assert report.count()["UNSUPPORTED"] == 0


def test_who_takes_no_keywords_is_asked_for_nothing_unusual(suite):
    report = check(Plain(), suite, operations=["forward"])
    assert report.passed
    found = {outcome.family: outcome.status for outcome in report.outcomes}
    assert found["float8-overflow-float8_e5m2-exact"] == found["thin-float32-exact"] == "PASS"
    missing = {family for family, status in found.items() if status == "UNSUPPORTED"}
    assert missing == {
        "float8-saturation-float8_e4m3fn-exact", "float8-nan-float8_e4m3fn-exact",
        "padding-over-kernel-float16-to-float32-exact", "quantized-int8-bytes",
        "quantized-unsigned-uint8-by-int8-bytes",
    }  # fmt: skip


def test_policies_are_counted_over_what_passed_alone(suite):
    assert check(Plain(), suite, operations=["forward"]).policies() == {}


@pytest.mark.parametrize("group", ["ends-int8-*", "ends-unsigned-*"])
def test_sums_that_saturate_in_16_bits_fail(group, suite):
    assert not check(Saturating16(), suite, [group]).passed


@pytest.mark.parametrize(
    ("rounding", "wrong"),
    [
        ("half-to-even", set()),
        ("half-away-from-zero", {"ties"}),
        ("fixed-point-single-rounding", {"ties"}),
        ("fixed-point-double-rounding", {"ties", "double-rounding"}),
    ],
)
def test_another_way_to_round_passes_as_itself_and_fails_the_claim(rounding, wrong, suite):
    layer = Quantised(rounding=rounding)
    assert check(layer, suite, ["quantized*"]).passed
    assert check(layer, suite, ["quantized*"], policies=[rounding]).passed
    claimed = statuses(check(layer, suite, ["quantized*"], policies=["half-to-even"]))
    assert {slug for slug, status in claimed.items() if status == "FAIL"} == wrong


def test_padding_with_zeros_instead_of_the_zero_point_fails(suite):
    found = statuses(check(Quantised("zero-padding"), suite, ["quantized*"]))
    assert {slug for slug, status in found.items() if status == "FAIL"} == {"padded"}


def test_another_dtype_fails(suite):
    assert not check(Quantised("dtype"), suite, ["quantized*"]).passed
