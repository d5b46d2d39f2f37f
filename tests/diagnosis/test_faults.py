"""Faults that no single call on fresh dense tensors shows: what is done to see each, and that it shows."""

import re

import numpy as np
import pytest
from faulty import Call, problem_of, same

from refconv.diagnosis.faults import all_faults, memory
from refconv.diagnosis.faults.base import SHOWS_BY, Fault
from refconv.diagnosis.faults.layout import memory_behind
from refconv.problem import OPERATIONS
from refconv.quantization import Quantization

FAULTS = all_faults()
POINT = {"kernel_size": (1, 1)}
PADDED = {"padding": ((1, 0), (0, 2))}
HALF = Quantization(1.0, 3, (0.5,), (0,), 1.0, 0, "int8")


def slugs(shows_by):
    return [slug for slug, fault in FAULTS.items() if fault.shows_by == shows_by]


@pytest.mark.parametrize("slug", list(FAULTS))
def test_a_fault_says_what_is_wrong_what_it_usually_means_and_where_it_was_met(slug):
    fault = FAULTS[slug]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert re.fullmatch(r"[^\n]+[^.]\.", fault.summary())
    assert re.fullmatch(r"[^\n]+[^.]\.", fault.usually)
    assert re.fullmatch(r"https://github\.com/[^/ ]+/[^/ ]+/(issues|pull)/\d+|[^.]\S+ .*[^.]", fault.source)
    assert fault.shows_by in SHOWS_BY
    assert set(fault.operations) <= set(OPERATIONS)
    assert fault().name == slug


def test_there_are_faults_of_every_kind():
    assert len(FAULTS) >= 100
    assert all(slugs(kind) for kind in SHOWS_BY)


MUTATION = {
    "weight-relaid-in-place": (Call(), "weight"),
    "input-centred-in-place": (Call(element="int8", quantization=HALF), "x"),
    "border-zeroed-in-place": (Call("grad_input", change=PADDED), "grad_output"),
    "pointwise-computed-in-place": (Call(change=POINT | {"out_channels": 3}), "x"),
}


@pytest.mark.parametrize("slug", slugs("mutation"))
def test_a_right_result_and_a_changed_input(slug):
    call, name = MUTATION[slug]
    tensors, before = call.tensors(), call.tensors()
    assert same(call.run(FAULTS[slug](), tensors), call.truth())
    assert [key for key in tensors if not same(tensors[key], before[key])] == [name]


def ones(tensors):
    tensors["weight"][...] = 1


def test_a_layer_without_effect_returns_its_input():
    call = Call(bias=False, edit=ones, change=POINT | {"out_channels": 3, "groups": 3})
    tensors = call.tensors()
    result = call.run(FAULTS["no-operation-returns-its-input"](), tensors)
    assert same(result, call.truth())
    assert np.shares_memory(result, tensors["x"])


@pytest.mark.parametrize(
    ("slug", "change"), [("result-buffer-shared", {}), ("result-is-part-of-largest-buffer", {"input_size": (4, 5)})]
)
def test_a_second_call_overwrites_the_first_result(slug, change):
    fault, first = FAULTS[slug](), Call()
    result = first.run(fault)
    assert same(result, first.truth())
    Call(seed=1, change=change).run(fault)
    assert not same(result, first.truth())


def last(tensor, axis=1):
    """Lay a tensor out with this axis last in memory."""
    return np.moveaxis(np.moveaxis(tensor, axis, -1).copy(), -1, axis)  # a copy: strides of length-one axes, too


def sliced(tensor):
    """Make a tensor a slice of channels of a channels-last one."""
    return last(np.concatenate([tensor, tensor + 1], axis=1))[:, : tensor.shape[1]]


def behind(tensor):
    """Make a tensor channels last, behind other memory."""
    flat = np.concatenate([np.full(7, 99, tensor.dtype), np.moveaxis(tensor, 1, -1).ravel()])
    N, C, H, W = tensor.shape
    return flat[7:].reshape(N, H, W, C).transpose(0, 3, 1, 2)


