from dataclasses import replace

import numpy as np
import pytest
from problems import real_tensors

from refconv import ConvProblem
from refconv.formats import get_format
from refconv.judge import Evidence, companion
from refconv.judge.statistics import Statistics, expected_error, is_zero_mean

FLOAT32 = get_format("float32")
LAYER = ConvProblem(batch=1, in_channels=64, out_channels=8, input_size=(6, 7), kernel_size=(3, 3))


def evidence_of(tensors):
    cast = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    return Evidence("forward", cast, LAYER, FLOAT32)


def sequential(evidence):
    """Add one product after the other, every step rounded to float32."""
    x, weight, bias = (evidence.tensors[name] for name in ("x", "weight", "bias"))
    y = np.zeros(LAYER.y_shape, np.float32)
    oH, oW = LAYER.output_size
    for c, i, j in np.ndindex(64, 3, 3):
        y += x[:, None, c, i : i + oH, j : j + oW] * weight[None, :, c, i, j, None, None]
    return y + bias[:, None, None]


@pytest.mark.parametrize("seed", range(5))
def test_sequential_sums_err_as_the_model_says(seed):
    evidence = evidence_of(real_tensors(LAYER, seed))
    found = companion(sequential(evidence), evidence, FLOAT32)
    assert 0.8 < found.rms < 1.2
    assert found.largest < 6
    assert not found.suspicious


def test_the_expected_error_is_the_formula():
    evidence = evidence_of(real_tensors(LAYER, 0))
    y, n = evidence.truth.astype(np.float64), 577
    squares = evidence.squares
    formula = 0.42 * 2.0**-24 * np.sqrt(n * (y**2 / 3 + squares / 6) + squares)
    np.testing.assert_allclose(expected_error(evidence, FLOAT32), formula, rtol=1e-12)


def test_the_hypothesis_is_read_from_the_numbers():
    tensors = real_tensors(LAYER, 0)
    assert is_zero_mean(evidence_of(tensors))
    assert not is_zero_mean(evidence_of({name: np.abs(tensor) for name, tensor in tensors.items()}))
    cancelling = dict(tensors, weight=np.ones(LAYER.weight_shape), bias=np.zeros(8))
    cancelling["x"][:, 1::2] = -cancelling["x"][:, ::2]
    assert not is_zero_mean(evidence_of(cancelling))


def test_the_model_is_silent_where_its_hypothesis_does_not_hold():
    evidence = evidence_of({name: np.abs(tensor) for name, tensor in real_tensors(LAYER, 0).items()})
    assert companion(evidence.truth, evidence, FLOAT32) is None


def test_the_model_is_silent_where_nothing_rounds_and_for_integers():
    evidence = evidence_of(real_tensors(LAYER, 0))
    assert companion(evidence.truth, evidence, FLOAT32) is not None
    for change in ({"exact_fill": True}, {"out": get_format("int32")}):
        assert companion(evidence.truth, replace(evidence, **change), FLOAT32) is None


@pytest.mark.parametrize(
    ("rms", "largest", "suspicious"),
    [(1.5, 16, False), (1.51, 3, True), (0.9, 16.1, True), (float("nan"), 1, True), (1, float("nan"), True)],
)
def test_errors_are_suspicious_as_a_whole_or_because_of_one(rms, largest, suspicious):
    assert Statistics(100, rms, largest).suspicious is suspicious


def sums(x, **fields):
    """Return the evidence of results that are sums of the given products, one row for each."""
    extents = {"out_channels": 1, "input_size": (1,), "kernel_size": (1,)}
    problem = ConvProblem(batch=len(x), in_channels=len(x[0]), **extents, **fields)
    tensors = {"x": np.float32(x)[..., None], "weight": np.ones(problem.weight_shape, np.float32), "bias": None}
    return Evidence("forward", tensors, problem, FLOAT32)


@pytest.mark.parametrize("other", [0, 1])
def test_the_mean_square_of_the_results_is_a_quarter_to_four_times_that_of_the_products(other):
    """Of 64 results 8 are 2 and the others 0: 1/2 on average, of products whose squares add up to 2."""
    assert is_zero_mean(sums([[1, 1]] * (8 - other) + [[1, -1]] * (56 + other))) is (other == 0)
    assert is_zero_mean(sums([[1, 1, 1, 1, 0]] * (64 - other) + [[1, 1, 1, 1, 1]] * other)) is (other == 0)


def test_fewer_than_64_results_and_zeros_tell_nothing():
    assert is_zero_mean(sums([[1.0, 0.0]] * 64))
    assert not is_zero_mean(sums([[1.0, 0.0]] * 63))
    zeros = sums([[0.0, 0.0]] * 64)
    assert not is_zero_mean(zeros)
    assert companion(zeros.truth, zeros, FLOAT32) is None


def test_elements_that_see_no_product_are_not_counted():
    evidence = sums([[1.0, 0.5]] * 64, padding=((1, 0),))
    found = companion(evidence.truth, evidence, FLOAT32)
    assert evidence.truth.size == 128
    assert (found.elements, found.rms, found.largest) == (64, 0.0, 0.0)
