"""Signals and volumes all the way: made by the references, written, read, handed to what is checked, and judged."""

import numpy as np
import pytest
from rich.console import Console

import refconv
from refconv import ConvProblem, GeometryError, load_suite
from refconv.catalogue.spec import CaseSpec, Row
from refconv.generate import golden_case
from refconv.report import write_report
from refconv.show import print_case
from refconv.suite import Group, lint_group, note_for, write_group, write_manifest

SIGNAL = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(11,), kernel_size=(3,),
                     stride=(2,), dilation=(3,), padding=((1, 2),))  # fmt: skip
VOLUME = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 6, 5), kernel_size=(2, 3, 2),
                     stride=(1, 2, 1), dilation=(1, 1, 2), padding=((1, 0), (0, 2), (2, 1)))  # fmt: skip
ROWS = (Row("signal", "One axis.", SIGNAL), Row("volume", "Three axes.", VOLUME))


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    folder, records = tmp_path_factory.mktemp("axes") / "suite", []
    folder.mkdir()
    for name, element, fill in [("axes-float32-exact", "float32", "exact"), ("axes-bfloat16", "bfloat16", "zero-mean")]:
        cases = tuple(golden_case(CaseSpec(name, row, element, fill)) for row in ROWS)
        notes = {flag: note_for(flag) for flag in sorted({flag for case in cases for flag in case.flags})}
        group = Group(name, "axes", ("Signals and volumes.",), notes, cases)
        assert lint_group(group) == []
        records.append(write_group(folder, group))
    write_manifest(folder, "axes", "2026.1.31", records, {"host": "here"})
    return load_suite(folder)


def conv(x, weight, bias=None, **how):
    """Take the function of as many axes as there are."""
    return getattr(refconv, f"conv{x.ndim - 2}d")(x, weight, bias, **how)


def conv_backward(grad_output, x, weight, **how):
    return getattr(refconv, f"conv{x.ndim - 2}d_backward")(grad_output, x, weight, **how)


def all_but_the_last_tap(x, weight, bias=None, **how):
    weight = weight.copy()
    weight[..., -1] = 0
    return conv(x, weight, bias, **how)


def test_the_problem_is_stated_with_its_layout(suite):
    case = suite.case("axes-float32-exact/volume")
    assert case.problem == VOLUME
    assert (case.problem.layout, SIGNAL.layout) == ("NCDHW", "NCW")


@pytest.mark.parametrize("isolate", [False, True])
def test_right_functions_pass_every_case(suite, isolate):
    from refconv.implementations import as_runner

    report = refconv.check("im2col" if isolate else as_runner(conv, backward=conv_backward), suite, isolate=isolate)
    assert report.passed, report.summary()
    assert len(report.outcomes) == 4 * 4
    assert {outcome.status for outcome in report.outcomes} == {"PASS"}


def test_a_lost_tap_is_found_along_every_number_of_axes(suite):
    report = refconv.check(all_but_the_last_tap, suite, operations=["forward"])
    assert {outcome.status for outcome in report.outcomes} == {"FAIL"}


def test_a_case_is_shown_and_reported_with_its_axes(suite, tmp_path):
    console = Console(width=200, record=True)
    print_case(suite.case("axes-float32-exact/volume"), console)
    shown = console.export_text()
    for words in ("x (N, C, D, H, W)", "weight (K, C/G, kD, kH, kW)", "y (N, K, oD, oH, oW)"):
        assert words in shown
    report = refconv.check(all_but_the_last_tap, suite, operations=["forward"])
    # In Markdown, one case stands for all that fail for the same reason.
    everything = tuple(case.id for case in suite)
    for suffix, names in {"html": everything, "json": everything, "xml": everything, "md": ("/signal",)}.items():
        write_report(report, tmp_path / f"report.{suffix}")
        text = (tmp_path / f"report.{suffix}").read_text(encoding="utf-8")
        assert [name for name in names if name not in text] == []


def test_a_diagnosis_of_a_volume_is_refused_in_one_sentence(suite):
    with pytest.raises(GeometryError, match="a diagnosis needs a problem with two spatial axes"):
        refconv.diagnose(conv, problem=VOLUME)


@pytest.mark.oracle
@pytest.mark.parametrize("option", [None, "native"])
def test_pytorch_passes_every_case(suite, option):
    from refconv.implementations.torch_engine import create

    report = refconv.check(create(option), suite)
    assert report.passed, report.summary()
    assert {outcome.status for outcome in report.outcomes} == {"PASS"}


def test_a_volume_of_one_plane_has_the_golden_values_of_the_image():
    flat = ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(4, 5), kernel_size=(3, 2))
    deep = ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(1, 4, 5), kernel_size=(1, 3, 2))
    image, volume = (golden_case(CaseSpec("same-float32-exact", Row("bits", "", p), "float32", "exact"))
                     for p in (flat, deep))  # fmt: skip
    for name, expected in image.expected.items():
        np.testing.assert_array_equal(volume.expected[name].tensor.reshape(expected.tensor.shape), expected.tensor)
