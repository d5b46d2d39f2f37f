"""Check names the bugs of 8-bit layers that a stranger wrote in plain NumPy, of which no model is made."""

from pathlib import Path

import numpy as np
import pytest
from faulty import Call, same

from refconv import load_suite
from refconv.check import check
from refconv.diagnosis import causes, with_causes
from refconv.diagnosis.bugs import can_be_diagnosed
from refconv.diagnosis.faults import integer_faults
from refconv.diagnosis.suspects import suspects
from refconv.quantization import Quantization

ROOT = Path(__file__).parents[2]
BYTES = ["quantized-*"]
ENDS = ["ends-*int8*"]
LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}


class Stranger:
    """A quantised convolution as one writes it for a small processor; each method is a place to go wrong."""

    def filled(self, q):
        return q.x_zero_point

    def input_zero(self, q):
        return q.x_zero_point

    def weight_zero(self, q, k):
        zeros = q.weight_zero_point
        return zeros[k] if len(zeros) > 1 else zeros[0]

    def scale(self, q, k, image, problem):
        return q.weight_scale[k] if len(q.weight_scale) > 1 else q.weight_scale[0]

    def dot(self, window, kernel):
        return int((window * kernel).sum())

    def add_bias(self, total, bias):
        return total + bias

    def finish(self, real, zero, low, high):
        return min(max(round(real) + zero, low), high)

    def first(self, position, stride):
        return position * stride

    def quantized_forward(self, x, weight, bias, quantization, problem):
        q, y = quantization, np.zeros(problem.y_shape, quantization.out_format)
        pads = [(0, 0), (0, 0), *problem.padding]
        wide = np.pad(x.astype(np.int64), pads, constant_values=self.filled(q)) - self.input_zero(q)
        (sH, sW), (dH, dW), (kH, kW) = problem.stride, problem.dilation, problem.kernel_size
        per_group, outputs = weight.shape[1], len(weight) // problem.groups
        for n, k, i, j in np.ndindex(y.shape):
            begin = k // outputs * per_group
            top, left = self.first(i, sH), self.first(j, sW)
            rows, columns = top + dH * np.arange(kH), left + dW * np.arange(kW)
            window = wide[n, begin : begin + per_group][:, rows][:, :, columns]
            total = self.dot(window, weight[k].astype(np.int64) - self.weight_zero(q, k))
            if bias is not None:
                total = self.add_bias(total, int(bias[k]))
            real = total * (q.x_scale * self.scale(q, k, n, problem) / q.y_scale)
            value = self.finish(real, q.y_zero_point, *LIMITS[q.out_format])
            y[n, k, i, j] = np.array(value).astype(y.dtype)
        return y


def saturated(value):
    return min(max(int(value), -(2**15)), 2**15 - 1)


def short(value):
    return int(np.array(value).astype(np.int16))


def byte(value):
    return int(np.array(value).astype(np.int8))


def step_by_step(self, window, kernel):
    total = 0
    for a, b in zip(window.ravel(), kernel.ravel(), strict=True):
        total = saturated(total + int(a) * int(b))
    return total


