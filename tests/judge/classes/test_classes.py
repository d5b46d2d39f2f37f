"""Every class lets the arithmetic pass that it is about, and not much else."""

from fractions import Fraction

import algorithms
import numpy as np
import pytest
from problems import real_tensors

from refconv import ConvProblem
from refconv.formats import get_format
from refconv.judge import Evidence, growth, parse_class
from refconv.reference import direct, im2col

FLOAT32 = get_format("float32")
LAYER = ConvProblem(batch=2, in_channels=8, out_channels=5, input_size=(9, 11), kernel_size=(3, 3),
                    padding=((1, 0), (2, 1)))  # fmt: skip
GROUPED = ConvProblem(batch=1, in_channels=6, out_channels=4, groups=2, input_size=(7, 8), kernel_size=(3, 3))
SEEDS = range(4)


def evidence_of(problem, tensors, out="float32", operation="forward", **options):
    return Evidence(operation, tensors, problem, get_format(out), **options)


def single(problem, seed, dtype=np.float32):
    return {name: tensor.astype(dtype) for name, tensor in real_tensors(problem, seed, binades=3).items()}


def integers(problem, seed, largest=40):
    rng = np.random.default_rng(seed)
    names = ("x", "weight", "bias", "grad_output")
    return {name: rng.integers(-largest, largest + 1, problem.shape_of(name)).astype(np.float32) for name in names}


def judged(name, got, evidence):
    return parse_class(name).judge(got, evidence)


# ---- honest arithmetic passes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [LAYER, GROUPED], ids=str)
@pytest.mark.parametrize("tile", [2, 4])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("make", [single, integers])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_winograd_is_inside_its_class(problem, tile, offset, make, seed):
    tensors = make(problem, seed)
    y = algorithms.winograd(tensors["x"], tensors["weight"], tensors["bias"], problem, tile, offset)
    verdict = judged(f"winograd:{tile}", y, evidence_of(problem, tensors, exact_fill=make is integers))
    assert verdict.passed
    assert (verdict.interval_use > 0) or make is integers  # small integers survive halves and quarters


def test_an_honest_winograd_is_not_exact_on_integers():
    tensors = integers(LAYER, 0)
    y = algorithms.winograd(tensors["x"], tensors["weight"], tensors["bias"], LAYER, 4)
    assert not judged("standard", y, evidence_of(LAYER, tensors, exact_fill=True)).passed


@pytest.mark.parametrize("seed", SEEDS)
def test_winograd_in_grad_input_is_inside_its_class(seed):
    tensors = single(LAYER, seed)
    flipped = np.swapaxes(tensors["weight"], 0, 1)[:, :, ::-1, ::-1]
    (top, bottom), (left, right) = LAYER.padding
    mirror = ConvProblem(batch=2, in_channels=5, out_channels=8, input_size=LAYER.output_size, kernel_size=(3, 3),
                         padding=((2 - top, 2 - bottom), (2 - left, 2 - right)))  # fmt: skip
    assert mirror.output_size == LAYER.input_size
    gradient = algorithms.winograd(tensors["grad_output"], flipped, None, mirror, 4)
    evidence = evidence_of(LAYER, tensors, operation="grad_input")
    assert judged("winograd:4", gradient, evidence).passed
    own = evidence_of(mirror, {"x": tensors["grad_output"], "weight": np.ascontiguousarray(flipped)})
    bounds = [parse_class("winograd:4").bound(e) for e in (evidence, own)]
    np.testing.assert_allclose(*bounds, rtol=1e-12)


@pytest.mark.parametrize("make", [single, integers])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_fft_is_inside_its_class(make, seed):
    tensors = make(LAYER, seed)
    y = algorithms.fft(tensors["x"], tensors["weight"], tensors["bias"], LAYER)
    verdict = judged("fft", y, evidence_of(LAYER, tensors, exact_fill=make is integers))
    assert verdict.passed
    assert verdict.interval_use > 1e-5


