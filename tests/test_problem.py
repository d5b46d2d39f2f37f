import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import every_problem

from refconv import ConvProblem, GeometryError, TensorError
from refconv.problem import OversizedProblem, output_length

LEGAL = dict(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9), kernel_size=(3, 2))


# Written by hand: length, kernel, stride, dilation, padding -> places where the kernel fits.
@pytest.mark.parametrize(
    ("length", "kernel", "stride", "dilation", "padding", "places"),
    [
        (4, 3, 1, 1, (0, 0), 2),
        (5, 4, 1, 1, (2, 2), 6),
        (5, 3, 1, 1, (1, 1), 5),
        (5, 3, 1, 1, (2, 2), 7),
        (5, 3, 2, 1, (0, 0), 2),
        (5, 3, 2, 1, (1, 1), 3),
        (6, 3, 2, 1, (1, 1), 3),  # one row of padding is left over
        (7, 3, 1, 2, (0, 0), 3),
        (6, 3, 2, 1, (0, 0), 2),  # leftover of one
        (10, 2, 3, 1, (0, 0), 3),  # leftover of two
        (224, 7, 2, 1, (3, 3), 112),
        (112, 3, 2, 1, (1, 1), 56),
        (8, 3, 2, 1, (0, 1), 4),  # as frameworks pad SAME
        (1, 1, 5, 9, (0, 0), 1),
        (9, 2, 4, 1, (0, 0), 2),
        (11, 4, 3, 2, (2, 1), 3),
        (1, 3, 1, 4, (4, 4), 1),
        (3, 4, 1, 1, (0, 0), 0),
    ],
)
def test_output_length_counts_the_places_and_floors(length, kernel, stride, dilation, padding, places):
    assert output_length(length, kernel, stride, dilation, padding) == places


@given(every_problem())
def test_output_length_counts_the_places_one_by_one(problem):
    for axis, (begin, end) in enumerate(problem.padding):
        reach = problem.dilation[axis] * (problem.kernel_size[axis] - 1) + 1
        places = range(0, problem.input_size[axis] + begin + end - reach + 1, problem.stride[axis])
        assert problem.output_size[axis] == len(places)


@given(every_problem())
def test_the_descriptor_says_everything(problem):
    assert ConvProblem.from_descriptor(problem.descriptor) == problem


@pytest.mark.parametrize(
    "text", ["", "n1c1i3x3", "n1c1i3x3-k1w2x2-s1x1-d1x1-p0x0-g1-o2x2", "n-1c1i3-k1w1-s1-d1-p0+0-g1-o3"]
)
def test_text_that_is_no_descriptor_is_refused(text):
    with pytest.raises(GeometryError, match="descriptor must look like"):
        ConvProblem.from_descriptor(text)


def test_the_example_in_the_refusal_is_a_descriptor():
    with pytest.raises(GeometryError) as refusal:
        ConvProblem.from_descriptor("layer 3")
    example = re.fullmatch(r"descriptor must look like (\S+), got 'layer 3'\.", str(refusal.value)).group(1)
    assert ConvProblem.from_descriptor(example).descriptor == example


def test_a_descriptor_with_another_output_size_is_refused():
    with pytest.raises(GeometryError, match=r"states the output size 3x3, but its geometry gives 2x2"):
        ConvProblem.from_descriptor("n1c1i3x3-k1w2x2-s1x1-d1x1-p0+0x0+0-g1-o3x3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(batch=-1), "batch must be 0 or more, got batch=-1."),
        (dict(groups=0), "groups must be 1 or more, got groups=0."),
        (dict(groups=4), "out_channels must be divisible by groups, got out_channels=6, groups=4."),
        (dict(in_channels=5), "in_channels must be divisible by groups, got in_channels=5, groups=2."),
        (dict(stride=(0, 1)), "stride must be 1 or more, got stride=(0, 1)."),
        (dict(dilation=(1, 0)), "dilation must be 1 or more, got dilation=(1, 0)."),
        (
            dict(padding=((0, -7), (0, 0))),
            "must leave an element of the input at either end, got (0, -7) on axis 0",
        ),
        (dict(padding=((0, 0), (-9, 20))), "must leave an element of the input at either end, got (-9, 20) on axis 1"),
        (dict(padding=((-3, -2), (0, 0))), "got on axis 0 a reach of 3 (kernel_size=3, dilation=1) in 2 elements"),
        (dict(input_size=(0, 9)), "input_size must be 1 or more, got input_size=(0, 9)."),
        (dict(kernel_size=(3, 0)), "kernel_size must be 1 or more, got kernel_size=(3, 0)."),
        (dict(stride=(1, 1, 1)), "stride must have one entry per axis of input_size, got stride=(1, 1, 1)"),
        (dict(input_size=()), "input_size must name at least one axis"),
        (dict(kernel_size=(8, 2)), "got on axis 0 a reach of 8 (kernel_size=8, dilation=1) in 7 elements"),
        (dict(dilation=(1, 9)), "got on axis 1 a reach of 10 (kernel_size=2, dilation=9) in 9 elements"),
        (dict(batch=1.0), "batch must be an integer, got 1.0."),
        (dict(groups=True), "groups must be an integer, got True."),
        (dict(input_size=7), "input_size must be a tuple with one integer per axis, got 7."),
        (dict(kernel_size="3x2"), "kernel_size must be a tuple with one integer per axis, got '3x2'."),
        (dict(padding=(1, 1)), "padding must be"),
        (dict(padding=((1, 1, 1), (0, 0))), "padding must be ((top, bottom), (left, right))"),
        (dict(batch=2**62), "x must hold at most 2**63 - 1 elements"),
    ],
)
def test_an_illegal_problem_is_refused_with_the_rule_and_the_numbers(change, message):
    with pytest.raises(GeometryError, match=re.escape(message)):
        ConvProblem(**(LEGAL | change))


