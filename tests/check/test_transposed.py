"""Transposed convolutions all the way: made by the references, written, read, handed to what is checked, and judged."""

import json
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from problems import transposed_problems
from rich.console import Console

import refconv
from refconv import GeometryError, SuiteError, TransposedProblem, load_suite
from refconv.catalogue.elements import parse_elements
from refconv.catalogue.inputs import BUDGETS, FILLS
from refconv.catalogue.spec import CaseSpec, Row
from refconv.catalogue.traits import traits
from refconv.errors import CatalogueError
from refconv.exact import count_terms, exact_magnitude
from refconv.export import export
from refconv.formats import get_format
from refconv.generate import golden_case, recompute
from refconv.implementations import as_runner
from refconv.problem import OPERATIONS
from refconv.reference import transposed
from refconv.report import write_report
from refconv.show import print_case
from refconv.suite import Group, lint_group, note_for, verify_files, write_group, write_manifest
from refconv.suite.schemas import GROUP, validate

SIGNAL = TransposedProblem(batch=2, in_channels=2, out_channels=3, input_size=(5,), kernel_size=(4,), stride=(3,),
                           padding=((1, 2),), output_padding=(2,))  # fmt: skip
IMAGE = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 5), kernel_size=(3, 2),
                          stride=(2, 1), dilation=(1, 2), padding=((1, 1), (0, 0)), output_padding=(1, 0))  # fmt: skip
PLAIN = TransposedProblem(batch=1, in_channels=2, out_channels=4, input_size=(4, 3), kernel_size=(2, 3),
                          stride=(2, 2))  # fmt: skip
VOLUME = TransposedProblem(batch=1, in_channels=3, out_channels=3, groups=3, input_size=(2, 3, 4),
                           kernel_size=(2, 3, 2), stride=(1, 2, 3), padding=((0, 1), (1, 0), (1, 1)))  # fmt: skip
ROWS = (Row("signal", "One axis.", SIGNAL), Row("image", "Two groups.", IMAGE), Row("plain", "Nothing cut.", PLAIN),
        Row("volume", "Depthwise.", VOLUME))  # fmt: skip
GROUPS = [("up-float32-exact", "float32", "exact"), ("up-float32-zero-mean", "float32", "zero-mean")]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    folder, records = tmp_path_factory.mktemp("transposed") / "suite", []
    folder.mkdir()
    for name, element, fill in GROUPS:
        cases = tuple(golden_case(CaseSpec(name, row, element, fill)) for row in ROWS)
        notes = {flag: note_for(flag) for flag in sorted({flag for case in cases for flag in case.flags})}
        group = Group(name, "up", ("Transposed.",), notes, cases)
        assert lint_group(group) == []
        records.append(write_group(folder, group))
    write_manifest(folder, "up", "2026.1.31", records, {"host": "here"})
    return load_suite(folder)


