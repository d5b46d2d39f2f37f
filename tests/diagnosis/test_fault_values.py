"""Faults that a single call on fresh dense tensors shows: each on one small example, and not on a plain one."""

from dataclasses import replace

import numpy as np
import pytest
from faulty import Call, both, fill, integers, put, same

from refconv.diagnosis.faults import all_faults, memory
from refconv.diagnosis.faults.base import Fault
from refconv.exact import exact_sum
from refconv.formats import get_format
from refconv.implementations import references
from refconv.quantization import Quantization
from refconv.reference import direct

INF, NAN = np.inf, np.nan
POINT = {"input_size": (1, 1), "kernel_size": (1, 1), "in_channels": 1, "out_channels": 1}
DEEP = {"input_size": (1, 1), "kernel_size": (1, 1), "out_channels": 1}
WIDE = {"kernel_size": (3, 3), "input_size": (6, 7)}
DEPTHWISE = {"in_channels": 4, "out_channels": 8, "groups": 4}
ONE = {"x": 1, "weight": 1, "bias": 0}
LOW_NAN = np.array([0x7F800001], np.uint32).view(np.float32)[0]


def channels(**values):
    """Return an edit that gives the channels of a pointwise layer one value each."""

    def edit(tensors):
        for name, numbers in values.items():
            tensors[name][...] = np.reshape(numbers, tensors[name].shape)

    return edit


def quantized(multiplier=0.5, x_zero=0, w_zero=(0,), y_zero=0, out="int8", scales=None):
    return Quantization(1.0, x_zero, scales or (multiplier,), tuple(w_zero), 1.0, y_zero, out)


def bytes_of(quantization, edit=None, element="int8", **change):
    return Call(element=element, weight_element="int8", quantization=quantization, edit=edit, change=change or None)


