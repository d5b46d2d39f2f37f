"""A check names the bugs of transposed convolutions that somebody wrote by hand."""

from pathlib import Path

import numpy as np
import pytest

import refconv
from refconv import load_suite
from refconv.check import check
from refconv.cli import commands
from refconv.diagnosis import with_causes
from refconv.diagnosis.models import Models
from refconv.problem import read_problem

AXES = Path(__file__).parents[2] / "vectors" / "axes"
FAMILIES = ["conv-transpose2d-float32-exact/*", "conv-transpose2d-pairs-float32-exact/*"]


def written_by_hand(size=lambda extra: extra, bias_of=lambda k, per_group: k, memory=lambda weight, groups: weight):
    """Return a transposed convolution in plain loops, symmetric padding only, with places for mistakes."""

    def conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation):
        extra, (N, C, H, W) = [size(number) for number in output_padding], x.shape
        if not all(isinstance(pad, int) for pad in padding):
            raise TypeError(f"unsupported operand type(s) for 2 * padding: {padding}")
        weight = memory(weight, groups)
        _, Kg, kH, kW = weight.shape
        reach = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip((H, W), stride, (kH, kW), dilation, strict=True)]
        full = np.zeros((N, Kg * groups, reach[0] + extra[0], reach[1] + extra[1]))
        for c, k, i, j in np.ndindex(C, Kg, kH, kW):
            rows, columns = (slice(tap * d, tap * d + (n - 1) * s + 1, s)
                             for tap, d, n, s in zip((i, j), dilation, (H, W), stride, strict=True))  # fmt: skip
            channel = c // (C // groups) * Kg + k
            full[:, channel, rows, columns] += x[:, c].astype(np.float64) * float(weight[c, k, i, j])
        pT, pL = padding
        y = full[:, :, pT : full.shape[2] - pT, pL : full.shape[3] - pL]
        if bias is not None:
            y += bias[[bias_of(k, Kg) for k in range(Kg * groups)], None, None]
        return y.astype(x.dtype)

    return conv_transpose2d


def as_a_convolution(weight, groups):
    """Read the memory as (K, C/G, kH, kW)."""
    C, Kg, *kernel = weight.shape
    return weight.reshape(groups, Kg, C // groups, *kernel).swapaxes(1, 2).reshape(weight.shape)


@pytest.fixture(scope="module")
def axes():
    return load_suite(AXES)


def causes_of(layer, axes):
    report = check(layer, axes, FAMILIES, ["forward"], thorough=False)
    return with_causes(report, axes, seconds=60)


@pytest.mark.parametrize(
    ("mistake", "slug"),
    [
        ({"size": lambda extra: 0}, "output-padding-ignored"),
        ({"memory": as_a_convolution}, "transposed-weight-outputs-first"),
        ({"bias_of": lambda k, per_group: k % per_group}, "transposed-bias-of-first-group"),
        ({"bias_of": lambda k, per_group: k // per_group}, "transposed-bias-of-group"),
    ],
)
def test_the_bug_of_a_layer_that_was_written_by_hand_is_named(axes, mistake, slug):
    report = causes_of(written_by_hand(**mistake), axes)
    assert [(cause.defect, cause.equals, cause.contradicted) for cause in report.causes] == [(slug, (), 0)]
    assert all(report.cause_of(outcome) for outcome in report.failures if outcome.digest)


def test_what_is_refused_for_another_reason_has_no_cause(axes):
    report = causes_of(written_by_hand(), axes)
    assert {outcome.status for outcome in report.outcomes} == {"PASS", "REJECTED"}
    assert any("-g2" in outcome.case_id for outcome in report.failures)  # as transposed-groups-sliced-by-outputs
    assert report.causes == ()


def test_a_problem_that_a_bug_would_refuse_shows_it(axes):
    models, slug = Models(axes, 60), "transposed-groups-sliced-by-outputs"
    right = check(refconv.conv_transpose2d, axes, FAMILIES, ["forward"], thorough=False).outcomes
    refused = [outcome for outcome in right if models._refuses(slug, outcome)]
    assert refused
    assert all(read_problem(outcome.descriptor).groups > 1 and models.shows(slug, outcome) for outcome in refused)
    poor = Models(axes, 0)  # who cannot afford to ask
    assert not any(poor.shows(slug, outcome) for outcome in refused)
    most = [max(who.numbers("transposed-bias-of-first-group", outcome) for outcome in right) for who in (models, poor)]
    assert most == [2, 0]


def test_nobody_is_sent_to_a_diagnosis_that_looks_at_images_alone(tmp_path, capsys):
    layer = tmp_path / "layer.py"
    layer.write_text(
        "import refconv\n"
        "def conv1d(x, weight, bias=None, **geometry):\n"
        "    function = refconv.conv1d if x.ndim == 3 else refconv.conv2d\n"
        "    return 3 * function(x, weight, bias, **geometry) + 1\n"
    )
    check_it = ["check", f"{layer}:conv1d", "--ops", "forward", "--vectors", str(AXES), "--select"]
    for family, sent in (("conv1d-float32-exact/*", False), ("named-padding-float32-exact/*", True)):
        assert commands.main([*check_it, family], standalone_mode=False) == 1
        assert ("Which bug is it? refconv diagnose" in capsys.readouterr().out) == sent