def every_other(tensor):
    return np.repeat(tensor, 2, axis=-1)[..., ::2]


def spread(tensor):
    return np.broadcast_to(tensor[:1, :1, :1, :1].copy(), tensor.shape)


def far_apart(tensor):
    """Give a single row a stride that means nothing."""
    return np.lib.stride_tricks.as_strided(tensor, strides=(*tensor.strides[:2], 4 * 999, tensor.strides[3]))


LAYOUTS = {
    "weight-strides-ignored": ("forward", "weight", every_other, {}),
    "transposed-weight-misread-backwards": ("grad_input", "weight", last, {}),
    "channel-slice-taken-for-packed": ("forward", "x", sliced, {}),
    "offset-of-channels-last-ignored": ("forward", "x", behind, {}),
    "grad-output-strides-ignored": ("grad_weight", "grad_output", every_other, {}),
    "expanded-grad-output-read": ("grad_input", "grad_output", spread, {}),
    "one-channel-is-ambiguous": ("forward", "weight", last, {"in_channels": 1}),
    "strides-of-singletons-trusted": ("forward", "x", far_apart, {"input_size": (1, 6), "kernel_size": (1, 2)}),
    "fortran-order-misread": ("forward", "x", np.asfortranarray, {}),
    "reversed-view-read-forwards": ("forward", "x", lambda tensor: tensor[..., ::-1].copy()[..., ::-1], {}),
}


@pytest.mark.parametrize("slug", slugs("layout"))
def test_equal_numbers_that_lie_otherwise_in_memory(slug):
    operation, name, lay, change = LAYOUTS[slug]
    call, fault = Call(operation, change=change), FAULTS[slug]()
    dense = call.tensors() | ({name: np.array(spread(call.tensors()[name]))} if lay is spread else {})
    assert same(call.run(fault, dense), call.run(Fault(), dense))
    strided = dense | {name: lay(dense[name])}
    assert same(strided[name], dense[name])
    assert not same(call.run(fault, strided), call.run(Fault(), dense))
    assert same(call.run(Fault(), strided), call.run(Fault(), dense))


def test_memory_is_read_from_the_first_element_on_and_is_zero_behind_its_end():
    assert memory_behind(np.arange(6).reshape(2, 3)[1:, 1:], 3).tolist() == [4, 5, 0]


def again(operation, calls=1, **call):
    """Return calls with other tensors each time."""
    return [Call(operation, seed=seed, **call) for seed in range(calls + 1)]


SEQUENCES = {
    "packed-weights-kept-by-shape": again("forward"),
    "plan-key-lacks-dilation": [
        Call(change={"kernel_size": (1, 3), "dilation": (1, d), "padding": ((0, 0), (d, d))}) for d in (1, 2)
    ],
    "plan-key-has-total-padding": [Call(change={"padding": ((0, 0), pads)}) for pads in ((1, 0), (0, 1))],
    "program-key-lacks-groups": [Call(change={"in_channels": 4, "groups": groups}) for groups in (1, 2)],
    "algorithm-kept-by-input-shape": [Call(change=POINT), Call()],
    "precision-kept-by-shape": [
        Call(), Call(element="float64", edit=lambda tensors: tensors["x"].__setitem__(0, 2**25 + 1))
    ],
    "bias-still-bound": [Call(), Call(bias=False)],
    "multipliers-prepared-once": [
        Call(element="int8", quantization=Quantization(1.0, 0, (scale,), (0,), 1.0, 0, "int8")) for scale in (0.5, 2.0)
    ],
    "padded-scratch-keeps-old-pixels": [Call(change={"input_size": (6, 8)}), Call(change=PADDED)],
    "reduction-tail-holds-old-products": [
        Call("grad_weight", change={"input_size": size}) for size in ((6, 7), (4, 5))
    ],
    "gradients-add-up": again("grad_weight"),
    "gradient-takes-last-forward-input": [Call(), Call("grad_weight", seed=1)],
    "gradient-takes-last-forward-weight": [Call(), Call("grad_input", seed=1)],
    "graph-replays-recorded-inputs": again("forward", 2),
    "every-eighth-call-stale": again("forward", 7),
}  # fmt: skip
IN_PLACE = {"packed-weights-kept-by-address": 0, "packed-weights-kept-by-two-samples": 1}


