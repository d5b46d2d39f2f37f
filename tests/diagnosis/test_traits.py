"""What wrong problems have in common, and what wrong shapes give away."""

import pytest

from refconv import ConvProblem
from refconv.diagnosis.probes import probes
from refconv.diagnosis.traits import TRAITS, shape_hint, telling

PROBLEM = ConvProblem.from_descriptor("n2c6i6x9-k4w3x3-s2x2-d1x1-p1+1x1+1-g1-o3x5")


@pytest.mark.parametrize("trait", TRAITS)
def test_a_trait_holds_on_some_probes_but_not_on_all(trait):
    assert {TRAITS[trait](probe.problem) for probe in probes()} == {True, False}


def test_nothing_is_telling_where_everything_goes_wrong():
    assert telling([PROBLEM], []) == []


@pytest.mark.parametrize(
    ("operation", "shape", "words"),
    [
        ("grad_input", (2, 6, 0, 9), "a crop [p:-p]"),
        ("grad_input", (2, 6, 8, 11), "crop the padding off"),
        ("grad_input", (2, 6, 9, 6), "height and width are exchanged"),
        ("forward", (2, 4, 4, 5), "rounded up"),
        ("forward", (4, 2, 3, 5), "another order or merged"),
        ("grad_bias", (2, 4), "a sum is missing"),
        ("grad_bias", (4, 1), "another order or merged"),
        ("grad_weight", (1, 2, 3), ""),
    ],
)
def test_a_wrong_shape_says_what_it_usually_means(operation, shape, words):
    hint = shape_hint(operation, PROBLEM, shape)
    assert words in hint
    assert bool(words) == bool(hint)