PER_CHANNEL = (0.25, 0.5, 1.0, 2.0)
EXAMPLES = {
    "pointwise-stores-run-over": Call(change={"kernel_size": (1, 1), "in_channels": 3, "out_channels": 3}),
    "accumulators-kept-between-images": Call(change={"batch": 2, "in_channels": 9}),
    "half-accumulator-for-few-channels": Call(
        element="float16", change=DEEP | {"in_channels": 3}, edit=channels(x=[2048, 1, 1], weight=[1, 1, 1], bias=0)
    ),
    "grad-bias-added-in-its-format": Call(
        "grad_bias", "float16", edit=fill(grad_output=1), change={"input_size": (50, 50), "kernel_size": (1, 1)}
    ),
    "split-gradient-added-in-half": Call(
        "grad_weight", "bfloat16", change={"input_size": (8, 9), "kernel_size": (1, 1)},
        edit=both(fill(x=1, grad_output=1), put("x", (0, 0, 0), 37)),
    ),
    "depthwise-gradient-added-per-image": Call(
        "grad_weight", "float16",
        edit=both(fill(x=0, grad_output=1), put("x", (slice(2), 0, 0, 0), 1), put("x", (0, 0, 0, 1), 2048)),
        change=DEPTHWISE | {"batch": 3, "kernel_size": (1, 1), "input_size": (3, 5)},
    ),
    "channel-blocks-added-in-half": Call(
        element="bfloat16", change=DEEP | {"in_channels": 32},
        edit=channels(x=[256, 1] + [0] * 14 + [1] + [0] * 15, weight=[1] * 32, bias=0),
    ),
    "bias-added-after-rounding": Call(
        element="bfloat16", change=DEEP | {"in_channels": 2}, edit=channels(x=[256, 1], weight=[1, 1], bias=[-200])
    ),
    "float16-overflows-on-the-way": Call(
        element="float16", change=DEEP | {"in_channels": 2}, edit=channels(x=[40000, 40000], weight=[2, -2], bias=0)
    ),
    "tf32-for-aligned-channels": Call(change={"in_channels": 4}, edit=put("x", (0, 0, 1, 1), 4099)),
    "weights-stored-in-float16": Call(edit=put("weight", 0, 4099)),
    "float64-computed-in-float32": Call(element="float64", edit=put("x", 0, 2**25 + 1)),
    "float64-bias-through-float32": Call(element="float64", edit=fill(bias=2**25 + 1)),
    "result-truncated-to-bfloat16": Call(element="bfloat16", edit=put("x", 0, 171)),
    "float8-rounded-twice": Call(
        element="float8_e4m3fn", change=DEEP | {"in_channels": 2}, edit=channels(x=[15, 1], weight=[20, 0.5], bias=[3]),
    ),
    "widened-from-the-narrow-result": Call(
        element="bfloat16", edit=put("x", 0, 171), keywords={"out_format": "float32"}
    ),
    "winograd-in-float16": Call(element="float16", change=WIDE | {"in_channels": 8}, edit=put("x", (0, 0, 1, 1), 2047)),
    "winograd-of-large-tiles": Call(change=WIDE),
    "fft-for-large-kernels": Call(change={"kernel_size": (5, 5), "input_size": (7, 8)}),
    "three-bfloat16-in-place-of-float32": Call(edit=put("x", (0, 0, 1, 1), INF)),
    "float16-saturates": Call("grad_weight", "float16", edit=fill(x=60000, grad_output=2)),
    "clamped-before-the-bias": Call(
        element="float16", change=POINT, edit=channels(x=[40000], weight=[2], bias=[-40000])
    ),
    "subnormals-flushed": Call(change=POINT, edit=channels(x=[2.0**-140], weight=[1], bias=[0])),
    "subnormal-bias-flushed": Call(change=POINT, edit=channels(x=[0], weight=[1], bias=[2.0**-140])),
    "subnormal-results-wrap": Call(
        element="float16", change=POINT, edit=channels(x=[2.0**-8], weight=[2.0**-8], bias=[0])
    ),
    "float8-ends-in-its-largest": Call(
        element="float8_e4m3fn", change=POINT, edit=channels(x=[32], weight=[32], bias=[0]),
        keywords={"overflow": "nan"},
    ),
    "float8-overflows-before-rounding": Call(
        element="float8_e5m2", change=DEEP | {"in_channels": 2}, edit=channels(x=[57344, 512], weight=[1, 1], bias=[0])
    ),
    "float8-specials-decoded-as-numbers": Call(element="float8_e5m2", edit=put("x", (0, 0, 1, 1), NAN)),
    "gradients-overflow-in-float16": Call("grad_input", edit=put("grad_output", (0, 0, 1, 1), 70000)),
    "every-sum-saturates-in-sixteen-bits": Call(element="int8", edit=fill(x=127, weight=127)),
    "sums-wrap-in-sixteen-bits": Call(element="int8", edit=fill(x=127, weight=127)),
    "sums-wrap-in-eight-bits": Call(element="int8", edit=fill(x=127, weight=127)),
    "pairs-saturate-in16-bits": Call(element="uint8", weight_element="int8", edit=fill(x=255, weight=127)),
    "shifted-pairs-saturate": Call(element="int8", edit=fill(x=127, weight=127)),
    "pairs-wrap-in16-bits": Call(element="int8", change=WIDE, edit=fill(x=-128, weight=-128)),
    "sixteen-bit-sums-of-a-thousand": Call(element="int8", edit=fill(x=127, weight=127)),
    "minus-of-the-lowest-is-itself": Call(element="int8", edit=fill(weight=-128)),
    "low-weights-wrap": Call(element="int8", edit=fill(weight=-100)),
    "unsigned-input-read-as-signed": Call(element="uint8", weight_element="int8", edit=fill(x=200)),
    "sums-through-float32": Call(element="int8", edit=fill(bias=2**24 + 1)),
    "zero-point-added-before-rounding": bytes_of(quantized(y_zero=7)),
    "rounded-toward-zero": bytes_of(quantized(0.25)),
    "clamped-before-zero-point": bytes_of(quantized(4.0, y_zero=-50), fill(x=2, weight=3)),
    "rounded-down": bytes_of(quantized(0.25)),
    "truncated-after-zero-point": bytes_of(quantized(0.25, y_zero=3)),
    "output-zero-point-ignored": bytes_of(quantized(y_zero=3)),
    "zero-point-wraps-after-clamp": bytes_of(quantized(4.0, y_zero=50), fill(x=2, weight=3)),
    "results-wrap-in-bytes": bytes_of(quantized(4.0), fill(x=2, weight=3)),
    "clamped-to-other-sign": bytes_of(quantized(4.0), fill(x=-2, weight=3)),
    "input-zero-point-ignored": bytes_of(quantized(x_zero=3)),
    "input-zero-point-only-in-padding": bytes_of(quantized(x_zero=3)),
    "negative-unsigned-results-mirrored": bytes_of(quantized(out="uint8")),
    "padded-with-byte-zero": bytes_of(quantized(x_zero=3), padding=((1, 0), (0, 0))),
    "zero-point-wraps-in-bytes": bytes_of(quantized(2.0**-7, x_zero=-100), fill(x=100)),
    "correction-of-first-group": bytes_of(quantized(x_zero=3), **DEPTHWISE),
    "weight-zero-point-of-first-channel": bytes_of(quantized(w_zero=(0, 1, 2, 3), scales=(0.5,) * 4)),
    "weight-zero-point-by-input-channel": bytes_of(quantized(w_zero=(0, 1, 2, 3), scales=(0.5,) * 4)),
    "weight-zero-point-ignored": bytes_of(quantized(w_zero=(2,))),
    "bytes-of-channel-padding-count": bytes_of(quantized(x_zero=1, w_zero=(2,)), in_channels=5),
    "groups-share-one-vector": bytes_of(quantized(), **DEPTHWISE),
    "scale-of-first-channel": bytes_of(quantized(scales=PER_CHANNEL)),
    "scale-of-group": bytes_of(quantized(scales=PER_CHANNEL), in_channels=4, groups=2),
    "scale-by-batch": bytes_of(quantized(scales=PER_CHANNEL)),
    "scale-within-group": bytes_of(quantized(scales=PER_CHANNEL), in_channels=4, groups=2),
    "scale-of-input-channel": bytes_of(quantized(scales=PER_CHANNEL), in_channels=2, groups=2),
    "multiplier-of-sixteen-bits": bytes_of(quantized(2**-16 + 2**-34), fill(bias=2**15 * 101, x=0)),
    "multiplier-in-float32": bytes_of(
        Quantization(1 + 2**-20, 0, (1 - 2**-20,), (0,), 2.0, 0, "int8"), fill(x=0, bias=3)
    ),
    "sums-scaled-in-float32": bytes_of(quantized(2.0**-25), fill(bias=2**24 * 5 + 1, x=0)),
    "bias-in-units-of-the-result": bytes_of(quantized(0.25)),
    "bias-scaled-by-first-channel": bytes_of(quantized(scales=PER_CHANNEL)),
    "nan-clamped-to-lowest": Call(edit=put("x", (0, 0, 1, 1), NAN)),
    "nan-rectified": Call(bias=False, edit=put("x", (0, 0, 1, 1), NAN)),
    "zero-weights-skipped": Call(edit=both(fill(weight=0), put("x", (0, 0, 1, 1), INF))),
    "zero-activations-skipped": Call(edit=both(fill(x=0), put("weight", (0, 0, 1, 1), INF))),
    "first-infinity-wins": Call(edit=both(fill(weight=1), put("x", (0, 0, 1, 1), INF), put("x", (0, 0, 1, 2), -INF))),
    "nan-leaks-from-the-next-column": Call(element="bfloat16", edit=put("x", (0, 0, 0, 0), NAN)),
    "small-bias-taken-for-none": Call(edit=fill(bias=NAN)),
    "non-finite-gradients-cleared": Call("grad_weight", edit=put("x", (0, 0, 1, 1), INF)),
    "truncation-turns-nan-into-infinity": Call(edit=put("x", (0, 0, 1, 1), LOW_NAN)),
    "accumulator-returned": Call(element="bfloat16", edit=put("x", 0, 171)),
    "only-first-tap-in-bfloat16": Call(element="bfloat16", change={"in_channels": 1, "out_channels": 1}),
    "odd-product-missing-in-bfloat16": Call(element="bfloat16", change={"kernel_size": (3, 3)}),
    "channel-tail-shares-its-exponent": Call(element="bfloat16", edit=put("x", (0, 0), 255)),
    "odd-width-halves-split": Call(element="float16", change={"input_size": (5, 7)}),
    "relu-six-left-on": Call(change=DEPTHWISE),
}  # fmt: skip
VALUES = [slug for slug, fault in all_faults().items() if fault.shows_by == "values"]
PLAIN_CALLS = [Call(operation) for operation in ("forward", "grad_input", "grad_weight", "grad_bias")]


