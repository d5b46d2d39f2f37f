"""How im2col cuts its work: as few blocks as the budget and a cache allow."""

from dataclasses import replace

import array_api_strict
import numpy as np
import pytest
from elsewhere import Elsewhere
from problems import integer_tensors

from refconv import ConvProblem
from refconv.reference import columns, depthwise, direct, im2col, sparse
from refconv.reference.columns import ON_A_DEVICE, buffers

LAYER = ConvProblem(batch=4, in_channels=3, out_channels=5, input_size=(4, 6), kernel_size=(2, 3))
NUMBERS = 4 * (3 * 4) * (3 * 6 + 5)  # of each image, at each output position: the columns and the product


@pytest.mark.parametrize(("like", "size"), [
    (np.empty(0), 8),
    (np.empty(0, np.float32), 4),
    (array_api_strict.empty(0, dtype=array_api_strict.float64), 8),
    (array_api_strict.empty(0, dtype=array_api_strict.float32), 8),  # the standard has no word for the size
])  # fmt: skip
def test_a_block_is_as_large_as_the_budget(like, size):
    """One byte less, and there are two."""
    assert [room.shape for _, room in buffers(like, LAYER, size * NUMBERS)] == [(3, 2, 3, 4, 3, 4)]
    assert len(list(buffers(like, LAYER, size * NUMBERS - 1))) == 2


def test_a_layer_without_inputs_takes_its_products_alone():
    layer = replace(LAYER, in_channels=0, out_channels=1)
    assert len(list(buffers(np.empty(0), layer, 8 * 48))) == 1
    assert len(list(buffers(np.empty(0), layer, 8 * 48 - 1))) == 2


@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight"])
def test_depthwise_layers_are_multiply_adds_but_on_a_device(operation, monkeypatch):
    problem = ConvProblem(batch=2, in_channels=2, out_channels=2, groups=2, input_size=(4, 5), kernel_size=(2, 3))
    names = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
             "grad_weight": ("x", "grad_output")}[operation]  # fmt: skip
    tensors = [integer_tensors(problem)[name] for name in names]
    expected = getattr(direct, operation)(*tensors, problem)
    monkeypatch.setattr(depthwise, operation, None)
    with pytest.raises(TypeError):
        getattr(im2col, operation)(*tensors, problem)
    np.testing.assert_array_equal(getattr(im2col, operation)(*map(Elsewhere, tensors), problem).get(), expected)


def test_a_device_has_a_budget_of_its_own():
    there = Elsewhere(np.empty(0))
    budget = -(-8 * NUMBERS // ON_A_DEVICE)
    assert len(list(buffers(there, LAYER, budget))) == 1
    assert len(list(buffers(there, LAYER, budget - 1))) == 2


@pytest.mark.parametrize(("width", "blocks"), [(18, 1), (19, 2)])
def test_large_images_have_columns_of_their_own_but_on_a_device(width, blocks):
    """From 256 outputs on."""
    problem = ConvProblem(batch=2, in_channels=1, out_channels=1, input_size=(17, width), kernel_size=(2, 4))
    assert len(list(buffers(np.empty(0), problem, 2**22))) == blocks
    assert len(list(buffers(Elsewhere(np.empty(0)), problem, 2**22))) == 1


@pytest.mark.parametrize(("stride", "unused"), [
    ((1, 1), "_copy_taps"),  # 20 numbers of a channel are read, and its columns have 32
    ((2, 1), "_copy_taps"),  # 16 and 16
    ((3, 1), "_patch"),  # 20 and 16
    ((2, 2), "_patch"),  # 12 and 8
])  # fmt: skip
def test_a_patch_is_copied_unless_it_is_larger_than_its_columns(stride, unused, monkeypatch):
    problem = ConvProblem(batch=1, in_channels=2, out_channels=2, input_size=(5, 4), kernel_size=(2, 1), stride=stride)
    tensors = [integer_tensors(problem)[name] for name in ("x", "weight", "bias")]
    monkeypatch.setattr(columns, unused, None)
    np.testing.assert_array_equal(im2col.forward(*tensors, problem), direct.forward(*tensors, problem))


def test_sparse_takes_one_row_at_a_time_where_the_budget_is_less(monkeypatch):
    monkeypatch.setattr(sparse, "BUDGET", 1)
    assert len(list(sparse._blocks(LAYER))) == 5 * 3 * 4


@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight"])
def test_a_block_in_the_middle_or_at_the_end_of_an_axis_reads_what_is_its_own(operation, monkeypatch):
    """Four blocks of up to six outputs, the last ones of which meet padding: taps are copied, for a patch is larger."""
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(80,), kernel_size=(3,), stride=(4,),
                          padding=((9, 7),))  # fmt: skip
    monkeypatch.setattr(im2col, "BUDGET", 8 * 4 * 6)
    monkeypatch.setattr(depthwise, "serves", lambda problem: False)
    monkeypatch.setattr(columns, "_patch", None)
    names = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
             "grad_weight": ("x", "grad_output")}[operation]  # fmt: skip
    tensors = [integer_tensors(problem)[name] for name in names]
    np.testing.assert_array_equal(
        getattr(im2col, operation)(*tensors, problem), getattr(direct, operation)(*tensors, problem)
    )