def test_numpy_integers_are_integers():
    assert ConvProblem(**(LEGAL | dict(batch=np.int64(2), stride=np.array([2, 1])))).stride == (2, 1)


def test_no_images_and_no_channels_are_legal():
    problem = ConvProblem(**(LEGAL | dict(batch=0, in_channels=0, out_channels=0)))
    assert problem.x_shape == (0, 0, 7, 9)
    assert problem.y_shape == (0, 0, 5, 8)


@pytest.mark.parametrize(
    ("padding", "pairs"),
    [
        (1, ((1, 1), (1, 1))),
        ((2, 1), ((2, 2), (1, 1))),
        (((1, 0), (2, 3)), ((1, 0), (2, 3))),
        ([0, (1, 2)], ((0, 0), (1, 2))),
    ],
)
def test_padding_may_be_said_in_pytorchs_ways(padding, pairs):
    assert ConvProblem.from_shapes((1, 1, 5, 6), (1, 1, 2, 2), padding=padding).padding == pairs


# Written by hand: length, kernel, stride, dilation -> padding of same_upper; places.
SAME = [
    (5, 3, 1, 1, (1, 1), 5),
    (5, 2, 1, 1, (0, 1), 5),  # an odd total: the larger half at the end
    (5, 4, 1, 1, (1, 2), 5),
    (5, 3, 1, 2, (2, 2), 5),
    (7, 3, 2, 1, (1, 1), 4),
    (8, 3, 2, 1, (0, 1), 4),  # the stride decides: (1, 1) would be wrong
    (224, 7, 2, 1, (2, 3), 112),
    (9, 2, 4, 1, (0, 1), 3),
    (8, 2, 4, 1, (0, 0), 2),  # a leftover, nothing to add
    (9, 1, 4, 1, (0, 0), 3),
    (6, 4, 3, 2, (2, 2), 2),
    (3, 4, 5, 3, (3, 4), 1),
]


@pytest.mark.parametrize(("length", "kernel", "stride", "dilation", "upper", "places"), SAME)
@pytest.mark.parametrize("name", ["same", "SAME_UPPER", "same_lower"])
def test_same_resolves_to_the_padding_of_onnx_and_tensorflow(length, kernel, stride, dilation, upper, places, name):
    problem = ConvProblem.from_shapes((1, 1, length, 9), (1, 1, kernel, 1), padding=name, stride=(stride, 1),
                                      dilation=(dilation, 1))  # fmt: skip
    assert problem.padding == (upper[::-1] if name == "same_lower" else upper, (0, 0))
    assert problem.output_size == (places, 9)