def test_every_fault_that_shows_by_its_values_has_an_example():
    assert sorted(EXAMPLES) == sorted(VALUES)


@pytest.mark.parametrize("slug", VALUES)
def test_a_fault_is_wrong_on_its_example(slug):
    call = EXAMPLES[slug]
    assert not same(call.run(all_faults()[slug]()), call.truth())
    assert call.operation in all_faults()[slug].operations


@pytest.mark.parametrize("slug", [slug for slug in VALUES if EXAMPLES[slug].quantization is None])
def test_what_it_is_compared_with_is_the_exact_value_rounded_once(slug):
    call, truth = EXAMPLES[slug], EXAMPLES[slug].truth()
    with np.errstate(invalid="ignore"):  # one NaN is signalling
        exact = exact_sum(call.operation, call.tensors(), call.problem, direct)
    overflow = (call.keywords or {}).get("overflow", "infinity" if get_format(truth.dtype).has_infinity else "nan")
    overflow = None if truth.dtype.kind == "i" else overflow
    assert same(exact.round(get_format(truth.dtype), overflow), truth)


@pytest.mark.parametrize("slug", [slug for slug in VALUES if EXAMPLES[slug].quantization is not None])
def test_what_a_quantised_fault_is_compared_with_is_what_the_references_say(slug):
    assert same(EXAMPLES[slug].run(references.direct()), EXAMPLES[slug].truth())


