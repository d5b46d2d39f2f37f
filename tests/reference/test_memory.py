"""Beside its result a reference takes no more memory than it says, whatever the problem; of each block, that is."""

import tracemalloc

import numpy as np
import pytest
from problems import integer_tensors

from refconv import ConvProblem
from refconv.reference import depthwise, im2col, sparse

BUDGET = 2**16
SMALL = 2**14  # what Python itself takes meanwhile: slices, views, the list of blocks
PADDED = ((1, 0), (2, 1))
PROBLEMS = {
    "plain": ConvProblem(batch=4, in_channels=8, out_channels=4, groups=2, input_size=(30, 31), kernel_size=(3, 2),
                         padding=PADDED),
    "strided": ConvProblem(batch=4, in_channels=8, out_channels=4, groups=2, input_size=(60, 61), kernel_size=(3, 2),
                           stride=(4, 3), padding=PADDED),
    "many small images": ConvProblem(batch=64, in_channels=8, out_channels=4, groups=2, input_size=(10, 11),
                                     kernel_size=(3, 2), padding=PADDED),
    "many outputs": ConvProblem(batch=64, in_channels=1, out_channels=40, input_size=(10, 11), kernel_size=(1, 2)),
    "depthwise": ConvProblem(batch=4, in_channels=12, out_channels=12, groups=12, input_size=(30, 31),
                             kernel_size=(3, 2), padding=PADDED),
}  # fmt: skip
POINTWISE = ConvProblem(batch=4, in_channels=8, out_channels=12, input_size=(30, 31), kernel_size=(1, 1))
HEAVY = ConvProblem(batch=1, in_channels=64, out_channels=48, input_size=(5, 4), kernel_size=(3, 3))
each_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))
ARGUMENTS = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
             "grad_weight": ("x", "grad_output")}  # fmt: skip
each_operation = pytest.mark.parametrize("operation", list(ARGUMENTS))


@pytest.fixture(autouse=True)
def small_budgets(monkeypatch):
    """Let a small problem be cut into many blocks."""
    monkeypatch.setattr(im2col, "BUDGET", BUDGET)
    monkeypatch.setattr(sparse, "BUDGET", BUDGET)
    monkeypatch.setattr(depthwise, "CACHE", BUDGET)


def extra_bytes(reference, operation, problem, dtype=np.float64):
    """Return how much memory an operation takes at most, beside its arguments and its result."""
    tensors = integer_tensors(problem, dtype=dtype) | {"bias": None}
    arguments = [*(tensors[name] for name in ARGUMENTS[operation]), problem]
    getattr(reference, operation)(*arguments)  # what is imported and cached is no part of it
    tracemalloc.start()
    try:
        result = getattr(reference, operation)(*arguments)
        return tracemalloc.get_traced_memory()[1] - result.nbytes
    finally:
        tracemalloc.stop()


@each_operation
@each_problem
def test_im2col_takes_a_block_of_columns_and_what_it_copies_into_them(operation, problem):
    """Columns and product of a block are the budget; the patch that columns are copied from is no larger than they."""
    assert extra_bytes(im2col, operation, problem) <= 2 * BUDGET + SMALL


@pytest.mark.parametrize("operation", ["forward", "grad_input"])
def test_im2col_does_not_copy_weights(operation):
    """They are more than three times the budget."""
    assert extra_bytes(im2col, operation, HEAVY) <= BUDGET + SMALL


@each_operation
def test_a_kernel_of_one_tap_needs_no_columns(operation):
    assert extra_bytes(im2col, operation, POINTWISE) <= SMALL


@pytest.mark.parametrize("operation", ["forward", "grad_input"])
@each_problem
def test_sparse_takes_a_block_of_rows_and_unrolled_tensors(operation, problem):
    tensors = integer_tensors(problem)
    unrolled = tensors["x"].nbytes + tensors["grad_output"].nbytes
    assert extra_bytes(sparse, operation, problem) <= BUDGET + unrolled + SMALL


@each_problem
def test_sparse_projects_the_entries_of_a_block_of_rows(problem):
    assert extra_bytes(sparse, "grad_weight", problem) <= BUDGET + SMALL


@pytest.mark.parametrize("problem", [PROBLEMS[name] for name in ("plain", "strided", "many small images")])
def test_im2col_holds_more_of_the_smaller_numbers(problem):
    for dtype in (np.float32, np.float64):
        assert BUDGET * 3 // 4 <= extra_bytes(im2col, "grad_weight", problem, dtype) <= 2 * BUDGET + SMALL


def test_depthwise_holds_more_of_the_smaller_numbers():
    for dtype, least in ((np.float32, BUDGET * 3 // 4), (np.float64, BUDGET // 2)):
        assert least <= extra_bytes(im2col, "grad_weight", PROBLEMS["depthwise"], dtype) <= BUDGET + SMALL


@each_operation
def test_depthwise_takes_one_channel_where_the_budget_is_less(operation, monkeypatch):
    monkeypatch.setattr(depthwise, "CACHE", 1)
    channel = 8 * 3 * 31 * 34  # planes, outputs and products, with the padding
    assert extra_bytes(im2col, operation, PROBLEMS["depthwise"]) <= 2 * channel  # of two, there would be as much again


@pytest.mark.parametrize("problem", [PROBLEMS[name] for name in ("plain", "strided", "many small images")])
def test_sparse_makes_use_of_the_budget(problem):
    """Blocks as small as may be would keep to every limit, and would be slow."""
    assert extra_bytes(sparse, "grad_weight", problem) >= BUDGET // 3
