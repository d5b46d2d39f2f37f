"""Recovery tells what was added, and says so where it cannot."""

import numpy as np
import pytest

from refconv.diagnosis.defects import all_defects
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.recover import recover
from refconv.problem import ConvProblem
from refconv.reference import im2col

PROBLEM = ConvProblem.from_descriptor("n2c2i4x5-k4w2x3-s2x1-d1x1-p1+0x0+1-g2-o2x4")


def recovered(forward, problem=PROBLEM, **options):
    return recover("forward", problem, lambda inputs: forward(**inputs), **options)


def plain(x, weight, bias):
    return Layer().forward(x, weight, bias, PROBLEM)


def test_all_terms_of_one_result_are_told_apart():
    small = ConvProblem.from_descriptor("n1c1i3x4-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o3x3")
    found = recovered(
        lambda x, weight, bias: np.full(small.y_shape, x.sum() * weight[:, :, 0, 0].sum()), small, seconds=60
    )
    assert found.faithful
    assert len(found.products) == 18 * 12 * 2  # every output, of every pixel, of the first tap of both channels


def test_mixed_images_are_seen():
    found = recovered(lambda x, weight, bias: plain(x[::-1], weight, bias))
    assert found.faithful
    assert {(int(y) // 32, int(x) // 40) for y, x in zip(found.products.y, found.products.x, strict=True)} == {
        (0, 1),
        (1, 0),
    }


@pytest.mark.parametrize(
    ("bent", "words"),
    [
        (lambda y: y + 1, "a constant is added"),
        (lambda y: np.maximum(y, 0), "no sum of products"),
        (lambda y: np.clip(y, -100, 100), ""),
    ],
)
def test_what_is_not_bilinear_is_said_to_be(bent, words):
    found = recovered(lambda x, weight, bias: bent(plain(x, weight, bias)))
    assert not found.faithful
    assert words in found.remark


def test_infinities_that_come_of_finite_inputs_are_said_to():
    found = recovered(lambda x, weight, bias: plain(x, weight, bias) + (np.inf if x.any() else 0))
    assert (found.faithful, found.remark) == (
        False, "it returns infinities or NaN for inputs of a few large integers."
    )  # fmt: skip


def test_recovery_gives_up_in_time():
    found = recovered(plain, seconds=0.0)
    assert (found.faithful, found.remark) == (False, "its calls take too long to look closer.")


@pytest.mark.parametrize("largest", [0, 2**22])
def test_codes_of_any_width_give_the_same(largest):
    found = recovered(lambda x, weight, bias: plain(x, weight, 3 * bias), largest=largest)
    assert found.faithful
    assert set(found.linear.matrix.ravel()) == {0, 3}


def test_many_neighbours_that_meet_in_one_result_take_few_calls():
    problem = ConvProblem.from_descriptor("n1c2i4x5-k3w4x3-s1x1-d1x1-p3+2x2+1-g1-o6x6")
    layer = all_defects()["padding-replicated"]()
    found = recover("grad_input", problem, lambda inputs: layer.grad_input(**inputs, problem=problem), seconds=60)
    assert found.faithful
    assert found.calls < 1500  # 2613 by halves that are not interleaved


MANY = ConvProblem.from_descriptor("n65536c1i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1")


def test_many_elements_are_read_at_once():
    def swapped(inputs):
        y = im2col.forward(**inputs, problem=MANY)
        y[[7, 65535]] = y[[65535, 7]]
        return y

    found = recover("forward", MANY, swapped, 60)
    assert found.faithful
    assert found.calls < 20
    assert found.products.x.tolist() == [*range(7), 65535, *range(8, 65535), 7]


@pytest.mark.parametrize(("bound", "largest"), [("MOST_TERMS", 2**22), ("MOST", 0)])
def test_a_problem_that_is_too_large_is_said_to_be(monkeypatch, bound, largest):
    monkeypatch.setattr(f"refconv.diagnosis.recover.{bound}", 65535)
    recovery = recover("forward", MANY, lambda inputs: im2col.forward(**inputs, problem=MANY), 60, largest)
    assert not recovery.faithful
    assert recovery.remark == "the problem is too large."