@pytest.mark.parametrize("slug", list(all_faults()))
def test_a_fault_is_right_where_nothing_triggers_it(slug, monkeypatch):
    monkeypatch.setattr(memory, "uninitialised", np.zeros)
    for call in PLAIN_CALLS:
        first = slug == "autotuned-into-result" and call.operation == "grad_weight"  # its very first call is wrong
        assert first or same(call.run(all_faults()[slug]()), call.truth())


@pytest.mark.parametrize("call", PLAIN_CALLS, ids=lambda call: call.operation)
def test_the_base_is_right(call):
    exact = exact_sum(call.operation, call.tensors(), call.problem, direct)
    assert same(call.run(Fault()), exact.round(get_format("float32")))


def test_examples_hold_no_zeros_unless_they_say_so():
    assert integers((3, 4), np.int8).all()


def test_narrow_results_saturate_where_that_is_asked_for():
    call = Call(element="float8_e4m3fn", edit=fill(x=8, weight=8, bias=1), keywords={"overflow": "saturate"})
    assert same(call.truth(), np.full(call.problem.y_shape, 448))
    assert not same(replace(call, keywords=None).truth(), call.truth())


@pytest.mark.parametrize(
    ("slug", "element", "edit"),
    [
        ("subnormals-flushed", "float64", fill(x=2.0**-130, bias=0)),
        ("truncation-turns-nan-into-infinity", "float16", put("x", 0, NAN)),
    ],
)
def test_a_fault_of_float32_leaves_other_formats_alone(slug, element, edit):
    call = Call(element=element, edit=edit)
    assert same(call.run(all_faults()[slug]()), call.truth())
