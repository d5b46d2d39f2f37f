"""The bounds that follow from norms, by loops over all products: not below the formula, and hardly above it."""

import itertools
import math

import numpy as np
import pytest
from problems import real_tensors

from refconv import ConvProblem
from refconv.formats import get_format
from refconv.judge import Evidence, error_bound, parse_class
from refconv.judge.classes.winograd import TRANSFORMS
from refconv.judge.statistics import expected_error

LAYER = ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(4, 5), kernel_size=(3, 2),
                    stride=(2, 1), padding=((1, 0), (2, 1)))  # fmt: skip
SQUARE = ConvProblem(batch=2, in_channels=4, out_channels=2, groups=2, input_size=(4, 7), kernel_size=(3, 3),
                     padding=((1, 0), (2, 1)))  # fmt: skip
OPERATIONS = ("forward", "grad_input", "grad_weight")
FACTORS = {"forward": ("x", "weight"), "grad_input": ("grad_output", "weight"), "grad_weight": ("x", "grad_output")}
# Powers of two: ordinary numbers, products as small as subnormals, nothing but subnormals, and subnormal weights alone.
SCALES = (0, -66, -140, {"weight": -140, "bias": -140})


def evidence_of(problem, operation, scale=0, dtype="float32", out="float32", bias=True):
    tensors = real_tensors(problem, 3, binades=3)
    scales = scale if isinstance(scale, dict) else dict.fromkeys(tensors, scale)
    tensors = {name: (tensor * 2.0 ** scales.get(name, 0)).astype(get_format(dtype).dtype)
               for name, tensor in tensors.items()}  # fmt: skip
    for name, place in (("x", (slice(None), 0)), ("weight", 0), ("bias", 0)):
        tensors[name][place] = 0  # an output channel and some gradients have no products that differ from zero
    tensors["bias"] = tensors["bias"] if bias else None
    return Evidence(operation, tensors, problem, get_format(out))


def wide(evidence, name):
    tensor = evidence.tensors[name]
    return None if tensor is None else tensor.astype(np.float64)


