import pytest

from refconv import ConvProblem, GeometryError
from refconv.illegal import IllegalProblem

LEGAL = {"batch": 1, "in_channels": 4, "out_channels": 6, "input_size": (5, 6), "kernel_size": (3, 2), "groups": 2}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"in_channels": 5}, "in_channels must be divisible by groups"),
        ({"out_channels": 5}, "out_channels must be divisible by groups"),
        ({"groups": 0}, "groups must be 1 or more"),
        ({"stride": (0, 1)}, "stride must be 1 or more"),
        ({"dilation": (1, 0)}, "dilation must be 1 or more"),
        ({"kernel_size": (0, 2)}, "kernel_size must be 1 or more"),
        ({"input_size": (0, 6)}, "input_size must be 1 or more"),
    ],
)
def test_the_broken_rule_is_the_one_that_a_problem_states(broken, rule):
    problem = IllegalProblem(**LEGAL | broken)
    assert problem.rule.startswith(rule)
    assert problem.output_size == (0, 0)
    assert problem.shape_of("x") and problem.shape_of("weight")  # noqa: PT018
    with pytest.raises(GeometryError, match=rule):
        ConvProblem(**LEGAL | broken)


def test_a_legal_problem_is_not_illegal():
    with pytest.raises(GeometryError, match="must break a rule"):
        IllegalProblem(**LEGAL)
