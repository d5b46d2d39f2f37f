"""What could not be recovered is told by its place: which results are wrong, and whose share of a gradient."""

import re

import numpy as np
import pytest

from refconv.diagnosis.explain import explain
from refconv.diagnosis.layer import Layer
from refconv.diagnosis.observe import observe
from refconv.diagnosis.places import wrong_places
from refconv.diagnosis.probes import probe_of, probes
from refconv.implementations import as_runner
from refconv.problem import ConvProblem
from refconv.reference import im2col

MANY = probe_of(ConvProblem.from_descriptor("n600c1i1x4-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x3"))
PLAIN = probes()[0]


def places(operation, bent, probe=PLAIN, **how):
    """Bend the right result, and say where it is wrong."""
    function = getattr(im2col, operation)
    return wrong_places(operation, probe, lambda inputs: bent(function(**inputs, problem=probe.problem), inputs), **how)


def kept(y, mask):
    return np.where(mask, y, 0)


@pytest.mark.parametrize(
    ("operation", "bent", "words"),
    [
        ("forward", lambda y, _: kept(y, np.arange(5) < 4), "y is zero where ow == 4 (the last)"),
        ("forward", lambda y, t: np.where(np.arange(5) % 2, t["bias"][:, None, None], y),
         "y holds the bias alone where ow % 2 == 1 (odd)"),
        ("forward", lambda y, _: 3 * y + 1, "y is wrong everywhere"),
        ("grad_input", lambda g, _: g + (np.arange(7) == 0)[:, None, None], "grad_input is wrong where ic == 0 (the f"),
        ("grad_weight", lambda g, _: g + (np.arange(9) % 4 == 2).reshape(3, 3),
         "all of grad_weight that is wrong lies where kh % 2 == 0 (even), where some of it is right"),
        ("grad_bias", lambda g, _: kept(g, np.arange(5) != 2), "grad_bias is zero where k == 2"),
    ],
)  # fmt: skip
def test_wrong_results_are_told_by_their_indices_and_by_what_they_hold(operation, bent, words):
    assert places(operation, bent).startswith(f"On {PLAIN.problem}, {words}")


def test_what_is_right_has_no_place():
    assert places("forward", lambda y, _: y) == ""


def test_a_place_without_words_is_surrounded():
    def bent(y, _):
        y = y.copy()
        y[0, 0, 1, 2], y[0, 3, 2, 2], y[0, 0, 3, 1] = 0, 0, 0
        return y

    assert places("forward", bent).endswith(
        "all of y that is zero lies where n == 0 (the first), where some of it is right."
    )


def counted(often):
    """Return a gradient of the weights that counts each position of grad_output that often."""

    def grad_weight(inputs):
        times = often(*np.indices((MANY.problem.batch, *MANY.problem.output_size)))
        return im2col.grad_weight(inputs["x"], inputs["grad_output"] * times[:, None], MANY.problem)

    return grad_weight


@pytest.mark.parametrize(
    ("often", "words"),
    [
        (lambda n, oh, ow: n != 599, "grad_weight misses grad_output where n == 599 (the last)"),
        (lambda n, oh, ow: n < 300, "grad_weight misses grad_output where n >= 300"),
        (lambda n, oh, ow: 1 + (n == 70), "grad_weight counts grad_output wrongly where n == 70"),
        (lambda n, oh, ow: 1 + 2 * ((n == 7) & (ow == 1)),
         "grad_weight counts grad_output wrongly where n == 7 and ow == 1"),
        (lambda n, oh, ow: ow % 2, "grad_weight is wrong everywhere"),  # too many to look at each
    ],
)  # fmt: skip
def test_what_a_gradient_counts_wrongly_is_told(often, words):
    assert wrong_places("grad_weight", MANY, counted(often)) == f"On {MANY.problem}, {words}."


def test_a_gradient_of_the_bias_is_looked_at_as_well():
    def grad_bias(inputs):
        return inputs["grad_output"][:450].sum((0, 2, 3))

    assert wrong_places("grad_bias", MANY, grad_bias).endswith("grad_bias misses grad_output where n >= 450.")


def test_nothing_is_said_if_there_is_no_time():
    assert places("forward", lambda y, _: y + 1, seconds=-1) == ""


def test_an_explanation_of_what_is_too_large_says_where_it_is_wrong(monkeypatch):
    class Cut(Layer):
        def forward(self, x, weight, bias, problem):
            return kept(super().forward(x, weight, bias, problem), np.arange(problem.batch)[:, None, None, None] != 1)

    monkeypatch.setattr("refconv.diagnosis.recover.MOST", 10)
    runner = as_runner(Cut())
    items, _ = observe(runner, probes(), ["forward"])
    remark = explain(runner, "forward", items, [], seconds=0.4).remark
    assert re.fullmatch(r".*: the problem is too large\. On n\S+, y is zero where n == 1( \(the last\))?\.", remark)


def test_shares_are_not_looked_at_where_sums_of_ones_are_not_exact():
    narrow = probe_of(ConvProblem.from_descriptor("n1025c1i1x2-k2w1x2-s1x1-d1x1-p0+0x0+0-g1-o1x1"), "float16")
    text = wrong_places("grad_weight", narrow, lambda inputs: np.zeros((2, 1, 1, 2)))
    assert text == f"On {narrow.problem}, grad_weight is zero everywhere."