def layer(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    function = getattr(refconv, f"conv_transpose{x.ndim - 2}d")
    return function(x, weight, bias, stride, padding, output_padding, groups, dilation)


def layer_backward(grad_output, x, weight, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    function = getattr(refconv, f"conv_transpose{x.ndim - 2}d_backward")
    return function(grad_output, x, weight, stride, padding, output_padding, groups, dilation)


def zeros_at_the_end(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Take output_padding for zeros that are put behind the output, bias included."""
    y = layer(x, weight, bias, stride, padding, output_padding, groups, dilation)
    for axis, extra in enumerate(output_padding, start=2):
        np.moveaxis(y, axis, -1)[..., y.shape[axis] - extra :] = 0
    return y


def statuses(report):
    return {outcome.status for outcome in report.outcomes}


def test_the_files_hold_the_problem_and_name_its_operator(suite):
    assert verify_files(suite.folder) == []
    assert [case.problem for case in suite] == [row.problem for row in ROWS] * len(GROUPS)
    index = json.loads((suite.folder / "up-float32-exact.json").read_bytes())
    stated = index["cases"][1]["problem"]
    assert (stated["operator"], stated["output_padding"]) == ("conv_transpose", [1, 0])
    assert index["cases"][1]["inputs"]["weight"]["shape"] == [4, 3, 3, 2]


@pytest.mark.parametrize("missing", ["operator", "output_padding"])
def test_an_operator_without_output_padding_or_the_reverse_breaks_the_schema(suite, missing):
    index = json.loads((suite.folder / "up-float32-exact.json").read_bytes())
    del index["cases"][0]["problem"][missing]
    with pytest.raises(SuiteError, match="problem"):
        validate(index, GROUP, "here")


def test_all_values_are_computed_again(suite, tmp_path):
    assert recompute(suite.folder) == []


@pytest.mark.parametrize("name", ["direct", "sparse", "im2col"])
def test_the_references_pass(suite, name):
    report = refconv.check(name, suite, isolate=name == "im2col")
    assert report.passed, report.summary()
    assert len(report.outcomes) == 2 * 4 * 4
    assert statuses(report) == {"PASS"}


def test_a_function_with_output_padding_passes(suite):
    report = refconv.check(as_runner(layer, backward=layer_backward), suite)
    assert report.passed, report.summary()
    assert statuses(report) == {"PASS"}


def test_who_has_no_transposed_convolution_supports_nothing(suite):
    assert statuses(refconv.check(refconv.conv2d, suite)) == {"UNSUPPORTED"}


def test_a_lost_output_padding_fails_where_there_is_some(suite):
    report = refconv.check(zeros_at_the_end, suite, operations=["forward"])
    failed = {outcome.case_id.partition("/")[2] for outcome in report.failures}
    assert failed == {"signal", "image"}
    (cause,) = refconv.with_causes(report, suite).causes
    assert (cause.defect, len(cause.failures), cause.contradicted) == (
        "output-padding-of-zeros",
        len(report.failures),
        0,
    )


def test_a_case_is_shown_reported_and_left_out_of_exports(suite, tmp_path):
    console = Console(width=200, record=True)
    print_case(suite.case("up-float32-exact/image"), console)
    shown = console.export_text()
    for words in ("transposed convolution", "weight (C, K/G, kH, kW)", "output_padding", "(1, 0)"):
        assert words in shown
    report = refconv.check(zeros_at_the_end, suite, operations=["forward"])
    for suffix in ("html", "json", "xml", "md"):
        write_report(report, tmp_path / f"report.{suffix}")
        assert "/signal" in (tmp_path / f"report.{suffix}").read_text(encoding="utf-8")
    assert "transposed, x (2, 4, 3, 5)" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(CatalogueError, match="transposed convolutions, which npz, onnx, json can say"):
        export(suite, tmp_path / "raw", "raw")


def test_a_diagnosis_is_refused_in_one_sentence():
    with pytest.raises(GeometryError, match=r"two spatial axes that is not transposed, got t-.*; refconv check NAME"):
        refconv.diagnose(layer, problem=IMAGE)


def test_the_flags_follow_from_the_geometry():
    assert traits(PLAIN) == ("TransposedConvolution", "UnevenOverlap", "NonSquareInput", "NonSquareKernel", "Strided")
    assert {"OutputPadding", "CutOutput", "Grouped"} < set(traits(IMAGE))
    assert "Depthwise" in traits(VOLUME)


@settings(max_examples=25, deadline=None)
@given(problem=transposed_problems(smallest=1))
def test_the_number_of_terms_is_counted_tap_by_tap(problem):
    ones = {name: np.ones(problem.shape_of(name)) for name in ("x", "weight", "grad_output")}
    for operation in OPERATIONS:
        counted = count_terms(operation, ones | {"bias": None}, problem, transposed.im2col)
        got = transposed.direct.forward(ones["x"], ones["weight"], None, problem) if operation == "forward" else (
            getattr(transposed.direct, operation)(
                *(ones[name] for name in {"grad_input": ("grad_output", "weight"), "grad_weight": ("x", "grad_output"),
                                          "grad_bias": ("grad_output",)}[operation]), problem))  # fmt: skip
        np.testing.assert_array_equal(counted, got)
        assert counted.max(initial=0) <= problem.reduction_length(operation)


def test_the_number_of_terms_varies_with_the_position():
    """By hand: three inputs at stride 2 under three taps, two channels and a bias."""
    problem = TransposedProblem(batch=1, in_channels=2, out_channels=1, input_size=(3,), kernel_size=(3,), stride=(2,))
    tensors = {name: np.ones(problem.shape_of(name)) for name in ("x", "weight", "bias")}
    terms = count_terms("forward", tensors, problem, transposed.sparse)
    assert terms.ravel().tolist() == [3, 3, 5, 3, 5, 3, 3]


@settings(max_examples=25, deadline=None)
@given(problem=transposed_problems(smallest=1))
def test_exact_fills_stay_within_the_budget_at_every_position(problem):
    made = FILLS["exact"].make("seams", problem, parse_elements("float32"), True)
    for operation in OPERATIONS:
        magnitude = exact_magnitude(operation, made, problem, transposed.im2col).round(get_format("float64"))
        assert magnitude.max(initial=0) <= BUDGETS["float32"]


def test_every_order_of_summation_stays_within_the_interval():
    problem = replace(PLAIN, in_channels=3, out_channels=1, kernel_size=(3, 3))
    case = golden_case(CaseSpec("orders-float32-zero-mean", Row("row", "", problem), "float32", "zero-mean"))
    expected, x, weight = case.expected["y"], case.inputs["x"], case.inputs["weight"]
    for order in permutations(range(3)):
        y = np.zeros(problem.y_shape, np.float32)
        for c in order:
            one = replace(problem, in_channels=1)
            y += transposed.direct.forward(x[:, [c]], weight[[c]], None, one)
        y += case.inputs["bias"].reshape(-1, 1, 1)
        assert y.dtype == np.float32
        assert ((expected.lo <= y) & (y <= expected.hi)).all()


@pytest.mark.oracle
@pytest.mark.parametrize("option", [None, "native"])
def test_pytorch_passes_every_case(suite, option):
    from refconv.implementations.torch_engine import create

    report = refconv.check(create(option), suite)
    assert report.passed, report.summary()
    assert statuses(report) == {"PASS"}


@pytest.mark.oracle
def test_onnxruntime_passes_and_the_evaluator_of_onnx_fails_with_groups_alone(suite):
    pytest.importorskip("onnxruntime")
    right = refconv.check("onnxruntime", suite, operations=["forward", "grad_input"])
    assert right.passed, [f"{o.case_id} {o.operation}: {o.message}" for o in right.failures]
    assert statuses(right) <= {"PASS", "UNSUPPORTED"}
    assert all(o.status == "PASS" for o in right.outcomes if o.operation == "forward")
    report = refconv.check("onnx", suite, operations=["forward"])
    failed = {(o.case_id.partition("/")[2], o.status) for o in report.failures}
    assert failed == {("image", "REJECTED"), ("volume", "FAIL")}
    cause = refconv.with_causes(report, suite).causes[0]
    assert (cause.defect, cause.contradicted) == ("transposed-groups-sliced-by-outputs", 0)
    assert {(o.case_id, o.operation) for o in report.failures} == cause.failures
    assert "adds the bias of the first one" in cause.summary
    assert "channel slices of a group" in cause.usually