@given(every_problem(), st.sampled_from(["same", "same_lower"]))
def test_same_gives_the_length_over_the_stride_rounded_up_with_the_least_padding(problem, name):
    said = ConvProblem.from_shapes(problem.x_shape, problem.weight_shape, problem.stride, name, problem.dilation,
                                   problem.groups)  # fmt: skip
    for axis, (length, stride) in enumerate(zip(said.input_size, said.stride, strict=True)):
        begin, end = said.padding[axis]
        assert said.output_size[axis] == -(-length // stride)
        assert end - begin in ((0, -1) if name == "same_lower" else (0, 1))
        if begin + end:
            less = output_length(length, said.kernel_size[axis], stride, said.dilation[axis], (begin + end - 1, 0))
            assert less < said.output_size[axis]


def test_valid_is_no_padding():
    assert ConvProblem.from_shapes((1, 1, 5, 6), (1, 1, 2, 3), padding="VALID").padding == ((0, 0), (0, 0))


def test_a_problem_that_crops_says_so_in_its_descriptor():
    problem = ConvProblem(**(LEGAL | dict(padding=((-1, 0), (2, -3)))))
    assert "-p-1+0x2+-3-" in problem.descriptor
    assert ConvProblem.from_descriptor(problem.descriptor) == problem
    assert problem.output_size == (4, 7)


@pytest.mark.parametrize(
    ("x", "weight", "more", "message"),
    [
        ((1, 3, 5, 5), (2, 2, 3, 3), {}, "x.shape[1] must equal weight.shape[1] * groups, got x.shape[1]=3"),
        ((1, 3, 5), (2, 3, 3, 3), {}, "with as many axes each"),
        ((3, 5), (2, 3), {}, "x must be (N, C, H, W) and weight (K, C/G, kH, kW)"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"padding": "full"}, "padding must be numbers or one of valid, same, same_upper"),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"padding": "same", "stride": 0}, "stride must be 1 or more"),
        (
            (1, 3, 5, 5),
            (2, 3, 3, 3),
            {"padding": "same", "dilation": (1, 2, 3)},
            "dilation must have one entry per axis",
        ),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"stride": 1.5}, "stride must be an integer, got 1.5."),
        ((1, 3, 5, 5), (2, 3, 3, 3), {"stride": (1, 2, 3)}, "stride must have one entry per axis"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x, weight, more, message):
    with pytest.raises(GeometryError, match=re.escape(message)):
        ConvProblem.from_shapes(x, weight, **more)


def test_a_tensor_of_another_shape_is_refused_by_name():
    with pytest.raises(TensorError, match=re.escape("grad_output must have shape (2, 6, 5, 8)")):
        ConvProblem(**LEGAL).check_tensor("grad_output", (2, 6, 8, 5))


@given(every_problem(), st.sampled_from(["forward", "grad_input", "grad_weight", "grad_bias"]))
def test_no_result_has_more_products_than_the_reduction_length(problem, operation):
    from refconv.reference import direct

    counted = np.zeros(problem.shape_of(operation))
    which = {"forward": 0, "grad_input": 1, "grad_weight": 2}
    for product in direct.products(problem):
        index = product[0][1:2] if operation == "grad_bias" else product[which[operation]]
        counted[index] += 1
    taps = np.prod(problem.weight_shape[1:]) if operation == "grad_bias" else 1
    assert counted.max(initial=0) <= max(1, taps) * problem.reduction_length(operation)


def test_taps_that_share_a_residue_are_all_counted():
    # stride 2 and dilation 4: both taps of an axis can meet the same input, 2 * 2 of them
    problem = ConvProblem(batch=1, in_channels=1, out_channels=3, input_size=(12, 11), kernel_size=(2, 2),
                          stride=(2, 2), dilation=(4, 4))  # fmt: skip
    assert problem.reduction_length("grad_input") == 3 * 2 * 2


OVERSIZED = dict(batch=1, in_channels=2, out_channels=3, input_size=(2, 4), kernel_size=(3, 2))


def test_a_kernel_above_the_input_exists_as_an_oversized_problem_alone():
    with pytest.raises(GeometryError, match="must fit into the padded input"):
        ConvProblem(**OVERSIZED)
    problem = OversizedProblem(**OVERSIZED)
    assert problem.y_shape == (1, 3, 0, 3)
    assert ConvProblem.from_descriptor(problem.descriptor) == problem
    with pytest.raises(GeometryError, match="an OversizedProblem must have a kernel that exceeds the padded input"):
        OversizedProblem(**(OVERSIZED | dict(input_size=(3, 4))))
    with pytest.raises(GeometryError, match="stride must be 1 or more"):
        OversizedProblem(**(OVERSIZED | dict(stride=(0, 1))))


def test_every_reference_gives_an_empty_result_for_an_oversized_problem():
    from refconv.reference import direct, im2col, sparse

    for sizes in [OVERSIZED, OVERSIZED | dict(input_size=(4, 1), kernel_size=(2, 3))]:
        problem = OversizedProblem(**sizes)
        x, weight, g = (np.ones(problem.shape_of(name)) for name in ("x", "weight", "grad_output"))
        for reference in (direct, sparse, im2col):
            assert reference.forward(x, weight, None, problem).shape == problem.y_shape
            assert not reference.grad_input(g, weight, problem).any()
            assert not reference.grad_weight(x, g, problem).any()