@pytest.mark.parametrize(("name", "precision"), [("reduced:tf32", 11), ("reduced:bf16", 8)])
@pytest.mark.parametrize("seed", SEEDS)
def test_narrowed_inputs_are_inside_reduced_and_outside_standard(name, precision, seed):
    tensors = single(LAYER, seed)
    x, weight = (algorithms.narrowed(tensors[n], precision) for n in ("x", "weight"))
    y = im2col.forward(x, weight, tensors["bias"], LAYER)
    evidence = evidence_of(LAYER, tensors)
    assert judged(name, y, evidence).passed
    assert not judged("standard:float32", y, evidence).passed


def test_reduced_allows_no_more_than_standard_where_nothing_is_narrowed():
    tensors = single(LAYER, 0, get_format("bfloat16").dtype)
    evidence = evidence_of(LAYER, tensors, "bfloat16")
    np.testing.assert_array_equal(parse_class("reduced:tf32").bound(evidence), parse_class("standard").bound(evidence))
    assert (parse_class("reduced:bf16").bound(evidence) == parse_class("standard").bound(evidence)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_split_sums_are_inside_split_and_outside_standard(seed):
    tensors = single(LAYER, seed) | {"bias": None}
    y = algorithms.split(tensors["x"], tensors["weight"], LAYER, 4, "bfloat16")
    evidence = evidence_of(LAYER, tensors)
    assert judged("split:4:bfloat16", y, evidence).passed
    assert not judged("standard", y, evidence).passed
    assert not judged("split:4:float32", y, evidence).passed


TINY = ConvProblem(batch=1, in_channels=3, out_channels=4, input_size=(4, 5), kernel_size=(2, 3))


@pytest.mark.parametrize("seed", SEEDS)
def test_flushed_subnormals_are_inside_ftz_and_outside_standard(seed):
    tensors = {name: tensor * np.float32(2.0**-66) for name, tensor in single(TINY, seed).items()}
    tensors["weight"] *= np.float32(2.0**3)
    tensors["bias"] = None
    y = im2col.forward(tensors["x"], tensors["weight"], None, TINY)
    y = np.where(np.abs(y) < 2.0**-126, np.float32(0), y)
    assert (y == 0).any()
    evidence = evidence_of(TINY, tensors)
    assert judged("ftz", y, evidence).passed
    assert not judged("standard", y, evidence).passed


def test_ftz_changes_nothing_that_matters_on_ordinary_numbers():
    evidence = evidence_of(LAYER, single(LAYER, 0))
    ordinary, flushing = (parse_class(name).bound(evidence) for name in ("standard", "ftz"))
    assert (ordinary <= flushing).all()
    assert (flushing <= ordinary * (1 + 1e-12)).all()


# ---- the bounds are the formulas --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("standard:float32", {24: 24}), ("standard:bfloat16", {8: 24}), ("reduced:tf32", {11: 2, 24: 24}),
        ("reduced:bf16", {8: 2, 24: 24}), ("split:4:bfloat16", {24: 24, 8: 4}), ("split:3:float16", {24: 24, 11: 3}),
    ],
)  # fmt: skip
def test_the_bound_is_the_formula_rounded_up(name, factors):
    problem = ConvProblem(batch=1, in_channels=4, out_channels=2, input_size=(3, 3), kernel_size=(2, 3))
    evidence = evidence_of(problem, single(problem, 1) | {"bias": None})
    exactly = Fraction(1)
    for precision, count in factors.items():
        exactly *= (1 + Fraction(1, 2**precision)) ** count
    for bound, magnitude in zip(parse_class(name).bound(evidence).flat, evidence.magnitude.flat, strict=True):
        formula = (exactly - 1) * Fraction(magnitude)
        assert formula <= Fraction(bound) <= formula * (1 + Fraction(1, 10**4))


