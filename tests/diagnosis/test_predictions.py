"""Defects do what they say: each equals the seven loops on tensors or parameters with that very bug."""

from dataclasses import replace

import numpy as np
import pytest
from problems import integer_tensors

from refconv import ConvProblem
from refconv.diagnosis import all_defects
from refconv.diagnosis.predict import fits
from refconv.diagnosis.probes import probe_named
from refconv.reference import direct

# end pads enough for any window that leaves the image; the output is cropped
PROBLEM = ConvProblem(batch=2, in_channels=6, out_channels=4, groups=2, input_size=(9, 8), kernel_size=(3, 2),
                      stride=(2, 1), dilation=(1, 2), padding=((1, 0), (2, 1)))  # fmt: skip
TENSORS = integer_tensors(PROBLEM)
FAR = 20


def loops(x=None, weight=None, begin=(1, 2), bias=True, **changed):
    """Run the seven loops on other inputs or parameters, and crop."""
    x, weight = (TENSORS["x"] if x is None else x), (TENSORS["weight"] if weight is None else weight)
    padding = tuple((pad, FAR) for pad in begin)
    problem = replace(PROBLEM, input_size=x.shape[2:], kernel_size=weight.shape[2:], padding=padding, **changed)
    y = direct.forward(x, weight, TENSORS["bias"] if bias else None, problem)
    return y[:, :, : PROBLEM.output_size[0], : PROBLEM.output_size[1]]


def padded(**how):
    return loops(np.pad(TENSORS["x"], ((0, 0), (0, 0), *PROBLEM.padding), **how), begin=(0, 0))


X, W = TENSORS["x"], TENSORS["weight"]
BUGS = {
    "kernel-flipped": lambda: loops(weight=W[:, :, ::-1, ::-1]),
    "kernel-rows-flipped": lambda: loops(weight=W[:, :, ::-1]),
    "kernel-columns-flipped": lambda: loops(weight=W[..., ::-1]),
    "kernel-transposed": lambda: loops(weight=W.reshape(4, 3, 2, 3).swapaxes(2, 3)),
    "input-transposed": lambda: loops(X.reshape(2, 6, 8, 9).swapaxes(2, 3)),
    "input-channels-last": lambda: loops(X.reshape(2, 9, 8, 6).transpose(0, 3, 1, 2)),
    "batch-and-channels-exchanged": lambda: loops(X.reshape(6, 2, 9, 8).swapaxes(0, 1)),
    "weight-in-fortran-order": lambda: loops(weight=W.ravel().reshape(W.shape, order="F")),
    "weight-inputs-first": lambda: loops(weight=W.reshape(3, 4, 3, 2).swapaxes(0, 1)),
    "weight-inputs-last": lambda: loops(weight=W.reshape(4, 3, 2, 3).transpose(0, 3, 1, 2)),
    "weight-taps-first": lambda: loops(weight=W.reshape(3, 2, 3, 4).transpose(3, 2, 0, 1)),
    "stride-axes-swapped": lambda: loops(stride=(1, 2)),
    "stride-of-height-for-both": lambda: loops(stride=(2, 2)),
    "stride-of-width-for-both": lambda: loops(stride=(1, 1)),
    "stride-ignored": lambda: loops(stride=(1, 1)),
    "stride-and-dilation-exchanged": lambda: loops(stride=(1, 2), dilation=(2, 1)),
    "stride-multiplied-by-dilation": lambda: loops(stride=(2, 2)),
    "dilation-ignored": lambda: loops(dilation=(1, 1)),
    "dilation-axes-swapped": lambda: loops(dilation=(2, 1)),
    "dilation-of-height-for-both": lambda: loops(dilation=(1, 1)),
    "dilation-of-width-for-both": lambda: loops(dilation=(2, 2)),
    "dilation-one-too-large": lambda: loops(dilation=(2, 3)),
    "padding-ignored": lambda: loops(begin=(0, 0)),
    "padding-ends-swapped": lambda: loops(begin=(0, 1)),
    "padding-axes-swapped": lambda: loops(begin=(2, 1)),
    "padding-of-height-for-both": lambda: loops(begin=(1, 1)),
    "padding-of-width-for-both": lambda: loops(begin=(2, 2)),
    "padding-split-evenly": lambda: loops(begin=(0, 1)),
    "padding-replicated": lambda: padded(mode="edge"),
    "padding-reflected": lambda: padded(mode="reflect"),
    "padding-wrapped": lambda: padded(mode="wrap"),
    "padding-of-ones": lambda: padded(constant_values=1),
    "window-too-early": lambda: loops(begin=(2, 3)),
    "window-too-late": lambda: loops(begin=(0, 1)),
    "even-kernel-too-early": lambda: loops(begin=(1, 3)),
    "even-kernel-too-late": lambda: loops(begin=(1, 1)),
    "windows-aligned-to-end": lambda: loops(begin=(0, 2)),  # 9 + 1 - 3 = 7 rows, one is left over
    "same-padding-assumed": lambda: loops(begin=(1, 1)),
    "group-offset-ignored": lambda: loops(np.tile(X[:, :3], (1, 2, 1, 1))),
    "groups-interleaved": lambda: loops(X[:, [0, 2, 4, 1, 3, 5]]),
    "weights-of-first-group": lambda: loops(weight=W[[0, 1, 0, 1]]),
    "outputs-shuffled": lambda: loops()[:, [0, 2, 1, 3]],
    "first-image-for-all": lambda: loops(X[[0, 0]]),
    "images-reversed": lambda: loops(X[::-1]),
    "bias-ignored": lambda: loops(bias=False),
    "bias-twice": lambda: 2 * loops() - loops(bias=False),
    "bias-subtracted": lambda: 2 * loops(bias=False) - loops(),
    "bias-per-tap": lambda: 6 * loops() - 5 * loops(bias=False),
    "bias-per-channel": lambda: 3 * loops() - 2 * loops(bias=False),
    "negative-results-clipped": lambda: loops().clip(0),
}