@pytest.mark.parametrize("slug", list(SEQUENCES))
def test_the_last_of_several_calls_is_wrong_and_would_be_right_alone(slug):
    fault, calls = FAULTS[slug](), SEQUENCES[slug]
    assert all(same(call.run(fault), call.truth()) for call in calls[:-1])
    assert not same(calls[-1].run(fault), calls[-1].truth())
    assert same(calls[-1].run(FAULTS[slug]()), calls[-1].truth())
    assert calls[-1].operation in FAULTS[slug].operations


@pytest.mark.parametrize("slug", list(IN_PLACE))
def test_weights_that_are_updated_in_place(slug):
    fault, call = FAULTS[slug](), Call()
    tensors = call.tensors()
    assert same(call.run(fault, tensors), call.truth())
    tensors["weight"].flat[IN_PLACE[slug]] += 10
    assert not same(call.run(fault, tensors), call.run(Fault(), tensors))
    assert same(Call(seed=1).run(fault), Call(seed=1).truth())


def test_two_samples_notice_what_one_address_does_not():
    fault, call = FAULTS["packed-weights-kept-by-two-samples"](), Call()
    tensors = call.tensors()
    call.run(fault, tensors)
    tensors["weight"].flat[0] += 10
    assert same(call.run(fault, tensors), call.run(Fault(), tensors))


def test_the_first_call_is_wrong_and_the_second_is_right():
    fault, call = FAULTS["autotuned-into-result"](), Call("grad_weight")
    assert not same(call.run(fault), call.truth())
    assert same(call.run(fault), call.truth())


def test_every_fault_that_shows_in_repetition_has_a_sequence():
    assert sorted([*SEQUENCES, *IN_PLACE, "autotuned-into-result"]) == sorted(slugs("repeat"))


POISON = {
    "leftover-gradient-uninitialised": Call("grad_input", change={"stride": (2, 4)}),
    "empty-batch-gradient-uninitialised": Call("grad_weight", change={"batch": 0}),
    "split-gradient-uninitialised": Call("grad_weight", change={"input_size": (40, 41)}),
    "channel-padding-uninitialised": Call(),
    "padded-border-uninitialised": Call(change=PADDED),
    "winograd-weights-uninitialised": Call(change={"kernel_size": (3, 3)}),
}


@pytest.mark.parametrize("slug", slugs("poison"))
def test_what_was_in_memory_before_shows_in_the_result(slug, monkeypatch):
    call = POISON[slug]
    monkeypatch.setattr(memory, "uninitialised", np.zeros)
    assert same(call.run(FAULTS[slug]()), call.truth())
    monkeypatch.setattr(memory, "uninitialised", lambda shape, dtype: np.full(shape, np.nan, dtype))
    assert not same(call.run(FAULTS[slug]()), call.truth())


DTYPES = {
    "integers-returned-as-float": Call(element="int8"),
    "float32-raised": Call(),
    "gradient-takes-bias-format": Call("grad_bias", "float16"),
}


@pytest.mark.parametrize("slug", slugs("dtype"))
def test_the_numbers_are_right_and_the_dtype_is_not(slug):
    call = DTYPES[slug]
    result, truth = call.run(FAULTS[slug]()), call.truth()
    assert same(result, truth)
    assert result.dtype != truth.dtype


def test_plain_problems_are_not_symmetric():
    problem = problem_of()
    assert len({problem.in_channels, problem.out_channels, *problem.input_size}) == 4