@pytest.mark.parametrize("name", ["winograd:2", "winograd:4", "fft", "ftz", "reduced:tf32", "split:2:float16"])
@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight", "grad_bias"])
@pytest.mark.parametrize("problem", [LAYER, GROUPED], ids=str)
def test_no_class_allows_less_than_plain_arithmetic(name, operation, problem):
    evidence = evidence_of(problem, single(problem, 2), operation=operation)
    plain = parse_class("standard").bound(evidence)
    bound = parse_class(name).bound(evidence)
    assert bound.shape == evidence.magnitude.shape
    assert (bound >= plain).all()


def test_the_winograd_bound_uses_the_window_and_the_channel():
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(3, 9), kernel_size=(3, 3))
    x, weight = np.zeros((1, 1, 3, 9), np.float32), np.full((1, 1, 3, 3), 0.5, np.float32)
    x[0, 0, 1, 8] = 8
    bound = parse_class("winograd:2").bound(evidence_of(problem, {"x": x, "weight": weight, "bias": None}))
    formula = growth(2 * 5 + 1, 24) * 16 * 8 * 4.5
    # outputs 5 and 6 can share a tile of two with one that reads column 8; outputs below 5 cannot
    assert (bound[0, 0, 0, :5] < 1e-40).all()
    np.testing.assert_allclose(bound[0, 0, 0, 5:], formula, rtol=1e-12)


# ---- equality where nothing rounds ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["exact", "standard", "standard:float64", "ftz", "split:2:float32"])
def test_exact_cases_stay_equality_where_the_sums_fit(name):
    tensors = integers(LAYER, 0)
    evidence = evidence_of(LAYER, tensors, exact_fill=True)
    y = evidence.truth.copy()
    assert judged(name, y, evidence).passed
    y.flat[7] = np.nextafter(y.flat[7], np.float32(np.inf))
    assert judged(name, y, evidence).wrong == 1


@pytest.mark.parametrize("name", ["standard:bfloat16", "reduced:bf16", "winograd:2", "fft", "split:2:bfloat16"])
def test_exact_cases_are_judged_by_the_interval_where_arithmetic_rounds(name):
    tensors = integers(LAYER, 0, largest=1000)
    lo, hi, _ = parse_class(name).interval(evidence_of(LAYER, tensors, exact_fill=True))
    assert (lo < hi).all()


def test_integers_are_equality_in_every_class():
    rng = np.random.default_rng(3)
    tensors = {"x": rng.integers(-128, 128, LAYER.x_shape, np.int8),
               "weight": rng.integers(-128, 128, LAYER.weight_shape, np.int8), "bias": None}  # fmt: skip
    evidence = evidence_of(LAYER, tensors, "int32")
    for name in ("winograd:4", "fft", "reduced:bf16", "tosa", "standard:int32"):
        assert judged(name, evidence.truth, evidence).passed
        lo, hi, magnitude = parse_class(name).interval(evidence)
        assert lo is hi is evidence.truth
        assert magnitude is evidence.magnitude
        assert judged(name, evidence.truth + 1, evidence).wrong == evidence.truth.size


def test_a_bias_of_finer_steps_than_the_products_does_not_fit():
    tensors = integers(LAYER, 0, largest=3)
    for bias, fits in ((1.0, True), (2.0**-30, False), (2.0**-160, False)):
        evidence = evidence_of(LAYER, tensors | {"bias": np.full(5, bias)})
        assert evidence.fits(FLOAT32) is fits
    assert evidence_of(LAYER, tensors | {"bias": None}).fits(FLOAT32)
    fine = {name: tensor * np.float32(2.0**-20) for name, tensor in tensors.items()} | {"bias": np.full(5, 64.0)}
    assert not evidence_of(LAYER, fine).fits(FLOAT32)  # the steps are those of the products


