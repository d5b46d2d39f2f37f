import fnmatch
import math

import numpy as np
import pytest

from refconv import CatalogueError, ConvProblem
from refconv.catalogue import FILLS, TIERS, cases
from refconv.catalogue.guide import arithmetic_guide, worked_example
from refconv.catalogue.planting import plant
from refconv.catalogue.spec import CaseSpec, Row
from refconv.catalogue.traits import traits
from refconv.suite import FLAGS

CORE = cases("core")
LARGEST_CASE = 64 * 1024


def size_in_bytes(spec):
    """Count the bytes of all tensors of a case."""
    inputs = sum(tensor.nbytes for tensor in spec.inputs().values())
    width = spec.out_format.dtype.itemsize
    per_element = width if spec.rule == "exact" else 3 * width + 8
    goldens = sum(math.prod(spec.problem.shape_of(name)) * per_element for name in spec.operations)
    return inputs + goldens * max(1, len(spec.row.policies))


def test_ids_are_unique():
    assert len({spec.id for spec in CORE}) == len(CORE)


def test_no_case_is_larger_than_64_kib():
    assert {spec.id: size for spec in CORE if (size := size_in_bytes(spec)) > LARGEST_CASE} == {}


def test_every_flag_of_the_catalogue_is_explained():
    assert {flag for spec in CORE for flag in spec.flags} <= set(FLAGS)


def test_every_case_has_flags_and_the_inputs_of_its_operations():
    needs = {"forward": {"x", "weight"}, "grad_input": {"grad_output", "weight"},
             "grad_weight": {"x", "grad_output"}, "grad_bias": {"grad_output"}}  # fmt: skip
    for spec in CORE:
        assert spec.flags
        assert set().union(*(needs[operation] for operation in spec.operations)) <= set(spec.inputs()), spec.id


def test_smoke_is_a_selection_of_core():
    ids = [spec.id for spec in CORE]
    smoke = [spec.id for spec in cases("smoke")]
    assert smoke == [name for name in ids if name in smoke]
    assert 10 < len(smoke) < 60


def test_every_pattern_of_a_tier_finds_something():
    ids = [spec.id for spec in CORE]
    for patterns in TIERS.values():
        assert [pattern for pattern in patterns if not fnmatch.filter(ids, pattern)] == []


def test_the_fifteen_figures_have_the_sizes_of_the_guide():
    sizes = {row.slug: (row.problem.input_size[0], row.problem.output_size[0]) for row in arithmetic_guide()}
    assert len(sizes) == 15
    assert sizes == {
        "no-padding-no-strides": (4, 2), "no-padding-no-strides-transposed": (4, 2),
        "arbitrary-padding-no-strides": (5, 6), "arbitrary-padding-no-strides-transposed": (5, 6),
        "same-padding-no-strides": (5, 5), "same-padding-no-strides-transposed": (5, 5),
        "full-padding-no-strides": (5, 7), "full-padding-no-strides-transposed": (5, 7),
        "no-padding-strides": (5, 2), "no-padding-strides-transposed": (5, 2),
        "padding-strides": (5, 3), "padding-strides-transposed": (5, 3),
        "padding-strides-odd": (6, 3), "padding-strides-odd-transposed": (6, 3),
        "dilation": (7, 3),
    }  # fmt: skip


def test_the_worked_example_counts():
    spec = CaseSpec("worked-example-float32-iota", worked_example()[0], "float32", "iota")
    assert spec.inputs()["x"].ravel().tolist() == list(range(1, 10))
    assert spec.inputs()["weight"].ravel().tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("element", ["float64", "float32", "float16", "bfloat16", "int8"])
def test_every_format_of_the_foundation_is_covered_by_exact_cases(element):
    flags = {flag for spec in CORE if spec.element == element and spec.rule == "exact" for flag in spec.flags}
    assert flags >= {"Grouped", "Depthwise", "Dilated", "Leftover", "Pointwise", "AsymmetricPadding", "BatchOrder"}


def test_inputs_are_held_exactly_by_their_dtype():
    for spec in CORE:
        if spec.row.invalid:
            continue  # only their shapes matter
        filled = FILLS[spec.fill].make(spec.id, spec.problem, spec.elements, spec.has_bias)
        made = plant(filled, spec.row.planted, spec.row.subnormal, spec.in_format)
        for name, tensor in spec.inputs().items():
            np.testing.assert_array_equal(tensor.astype(np.float64), made[name], err_msg=f"{spec.id} {name}")


def problem(**change):
    plain = dict(batch=1, in_channels=3, out_channels=2, input_size=(6, 6), kernel_size=(3, 3))
    return ConvProblem(**(plain | change))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, set()),
        (dict(input_size=(6, 7)), {"NonSquareInput"}),
        (dict(input_size=(6, 1), kernel_size=(3, 1)), {"NonSquareInput", "OneRowInput", "NonSquareKernel"}),
        (dict(kernel_size=(2, 2)), {"EvenKernel"}),
        (dict(input_size=(7, 7), stride=(2, 2)), {"Strided"}),
        (dict(input_size=(7, 7), stride=(4, 4)), {"Strided", "StrideAboveKernel"}),
        (dict(stride=(2, 2)), {"Strided", "Leftover"}),
        (dict(dilation=(2, 2)), {"Dilated"}),
        (dict(kernel_size=(1, 1), dilation=(2, 2)), {"Pointwise"}),
        (dict(padding=((1, 1), (1, 1))), {"Padded"}),
        (dict(padding=((1, 0), (0, 0))), {"Padded", "AsymmetricPadding"}),
        (dict(padding=((3, 3), (1, 1))), {"Padded", "PaddingAboveKernel"}),
        (dict(groups=3, in_channels=6, out_channels=3), {"Grouped"}),
        (dict(groups=3, out_channels=3), {"Depthwise"}),
        (dict(groups=3, out_channels=6), {"DepthMultiplier"}),
        (dict(kernel_size=(6, 6)), {"EvenKernel", "FullReduction"}),
        (dict(batch=0), {"ZeroBatch"}),
        (dict(batch=2), {"BatchOrder"}),
        (dict(in_channels=64), {"LongReduction"}),
        (dict(stride=(1, 2), dilation=(2, 1), input_size=(7, 7)), {"Strided", "Dilated", "StrideDilationDiffer"}),
    ],
)
def test_traits_follow_from_the_geometry(change, found):
    assert set(traits(problem(**change))) == found


def test_gradients_of_16_bit_formats_may_be_added_up_in_16_bits():
    spec = CaseSpec("g", Row("s", "", problem()), "bfloat16", "zero-mean")
    assert [spec.accumulator(name).name for name in ("forward", "grad_weight")] == ["float32", "bfloat16"]
    spec = CaseSpec("g", Row("s", "", problem()), "float32", "zero-mean")
    assert spec.accumulator("grad_weight").name == "float32"


def test_an_unknown_tier_and_a_pattern_without_cases_are_refused():
    with pytest.raises(CatalogueError, match="tier must be one of smoke, core, axes, regress, extended, got 'all'"):
        cases("all")
    with pytest.raises(CatalogueError, match="no case of tier 'core' matches nothing-like-this"):
        cases("core", ["nothing-like-this"])
