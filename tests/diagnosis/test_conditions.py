"""The conditions of a fault are found, and no others."""

from dataclasses import replace
from math import prod

import pytest

from refconv.diagnosis.conditions import conditions
from refconv.problem import ConvProblem

FAILING = ConvProblem.from_descriptor("n2c70i9x8-k8w3x2-s2x1-d1x2-p1+0x2+1-g2-o4x9")
PLAIN = ConvProblem.from_descriptor("n2c70i9x8-k8w3x3-s1x1-d1x1-p0+0x0+0-g1-o7x6")

CASES = [
    (lambda p: p.groups > 1, ("groups >= 2",)),
    (lambda p: p.groups > 1 and p.output_size[1] % 4 != 0, ("groups >= 2", "oW % 4 != 0")),
    (lambda p: p.output_size[1] > 8 and p.output_size[1] % 8 != 0, ("oW > 8 and oW % 8 != 0",)),
    (lambda p: p.stride[0] != p.stride[1], ("sH != sW",)),
    (lambda p: p.kernel_size[1] % 2 == 0 and p.padding[1][0] > 0, ("pad left >= 1", "kW % 2 == 0 (even)")),
    (lambda p: True, ()),
    (lambda p: p.batch > 1, ("N >= 2",)),
    (lambda p: p.dilation[1] > 1 and p.batch % 2 == 0, ("N % 2 == 0 (even)", "dW >= 2")),
    (lambda p: p.input_size[0] != p.input_size[1], ("H != W",)),
    (lambda p: p.in_channels // p.groups >= 32, ("C/G >= 32",)),
    (lambda p: p.in_channels >= 32, ("C >= 32",)),
    (lambda p: p.in_channels // p.groups % 12 == 11, ("C/G % 12 == 11",)),
    (lambda p: p.in_channels % 35 == 0, ("C % 35 == 0",)),
    (lambda p: p.out_channels % 3 != 0, ("K % 3 != 0",)),
    (lambda p: p.out_channels % 3 != 0 and p.groups > 1, ("groups >= 2 and K % 3 != 0",)),
    (lambda p: prod(p.weight_shape[1:]) % 4 != 0, ("C/G*kH*kW % 4 != 0",)),
    (lambda p: prod(p.output_size) % 8 != 0, ("oH*oW % 8 != 0",)),
]


@pytest.mark.parametrize(("fails", "found"), CASES)
def test_conditions_are_found_with_their_thresholds(fails, found):
    assert conditions(FAILING, fails, seconds=60).found == found


def test_a_kernel_and_a_stride_that_must_be_just_so():
    found = conditions(PLAIN, lambda p: (p.kernel_size, p.stride) == ((3, 3), (1, 1)), seconds=60)
    assert set(found.found) == {"sH == 1", "kH == 3", "sW == 1", "kW == 3"}
    assert found.smallest.descriptor == "n1c1i3x3-k1w3x3-s1x1-d1x1-p0+0x0+0-g1-o1x1"


def test_problems_that_are_refused_count_as_nothing():
    found = conditions(FAILING, lambda p: True if p.groups == 2 else None, seconds=60)
    assert found.found == ()


def test_a_search_that_runs_out_of_time_says_so_and_does_not_say_that_nothing_matters():
    found = conditions(FAILING, lambda p: True, seconds=-1)
    assert not found.complete
    assert str(found) == f"It goes wrong as early as on {FAILING}; there was no time to find out what matters there."
    assert "no time to try" in str(replace(found, found=("N >= 2",)))


@pytest.mark.parametrize(("extents", "fails", "found"), [
    ({"batch": 65536}, lambda p: p.batch > 65535, "N >= 65536"),
    ({"input_size": (1, 9000)}, lambda p: p.input_size[1] > 8191, "oW >= 8192"),
])  # fmt: skip
def test_a_large_attribute_is_looked_at_first_and_takes_few_problems(extents, fails, found):
    problem = ConvProblem(**{"batch": 1, "in_channels": 1, "out_channels": 1, "input_size": (1, 1),
                             "kernel_size": (1, 1), **extents})  # fmt: skip
    asked = []

    def counted(p):
        asked.append(p)
        return fails(p) if len(asked) < 80 else None

    assert conditions(problem, counted, seconds=60).found == (found,)


def test_where_no_other_image_fails_the_fault_is_bound_to_this_one():
    found = conditions(FAILING, lambda p: p.input_size == (9, 8), seconds=60)
    assert (found.found, found.roomy) == (("oH == 9", "oW == 8"), found.smallest)


def test_a_size_that_others_share_the_output_of_is_told_by_the_input():
    found = conditions(FAILING, lambda p: p.stride[0] == 2 and p.input_size[0] == 9, seconds=60)
    assert found.found == ("sH == 2", "H == 9")  # which 10 shares the 5 rows of outputs with


@pytest.mark.parametrize("least", [17, 700, 3001])
def test_a_large_threshold_is_found_in_few_steps(least):
    problem = ConvProblem.from_descriptor("n1c4096i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1")
    found = conditions(
        problem, lambda p: (p.in_channels >= least and p.in_channels % 16 != 0) or p == problem, seconds=60
    )
    assert found.smallest.in_channels == least + (least % 16 == 0)
    assert found.tried < 600