def first_of_group(self, q, k, image, problem):
    return q.weight_scale[k % (problem.out_channels // problem.groups) % len(q.weight_scale)]


def of_group(self, q, k, image, problem):
    return q.weight_scale[(k // (problem.out_channels // problem.groups)) % len(q.weight_scale)]


def of_input_channel(self, q, k, image, problem):
    depthwise = problem.groups == problem.in_channels > 1
    return (of_group if depthwise else Stranger.scale)(self, q, k, image, problem)


class AddsBiasLate(Stranger):
    def add_bias(self, total, bias):
        self.late = bias
        return total

    def finish(self, real, zero, low, high):
        return super().finish(real + getattr(self, "late", 0), zero, low, high)

    def quantized_forward(self, x, weight, bias, quantization, problem):
        self.late = 0
        return super().quantized_forward(x, weight, bias, quantization, problem)


class CorrectsByFirstGroup(Stranger):
    """Multiplies bytes, zero points in the padding too, and takes off what it knows of each kernel in advance."""

    def input_zero(self, q):
        return 0

    def quantized_forward(self, x, weight, bias, quantization, problem):
        zeros = np.resize(quantization.weight_zero_point, len(weight)).reshape(-1, 1, 1, 1)
        kernels = (weight.astype(np.int64) - zeros).sum(axis=(1, 2, 3))
        own = np.arange(len(weight)) % (len(weight) // problem.groups)
        start = (0 if bias is None else bias) - quantization.x_zero_point * kernels[own]
        return super().quantized_forward(x, weight, start, quantization, problem)


def stranger(base=Stranger, **methods):
    return type("Mine", (base,), methods)()


BUGS = {
    "input-zero-point-ignored": stranger(input_zero=lambda self, q: 0, filled=lambda self, q: 0),
    "input-zero-point-only-in-padding": stranger(input_zero=lambda self, q: 0),
    "padded-with-byte-zero": stranger(filled=lambda self, q: 0),
    "correction-of-first-group": CorrectsByFirstGroup(),
    "weight-zero-point-ignored": stranger(weight_zero=lambda self, q, k: 0),
    "weight-zero-point-of-first-channel": stranger(weight_zero=lambda self, q, k: q.weight_zero_point[0]),
    "every-sum-saturates-in-sixteen-bits": stranger(dot=step_by_step),
    "sums-wrap-in-sixteen-bits": stranger(dot=lambda self, window, kernel: short((window * kernel).sum())),
    "sums-wrap-in-eight-bits": stranger(dot=lambda self, window, kernel: byte((window * kernel).sum())),
    "result-saturated-to-int16": stranger(add_bias=lambda self, total, bias: saturated(total + bias)),
    "result-wrapped-to-int16": stranger(add_bias=lambda self, total, bias: short(total + bias)),
    "rounded-toward-zero": stranger(finish=lambda self, real, zero, low, high: min(max(int(real) + zero, low), high)),
    "rounded-down": stranger(
        finish=lambda self, real, zero, low, high: min(max(int(np.floor(real)) + zero, low), high)
    ),
    "truncated-after-zero-point": stranger(
        finish=lambda self, real, zero, low, high: min(max(int(real + zero), low), high)
    ),
    "zero-point-added-before-rounding": stranger(
        finish=lambda self, real, zero, low, high: min(max(round(real + zero), low), high)
    ),
    "clamped-before-zero-point": stranger(
        finish=lambda self, real, zero, low, high: min(max(min(max(round(real), low), high) + zero, low), high)
    ),
    "zero-point-wraps-after-clamp": stranger(
        finish=lambda self, real, zero, low, high: min(max(round(real), low), high) + zero
    ),
    "results-wrap-in-bytes": stranger(finish=lambda self, real, zero, low, high: round(real) + zero),
    "clamped-to-other-sign": stranger(
        finish=lambda self, real, zero, low, high: min(max(round(real) + zero, low ^ -128), high ^ 128)
    ),
    "output-zero-point-ignored": stranger(finish=lambda self, real, zero, low, high: min(max(round(real), low), high)),
    "scale-of-first-channel": stranger(scale=lambda self, q, k, image, problem: q.weight_scale[0]),
    "scale-within-group": stranger(scale=first_of_group),
    "scale-of-group": stranger(scale=of_group),
    "scale-of-input-channel": stranger(scale=of_input_channel),
    "bias-in-units-of-the-result": stranger(AddsBiasLate),
    "bias-ignored": stranger(add_bias=lambda self, total, bias: total),
    "stride-ignored": stranger(first=lambda self, position, stride: position),
    "kernel-flipped": stranger(dot=lambda self, window, kernel: int((window * kernel[:, ::-1, ::-1]).sum())),
}


@pytest.fixture(scope="module")
def core():
    return load_suite(ROOT / "vectors" / "core")


@pytest.fixture
def fewer(monkeypatch):
    """Ask the faults of integers and every eighth defect alone, which is quicker."""
    some = {slug: model for place, (slug, model) in enumerate(suspects().items()) if not place % 8}
    monkeypatch.setattr(
        causes, "suspects", lambda: some | {slug: suspects()[slug] for slug in (*BUGS, *integer_faults())}
    )


def judged(layer, suite, select=BYTES):
    return with_causes(check(layer, suite, select, ["forward"], thorough=False), suite, seconds=60)


def assert_named(slug, report):
    assert {o.case_id for o in report.failures} == {case_id for cause in report.causes for case_id, _ in cause.failures}
    assert all(slug in (cause.defect, *cause.equals) for cause in report.causes)
    assert not any(cause.contradicted for cause in report.causes)


def test_a_right_layer_has_no_causes(core):
    report = judged(Stranger(), core)
    assert report.passed
    assert report.causes == ()


@pytest.mark.parametrize("slug", BUGS)
def test_a_bug_of_a_quantised_layer_is_named(slug, core, fewer):
    report = judged(BUGS[slug], core)
    assert report.failures
    assert_named(slug, report)


def test_a_correction_is_the_same_over_image_and_padding():
    change = {"in_channels": 6, "groups": 2, "padding": ((1, 0), (2, 1))}
    quantization = Quantization(1.0, 3, (0.25,), (1,), 1.0, -2, "int8")
    call = Call(element="int8", weight_element="int8", quantization=quantization, change=change)
    expected = call.run(CorrectsByFirstGroup())
    assert same(call.run(integer_faults()["correction-of-first-group"]()), expected)
    assert not same(call.truth(), expected)


def test_a_diagnosis_is_not_said_to_tell_more_of_a_quantised_layer(core):
    report = check(stranger(scale=lambda self, q, k, image, problem: 9.0), core, BYTES, ["forward"], thorough=False)
    assert report.failures
    assert not any(can_be_diagnosed(outcome, core) for outcome in report.failures)


def test_one_is_named_among_all(core):
    assert_named("rounded-down", judged(BUGS["rounded-down"], core))


@pytest.mark.parametrize(
    "round_one", [lambda real: np.floor(real + 0.5), lambda real: np.trunc(real + np.copysign(0.5, real))]
)
def test_what_else_is_wrong_is_named_whatever_the_rounding_of_ties(round_one, core, fewer):
    def finish(self, real, zero, low, high):
        return min(max(int(round_one(real)), low), high)

    assert judged(
        stranger(finish=lambda self, real, zero, low, high: min(max(int(round_one(real)) + zero, low), high)), core
    ).passed
    report = judged(stranger(finish=finish), core)
    assert "quantized-int8-bytes/ties" in {outcome.case_id for outcome in report.failures}
    assert_named("output-zero-point-ignored", report)


class Accumulates:
    """Bytes into int32, by a loop over channels, rows and columns with its own idea of an addition."""

    def __init__(self, add):
        self.add = add

    def forward(self, x, weight, bias, problem):
        y = np.zeros(problem.y_shape, np.int64)
        wide = np.pad(x.astype(np.int64), [(0, 0), (0, 0), *problem.padding])
        (sH, sW), (dH, dW), (oH, oW) = problem.stride, problem.dilation, problem.output_size
        K, Cg, kH, kW = weight.shape
        for k, c, i, j in np.ndindex(K, Cg, kH, kW):
            plane = wide[:, k // (K // problem.groups) * Cg + c, i * dH :, j * dW :]
            seen = plane[:, : (oH - 1) * sH + 1 : sH, : (oW - 1) * sW + 1 : sW]
            y[:, k] = self.add(y[:, k] + seen * int(weight[k, c, i, j]))
        return (y if bias is None else y + bias.reshape(-1, 1, 1)).astype(np.int32)


ADDITIONS = {
    "every-sum-saturates-in-sixteen-bits": lambda total: total.clip(-(2**15), 2**15 - 1),
    "sums-wrap-in-sixteen-bits": lambda total: total.astype(np.int16).astype(np.int64),
    "sums-wrap-in-eight-bits": lambda total: total.astype(np.int8).astype(np.int64),
}


@pytest.mark.parametrize("slug", ADDITIONS)
def test_narrow_sums_are_named_where_bytes_become_int32(slug, core, fewer):
    assert judged(Accumulates(lambda total: total), core, ENDS).passed
    report = judged(Accumulates(ADDITIONS[slug]), core, ENDS)
    assert len(report.failures) > 2
    assert_named(slug, report)