def places(problem):
    """Yield where each product of the forward pass lies: in y, in x, in the weight."""
    (sH, sW), (top, left) = problem.stride, (begin for begin, _ in problem.padding)
    G, C, K = problem.groups, problem.in_channels, problem.out_channels
    for n, k, oh, ow in np.ndindex(*problem.y_shape):
        for c, kh, kw in np.ndindex(*problem.weight_shape[1:]):
            h, w = oh * sH - top + kh, ow * sW - left + kw
            if 0 <= h < problem.input_size[0] and 0 <= w < problem.input_size[1]:
                yield (n, k, oh, ow), (n, k // (K // G) * (C // G) + c, h, w), (k, c, kh, kw)


def over_products(evidence, value):
    """Add up what a function makes of the magnitudes of both factors, for every result."""
    roles = {"forward": (0, 1, 2), "grad_input": (1, 0, 2), "grad_weight": (2, 1, 0)}[evidence.operation]
    first, second = (np.abs(wide(evidence, name)) for name in FACTORS[evidence.operation])
    total = np.zeros(evidence.magnitude.shape)
    for place in places(evidence.problem):
        result, one, other = (place[role] for role in roles)
        total[result] += value(first[one], second[other])
    return total


def bias_of(evidence):
    if evidence.operation != "forward" or evidence.tensors["bias"] is None:
        return 0, 0.0
    return 1, np.abs(wide(evidence, "bias"))[:, None, None]


def t(n, precision):
    """(1 + u)**n - 1."""
    return math.expm1(n * math.log1p(2.0**-precision))


def assert_is(bound, formula):
    assert (bound >= formula * (1 - 1e-15)).all()
    assert (bound <= formula * (1 + 1e-12) + 1e-318).all()
    assert bound.max() > 0


def norm(values, order):
    return math.sqrt((values**2).sum()) if order == 2 else np.abs(values).sum()


def transformed_norms(evidence):
    """For fft: the sums of the products of norms, by loops over channels."""
    problem, operation = evidence.problem, evidence.operation
    G, (K, C) = problem.groups, (problem.out_channels, problem.in_channels)
    first, second = (wide(evidence, name) for name in FACTORS[operation])
    total = np.zeros(evidence.magnitude.shape[:2])
    for k, c in itertools.product(range(K), range(C // G)):
        channel = k // (K // G) * (C // G) + c
        if operation == "grad_weight":
            orders = ((2, 1), (1, 2))
            total[k, c] = min(sum(norm(first[n, channel], a) * norm(second[n, k], b) for n in range(problem.batch))
                              for a, b in orders)  # fmt: skip
            continue
        image, result = (channel, k) if operation == "forward" else (k, channel)
        for n in range(problem.batch):
            total[n, result] += norm(first[n, image], 2) * norm(second[k, c], 1)
    return total[:, :, None, None]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_bound_of_fft_is_its_formula(operation, scale, bias):
    evidence = evidence_of(LAYER, operation, scale, bias=bias)
    present, magnitude = bias_of(evidence)
    levels = 4 + 4  # 2 * (4 + 1) and 2 * (5 + 3) points, rounded up to 16 and 16
    summands = {"forward": 2, "grad_input": 3, "grad_weight": 2}[operation]
    factor = t(20 * levels + summands + 3 + present, 24)
    sizes = sum(np.abs(wide(evidence, name)).sum() for name in FACTORS[operation])
    underflow = 4 * 2.0**-149 * 2**levels * (sizes + summands + 1)
    transformed = factor * (transformed_norms(evidence) + magnitude) + (1 + factor) * underflow
    plain = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
    expected = np.maximum(plain, np.broadcast_to(transformed, evidence.magnitude.shape))
    assert_is(parse_class("fft").bound(evidence), expected)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scale", SCALES)
def test_the_bound_of_ftz_is_its_formula(operation, scale):
    evidence = evidence_of(LAYER, operation, scale)
    n, (_, magnitude) = evidence.terms, bias_of(evidence)
    sums = over_products(evidence, lambda one, other: one + other) + magnitude
    flushed = 2 * n * 2.0**-126 + 2.0**-126 * sums
    plain = error_bound(evidence.magnitude, n, evidence.accumulator)
    expected = plain + (1 + t(int(n.max()), 24)) * flushed + 2.0**-126
    assert_is(parse_class("ftz").bound(evidence), np.where(evidence.magnitude > 0, expected, 0))


def test_ftz_flushes_inputs_of_a_format_of_smaller_range_earlier():
    evidence = evidence_of(LAYER, "forward", -9, "float16")
    sums = over_products(evidence, lambda one, other: one + other) + bias_of(evidence)[1]
    flushed = 2 * evidence.terms * 2.0**-126 + 2.0**-14 * sums
    plain = error_bound(evidence.magnitude, evidence.terms, get_format("float32"))
    expected = plain + (1 + t(int(evidence.terms.max()), 24)) * flushed + 2.0**-126
    assert_is(parse_class("ftz").bound(evidence), np.where(evidence.magnitude > 0, expected, 0))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "precision"), [("reduced:tf32", 11), ("reduced:bf16", 8)])
def test_the_bound_of_reduced_is_its_formula(operation, scale, name, precision):
    evidence = evidence_of(LAYER, operation, scale)
    n, (_, magnitude) = evidence.terms, bias_of(evidence)
    sums = over_products(evidence, lambda one, other: one + other) + magnitude
    narrowed = (t(2, precision) * evidence.magnitude + 2.0 ** (-126 - precision + 1) * sums) * (1 + t(int(n.max()), 24))
    expected = error_bound(evidence.magnitude, n, evidence.accumulator) + narrowed
    assert_is(parse_class(name).bound(evidence), np.where(evidence.magnitude > 0, expected, 0))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("between", "precision", "smallest"), [("bfloat16", 8, -133), ("float16", 11, -24)])
def test_the_bound_of_split_is_its_formula(operation, scale, between, precision, smallest):
    evidence = evidence_of(LAYER, operation, scale)
    plain = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
    passing, within = t(3, precision), t(int(evidence.terms.max()), 24)
    stored = 3 * 2.0 ** (smallest - 1) * (1 + passing) * (1 + within)  # half the smallest number, three times
    expected = plain * (1 + passing) + passing * evidence.magnitude + stored
    assert_is(parse_class(f"split:3:{between}").bound(evidence), np.where(evidence.magnitude > 0, expected, 0))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scale", [0, -8, -12])
@pytest.mark.parametrize("bias", [True, False])
def test_the_bound_of_tosa_is_its_formula(operation, scale, bias):
    evidence = evidence_of(LAYER, operation, scale, "float16", "float16", bias)
    products = {"forward": 12, "grad_input": 12, "grad_weight": 2 * 2 * 7}[operation]
    spare = evidence.accumulator.precision - 11
    k = math.ceil(products / 2 ** (spare / 2)) + (operation == "forward" and bias)
    magnitude = over_products(evidence, lambda one, other: one * other) + bias_of(evidence)[1]
    expected = 2 * k * np.maximum(magnitude * 2.0**-11, 2.0**-14)
    assert_is(parse_class("tosa").bound(evidence), np.where(magnitude > 0, expected, 0))