def test_small_numbers_fit_as_well_as_large_ones():
    """Sums of up to 2**24 steps are exact in float32, whatever a step is; of twice as many they are not."""
    for steps, fits in ((2**24, True), (2**24 + 2, False)):
        for scale in (1, 2.0**-60, 2.0**60):
            x = np.array([[[[steps - 1, 1]]]]) * scale
            problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(1, 2), kernel_size=(1, 2))
            evidence = evidence_of(problem, {"x": x, "weight": np.ones((1, 1, 1, 2)), "bias": None})
            assert evidence.fits(FLOAT32) is fits


@pytest.mark.parametrize("name", ["standard", "ftz", "fft", "winograd:2", "reduced:tf32", "split:2:float32", "tosa"])
def test_a_finite_sum_of_magnitudes_that_no_float64_holds_is_judged(name):
    problem = ConvProblem(batch=1, in_channels=3, out_channels=1, input_size=(3, 3), kernel_size=(3, 3))
    x = np.zeros(problem.x_shape)
    x[0, :, 1, 1] = 1.5e308, -1.5e308, 7
    evidence = evidence_of(problem, {"x": x, "weight": np.ones(problem.weight_shape), "bias": None}, "float64")
    assert evidence.truth.ravel().tolist() == [7]
    assert judged(name, np.full((1, 1, 1, 1), 7.0), evidence).passed
    assert not judged(name, np.full((1, 1, 1, 1), np.nan), evidence).passed


def test_where_there_is_no_result_every_accumulator_fits():
    nobody = ConvProblem(**(LAYER.as_dict() | {"batch": 0}))
    assert evidence_of(nobody, integers(nobody, 0)).fits(get_format("float8_e5m2"))


# ---- tosa -------------------------------------------------------------------------------------------------------


def test_tosa_accepts_honest_arithmetic_and_names_what_the_whole_tensor_breaks():
    tensors = single(LAYER, 0)
    evidence = evidence_of(LAYER, tensors)
    y = direct.forward(tensors["x"], tensors["weight"], tensors["bias"], LAYER)
    assert judged("tosa", y, evidence).passed
    step = np.ldexp(evidence.magnitude, -24)
    verdict = judged("tosa", (evidence.truth + 1.9 * 73 * step).astype(np.float32), evidence)
    assert (verdict.wrong, verdict.passed) == (0, False)
    assert "the errors' squares add up to" in verdict.violation
    verdict = judged("tosa", (evidence.truth + 3 * step).astype(np.float32), evidence)
    assert "the errors add up to" in verdict.violation
    assert judged("tosa", (evidence.truth + 2.1 * 73 * step).astype(np.float32), evidence).wrong == y.size


def near_one(signs, units):
    """Judge results of one product each, 1 or -1, that err by so many of tosa's units of 2**-24."""
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(len(signs),), kernel_size=(1,))
    tensors = {"x": np.float32(signs).reshape(1, 1, -1), "weight": np.ones((1, 1, 1), np.float32), "bias": None}
    got = np.float32(np.array(signs) + np.array(units) * 2.0**-24).reshape(1, 1, -1)
    return judged("tosa", got, evidence_of(problem, tensors))


def test_tosa_names_a_sum_of_squares_above_its_limit():
    """1.6 times 5 results are 8."""
    assert near_one([1] * 5, [2, -2, 0, 0, 0]).passed
    verdict = near_one([1] * 5, [2, -2, -1, 0, 0])
    assert verdict.violation == "the errors' squares add up to 9, above 8"
    assert not verdict.passed


def test_tosa_names_a_sum_of_errors_above_its_limit():
    """The root of 16 times 64 results is 32."""
    signs = [1, -1] * 32
    assert near_one(signs, [2, 0] * 16 + [0] * 32).passed
    assert near_one(signs, [2, 0] * 17 + [0] * 30).violation == "the errors add up to 34, above 32"
    assert near_one(signs[:63], [2, 0] * 17 + [0] * 29).passed  # too few for anything to be said about their sum


def test_the_interval_of_tosa_has_the_magnitude_with_it():
    evidence = evidence_of(LAYER, single(LAYER, 0))
    assert parse_class("tosa").interval(evidence).magnitude is evidence.magnitude
