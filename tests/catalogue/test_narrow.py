"""Narrow and mixed formats: their labels, their cases, and goldens against rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from refconv import FormatError
from refconv.catalogue import cases
from refconv.catalogue.elements import parse_elements
from refconv.exact.sums import round_integer
from refconv.formats import get_format
from refconv.generate import golden_case
from refconv.suite import lint_case

MIXED = ("float8_e4m3fn", "float8_e5m2", "bfloat16-to-float32", "float16-to-float32", "uint8-by-int8")
NARROW = [
    spec
    for spec in cases("core")
    if spec.row.quantization is None and (spec.element.startswith(MIXED) or spec.group.startswith("ends-"))
]
BY_ID = {spec.id: golden_case(spec) for spec in NARROW}


def rational(case, index):
    """Add the products of one element of y as fractions."""
    problem, x, weight = case.problem, case.inputs["x"], case.inputs["weight"]
    n, k, *place = index
    first = k // (problem.out_channels // problem.groups) * weight.shape[1]
    total = Fraction(float(case.inputs["bias"][k])) if "bias" in case.inputs else Fraction(0)
    for c, *tap in np.ndindex(weight.shape[1:]):
        steps = zip(place, tap, problem.stride, problem.dilation, problem.padding, strict=True)
        at = [o * s - begin + t * d for o, t, s, d, (begin, _) in steps]
        if all(0 <= i < length for i, length in zip(at, problem.input_size, strict=True)):
            total += Fraction(float(x[(n, first + c, *at)])) * Fraction(float(weight[(k, c, *tap)]))
    return total


def rounded(value, expected):
    out = get_format(expected.tensor.dtype)
    exponent = -(value.denominator.bit_length() - 1)
    return round_integer(value.numerator, exponent, out, expected.judge.overflow or "infinity")


@pytest.mark.parametrize(
    ("label", "formats"),
    [
        ("float32", ("float32", "float32", "float32")),
        ("int8", ("int8", "int8", "int32")),
        ("uint8-by-int8", ("uint8", "int8", "int32")),
        ("bfloat16-to-float32", ("bfloat16", "bfloat16", "float32")),
        ("uint8-by-int8-to-int32", ("uint8", "int8", "int32")),
    ],
)
def test_a_label_names_the_formats_of_x_weight_and_results(label, formats):
    elements = parse_elements(label)
    assert (elements.x.name, elements.weight.name, elements.out.name) == formats


def test_an_unknown_format_in_a_label_is_refused():
    with pytest.raises(FormatError, match="got 'float9'"):
        parse_elements("bfloat16-to-float9")


FINITE = [name for name in BY_ID if "non-finite" not in name]


@pytest.mark.parametrize("case_id", FINITE)
def test_every_result_is_the_rational_sum_rounded_once(case_id):
    case = BY_ID[case_id]
    expected = case.expected["y"]
    truth = [rounded(rational(case, index), expected) for index in np.ndindex(expected.tensor.shape)]
    np.testing.assert_array_equal(expected.tensor.ravel().astype(np.float64), truth)


@pytest.mark.parametrize("case_id", BY_ID)
def test_the_lint_finds_nothing(case_id):
    assert list(lint_case(BY_ID[case_id])) == []


@pytest.mark.parametrize("spec", NARROW, ids=lambda spec: spec.id)
def test_mixed_formats_are_flagged(spec):
    tensors = [*BY_ID[spec.id].inputs.values(), BY_ID[spec.id].expected["y"].tensor]
    assert ("MixedDtype" in spec.flags) == (len({tensor.dtype for tensor in tensors}) > 1)


@pytest.mark.parametrize("spec", [spec for spec in NARROW if not spec.row.overflow], ids=lambda spec: spec.id)
def test_nothing_overflows_that_was_not_made_for_it(spec):
    assert np.isfinite(BY_ID[spec.id].expected["y"].tensor.astype(np.float64)).all()


@pytest.mark.parametrize(
    ("case_id", "results"),
    [
        ("float8-saturation-float8_e4m3fn-exact/product-saturate", {2, 448, -3, -448, 1}),
        ("float8-saturation-float8_e4m3fn-exact/tie-saturate", {448, 18, -448, -416}),
        ("float8-overflow-float8_e5m2-exact/product-infinity", {2, np.inf, -3, -np.inf, 1, 57344}),
    ],
)
def test_overflow_follows_the_stated_mode(case_id, results):
    assert set(BY_ID[case_id].expected["y"].tensor.astype(np.float64).ravel()) == results


def test_a_tie_that_rounds_back_is_no_overflow():
    first, second = BY_ID["float8-nan-float8_e4m3fn-exact/tie-nan"].expected["y"].tensor[0, :, 0].astype(np.float64)
    assert first[0] == 448  # 448 + 16
    assert np.isnan(second[0])  # 448 + 16 + 2


@pytest.mark.parametrize("group", ["ends-int8-extremes", "ends-unsigned-uint8-by-int8-extremes"])
def test_sums_of_two_products_leave_16_bits(group):
    y = BY_ID[f"{group}/pair"].expected["y"].tensor
    assert (np.abs(y.astype(np.int64) + 0.5) > 2**15).all()  # beyond -2**15 ... 2**15 - 1