def windows(evidence, tile):
    """For winograd: the largest magnitude near every result, by loops, for every channel of the image."""
    problem, reach = evidence.problem, 2 * tile + 1
    forward = evidence.operation == "forward"
    image = np.abs(wide(evidence, FACTORS[evidence.operation][0]))
    begins = [begin if forward else 2 - begin for begin, _ in problem.padding]
    sizes = problem.output_size if forward else problem.input_size
    found = np.zeros((*image.shape[:2], *sizes))
    for place in np.ndindex(*sizes):
        spans = [range(i - begin - tile + 1, i - begin - tile + 1 + reach)
                 for i, begin in zip(place, begins, strict=True)]  # fmt: skip
        inside = [[i for i in span if 0 <= i < size] for span, size in zip(spans, image.shape[2:], strict=True)]
        if all(inside):
            found[(..., *place)] = image[:, :, inside[0]][:, :, :, inside[1]].max(axis=(2, 3))
    return found


@pytest.mark.parametrize("operation", ["forward", "grad_input"])
@pytest.mark.parametrize("tile", [2, 4])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_bound_of_winograd_is_its_formula(operation, tile, scale, bias):
    evidence = evidence_of(SQUARE, operation, scale, bias=bias)
    present, magnitude = bias_of(evidence)
    roundings, amplification, (of_input, of_output) = TRANSFORMS[tile]
    largest, weight = windows(evidence, tile), np.abs(wide(evidence, "weight")).sum(axis=(2, 3))
    product, inputs = (np.zeros(evidence.magnitude.shape) for _ in range(2))
    for k, c in itertools.product(range(2), range(2)):  # one output channel in each group, which reads two
        source, result = (2 * k + c, k) if operation == "forward" else (k, 2 * k + c)
        product[:, result] += largest[:, source] * weight[k, c]
        inputs[:, result] += largest[:, source]
    channels = {"forward": 2, "grad_input": 1}[operation]
    factor = t(2 * sum(roundings) + channels + present, 24)
    underflow = 2.0**-149 * of_output**2 * (channels + 6 * of_input**2 * inputs)
    transformed = factor * (amplification**2 * product + magnitude) + (1 + factor) * underflow
    plain = error_bound(evidence.magnitude, evidence.terms, evidence.accumulator)
    assert_is(parse_class(f"winograd:{tile}").bound(evidence), np.maximum(plain, transformed))


def test_what_is_expected_of_a_narrow_result_holds_its_own_rounding_and_what_underflows():
    """tau squared: of n sums and products, of products below the smallest number, of the last rounding."""
    evidence, accumulator = evidence_of(LAYER, "forward", -66, out="bfloat16"), get_format("float32")
    y, n, u = evidence.truth.astype(np.float64), evidence.terms, 0.42 * 2.0**-24
    squares = over_products(evidence, lambda one, other: (one * other) ** 2) + bias_of(evidence)[1] ** 2
    steps = 2.0 ** np.maximum(np.frexp(y)[1] - 8, -133)
    variance = u * u * (n * (y * y / 3 + squares / 6) + squares) + n * 2.0 ** (2 * -149) / 12 + steps**2 / 12
    np.testing.assert_allclose(expected_error(evidence, accumulator), np.sqrt(variance), rtol=1e-12)


def test_what_is_expected_where_products_underflow():
    evidence, accumulator = evidence_of(LAYER, "forward", -80), get_format("float32")
    assert np.abs(evidence.truth).max() > 0
    variance = evidence.terms * 4.0**-149 / 12
    found = expected_error(evidence, accumulator)
    assert (found >= np.sqrt(variance)).all()


@pytest.mark.parametrize("name", ["standard", "ftz", "fft", "winograd:2", "reduced:tf32", "split:2:bfloat16", "tosa"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_layer_without_images_has_its_bounds(name, operation):
    problem = ConvProblem(**(SQUARE.as_dict() | {"batch": 0}))
    bound = parse_class(name).bound(evidence_of(problem, operation))
    assert bound.shape == problem.shape_of(operation)
    assert bound.max(initial=0) < 1e-40  # what could underflow
