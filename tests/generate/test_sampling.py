"""Samples of large problems: what they hold, that they are right, and that one wrong element in them is found."""

import math

import numpy as np
import pytest

from refconv import ConvProblem, DisagreementError
from refconv.catalogue import CaseSpec, Row, cases
from refconv.formats import get_format
from refconv.generate import golden_case, sampling
from refconv.generate.consensus import agreed
from refconv.generate.tasks import Task
from refconv.reference import direct, im2col, sparse

PROBLEMS = [
    ConvProblem(batch=2, in_channels=6, out_channels=9, input_size=(8, 11), kernel_size=(3, 2), groups=3,
                stride=(2, 1), dilation=(1, 3), padding=((1, 0), (2, 4))),
    ConvProblem(batch=1, in_channels=4, out_channels=4, input_size=(5, 6), kernel_size=(2, 2), groups=4,
                padding=((3, 3), (4, 5))),
    ConvProblem(batch=1, in_channels=3, out_channels=2, input_size=(9, 7), kernel_size=(1, 1), stride=(3, 4)),
]  # fmt: skip
OPERATIONS = ["forward", "grad_input", "grad_weight", "grad_bias"]


def task_of(problem, operation):
    spec = CaseSpec("sampled-float32-exact", Row("demo", "", problem), "float32", "exact")
    return Task(spec.id, operation, problem, spec.inputs(), get_format("float32"), None)


@pytest.fixture
def everything_is_large(monkeypatch):
    monkeypatch.setattr(sampling, "LIMITS", {"direct": 0, "sparse": 0})


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_a_window_is_the_result_of_its_smaller_task(problem, operation):
    task = task_of(problem, operation)
    whole = agreed(task)["tensor"]
    for window in sampling.windows(task):
        np.testing.assert_array_equal(agreed(window.task)["tensor"], whole[window.at])


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_the_sample_of_y_holds_corners_and_the_last_row_and_column(problem):
    seen = np.zeros(problem.y_shape, bool)
    for window in sampling.windows(task_of(problem, "forward")):
        seen[window.at] = True
    for k in (0, -1):
        assert seen[:, k, [0, -1]].all()
        assert seen[:, k, :, [0, -1]].all()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_sample_changes_no_bit_of_the_golden_values(everything_is_large, monkeypatch, operation):
    sampled = agreed(task_of(PROBLEMS[0], operation))
    monkeypatch.setattr(sampling, "LIMITS", {})
    for name, values in agreed(task_of(PROBLEMS[0], operation)).items():
        assert values.tobytes() == sampled[name].tobytes()


@pytest.mark.parametrize("reference", [direct, sparse, im2col], ids=lambda module: module.name)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_wrong_last_element_is_found_in_the_sample(everything_is_large, monkeypatch, reference, operation):
    honest = getattr(reference, operation)

    def dissenting(*arguments):
        result = honest(*arguments)
        result[(-1,) * result.ndim] += 1
        return result

    monkeypatch.setattr(reference, operation, dissenting)
    with pytest.raises(DisagreementError, match=rf"sampled-float32-exact/demo: .* on {operation}"):
        agreed(task_of(PROBLEMS[0], operation))


def test_real_intervals_are_sampled_too(everything_is_large):
    spec = CaseSpec("sampled-float32-zero-mean", Row("demo", "", PROBLEMS[0]), "float32", "zero-mean")
    assert set(golden_case(spec).expected["y"].parts) == {"tensor", "lo", "hi", "magnitude"}


def test_nothing_of_core_is_sampled():
    for spec in cases("core"):
        for operation in spec.operations:
            assert all(sampling.computes_all(spec.problem, operation, reference) for reference in (direct, sparse))


def test_products_are_counted_from_the_extents():
    problem = PROBLEMS[0]
    assert sampling.count_products(problem, "forward") == math.prod(problem.y_shape) * 2 * 3 * 2
    assert sampling.count_products(problem, "grad_bias") == math.prod(problem.y_shape)
