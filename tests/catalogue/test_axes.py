"""The axes tier: every trouble for every operator, and names of padding in their numbers."""

import pytest

from refconv.catalogue import cases
from refconv.catalogue.axes import FAMILIES
from refconv.catalogue.guide import arithmetic_guide
from refconv.catalogue.named import named_padding as rows_by_name
from refconv.catalogue.transposed import arithmetic_guide as transposed_guide
from refconv.problem import OPERATIONS, ConvProblem, TransposedProblem, named_padding
from refconv.problem.padding import named_transposed_padding
from refconv.suite import FLAGS

SPECS = cases("axes")
NAMES = {"SameUpper": "same_upper", "SameLower": "same_lower", "ValidPadding": "valid"}
OPERATORS = {"conv1d": (ConvProblem, 1), "conv3d": (ConvProblem, 3), "conv-transpose1d": (TransposedProblem, 1),
             "conv-transpose2d": (TransposedProblem, 2), "conv-transpose3d": (TransposedProblem, 3)}  # fmt: skip


def test_ids_are_unique_and_those_of_no_other_tier():
    ids = [spec.id for spec in SPECS]
    others = {spec.id for tier in ("core", "regress") for spec in cases(tier)}
    assert len(set(ids)) == len(ids)
    assert not others & set(ids)
    assert {flag for spec in SPECS for flag in spec.flags} <= set(FLAGS)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_family_meets_every_trouble_of_its_operator(name):
    kind, axes = OPERATORS[name]
    specs = [spec for spec in SPECS if spec.group.startswith(f"{name}-")]
    assert {type(spec.problem) for spec in specs} == {kind}
    assert {len(spec.problem.input_size) for spec in specs} == {axes}
    assert {spec.element for spec in specs} == {"float64", "float32", "float16", "bfloat16", "int8"}
    assert {operation for spec in specs for operation in spec.operations} == set(OPERATIONS)
    flags = {flag for spec in specs for flag in spec.flags if spec.rule == "exact"}
    asked = {"Strided", "Dilated", "Grouped", "Depthwise", "DepthMultiplier", "ZeroBatch", "BatchOrder"}
    own = {"OutputPadding", "CutOutput", "UnevenOverlap", "GapsInOutput", "TransposedConvolution"}
    forward = {"AsymmetricPadding", "PaddingAboveKernel", "Leftover", "StrideAboveKernel", "Pointwise", "FullReduction"}
    assert asked | (own if kind is TransposedProblem else forward) <= flags


@pytest.mark.parametrize("row", rows_by_name(), ids=lambda row: row.slug)
def test_a_name_of_padding_stands_for_the_numbers_of_its_rows(row):
    p = row.problem
    for flag in set(row.flags) & set(NAMES):
        if isinstance(p, ConvProblem):
            resolved = named_padding(NAMES[flag], p.input_size, p.kernel_size, p.stride, p.dilation)
            assert resolved == p.padding
        else:
            added = (0,) * len(p.stride) if "gaps" in row.slug else p.output_padding
            resolved = named_transposed_padding(NAMES[flag], p.kernel_size, p.stride, p.dilation, added)
            assert resolved == (p.padding, p.output_padding)
        if flag != "ValidPadding":
            longer = tuple(length * stride for length, stride in zip(p.input_size, p.stride, strict=True))
            shorter = tuple(-(-length // stride) for length, stride in zip(p.input_size, p.stride, strict=True))
            assert p.output_size == (shorter if isinstance(p, ConvProblem) else longer)


def test_the_rows_by_name_tell_upper_from_lower_along_every_number_of_axes():
    halves = [row for row in rows_by_name() if ("SameUpper" in row.flags) != ("SameLower" in row.flags)]
    assert {(type(row.problem), len(row.problem.stride)) for row in halves} == {
        (kind, axes) for kind in (ConvProblem, TransposedProblem) for axes in (1, 2, 3)
    }
    for row in halves:
        assert any(begin != end for begin, end in row.problem.padding)


def test_the_transposed_figures_of_the_guide_have_their_names_and_sizes():
    core = {row.slug: row.problem for row in arithmetic_guide() if row.slug.endswith("-transposed")}
    rows = {row.slug: row.problem for row in transposed_guide()}
    assert list(rows) == list(core)
    for slug, problem in rows.items():
        assert problem.input_size == core[slug].output_size
        assert problem.output_size == core[slug].input_size
    assert rows["padding-strides-odd-transposed"].output_padding == (1, 1)
    assert sum(any(problem.output_padding) for problem in rows.values()) == 1


def test_cropping_happens_at_either_end_of_either_operator():
    problems = [row.problem for row in FAMILIES["cropped"]()]
    for kind in (ConvProblem, TransposedProblem):
        of_kind = [p for p in problems if isinstance(p, kind)]
        assert {len(p.stride) for p in of_kind} == {1, 2, 3}
        for end in (0, 1):
            assert any(pads[end] < 0 for p in of_kind for pads in p.padding)