def test_the_loops_themselves_are_right():
    np.testing.assert_array_equal(loops(), direct.forward(X, W, TENSORS["bias"], PROBLEM))


@pytest.mark.parametrize("slug", BUGS)
def test_a_defect_does_what_it_says(slug):
    got = all_defects()[slug]().forward(X, W, TENSORS["bias"], PROBLEM)
    np.testing.assert_array_equal(got, BUGS[slug]())


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        # x has 1 row of 5, the kernel 1x3, stride 2: windows 0-2 and 2-4 overlap in x[2]
        ("grad-input-last-tap-wins", [20, 30, 50, 21, 35]),
        ("grad-input-last-window-wins", [20, 30, 14, 21, 35]),
        ("grad-input-not-flipped", [50, 30, 20 + 35, 21, 14]),
        ("grad-input-stride-ignored", [20, 30 + 14, 50 + 21, 35, 0]),
        ("grad-input-stride-too-large", [20, 30, 50, 14, 21]),
        ("gradients-lost", [0, 0, 0, 0, 0]),
    ],
)
def test_defects_of_grad_input_worked_by_hand(slug, expected):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 5), kernel_size=(1, 3), stride=(1, 2))
    gradient = all_defects()[slug]().grad_input(np.array([[[[10, 7]]]]), np.array([[[[2, 3, 5]]]]), problem)
    assert gradient.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("grad-weight-of-first-image", [10 + 300, 20 + 400]),
        ("grad-weight-of-last-image", [50 + 700, 60 + 800]),
        ("grad-weight-flipped", [20 + 400 + 60 + 800, 10 + 300 + 50 + 700]),
        ("grad-weight-stride-ignored", [10 + 200 + 50 + 600, 20 + 300 + 60 + 700]),
        ("gradients-divided-by-batch", [530, 640]),
        ("gradients-averaged-over-positions", [530, 640]),
        ("gradients-averaged", [265, 320]),
        ("gradients-negated", [-1060, -1280]),
    ],
)
def test_defects_of_grad_weight_worked_by_hand(slug, expected):
    problem = ConvProblem(batch=2, in_channels=1, out_channels=1, input_size=(1, 4), kernel_size=(1, 2), stride=(1, 2))
    x, grad_output = np.arange(1.0, 9).reshape(problem.x_shape), np.array([10.0, 100, 10, 100])
    gradient = all_defects()[slug]().grad_weight(x, grad_output.reshape(problem.y_shape), problem)
    assert gradient.ravel().tolist() == expected


def test_a_result_of_another_size_is_no_bug_that_does_not_show_here():
    slug, probe = "stride-beyond-kernel", probe_named("plain")
    short = probe.truth["forward"][..., :-1]
    assert not fits(slug, "forward", probe, (short, short))
    assert fits(slug, "forward", probe, (probe.truth["forward"],) * 2)
