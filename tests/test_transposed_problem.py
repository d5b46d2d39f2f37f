"""The geometry of transposed convolutions: by hand, and through their adjoint."""

import re

import pytest
from hypothesis import given
from problems import every_problem, transposed_problems

from refconv import GeometryError, TransposedProblem
from refconv.problem import output_length
from refconv.reference import direct

LEGAL = dict(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(5, 7), kernel_size=(3, 2), stride=(2, 1))


# Written by hand: length, kernel, stride, dilation, padding, output_padding -> output.
@pytest.mark.parametrize(
    ("length", "kernel", "stride", "dilation", "padding", "extra", "output"),
    [
        (2, 3, 1, 1, (0, 0), 0, 4),
        (6, 4, 1, 1, (2, 2), 0, 5),
        (5, 3, 1, 1, (1, 1), 0, 5),
        (7, 3, 1, 1, (2, 2), 0, 5),
        (2, 3, 2, 1, (0, 0), 0, 5),
        (3, 3, 2, 1, (1, 1), 0, 5),
        (3, 3, 2, 1, (1, 1), 1, 6),
        (4, 4, 2, 1, (1, 1), 0, 8),  # the usual doubling
        (1, 1, 3, 1, (0, 0), 2, 3),
        (3, 2, 2, 3, (1, 0), 1, 8),
        (2, 2, 4, 1, (-1, 2), 0, 5),
        (3, 1, 1, 2, (0, 0), 1, 4),
    ],
)
def test_the_output_is_what_the_kernels_reach_less_padding(length, kernel, stride, dilation, padding, extra, output):
    problem = TransposedProblem(batch=1, in_channels=1, out_channels=1, input_size=(length,), kernel_size=(kernel,),
                                stride=(stride,), dilation=(dilation,), padding=(padding,),
                                output_padding=(extra,))  # fmt: skip
    assert problem.output_size == (output,)


@given(transposed_problems())
def test_the_adjoint_maps_the_output_back_to_the_input(problem):
    adjoint = problem.adjoint
    assert (adjoint.x_shape, adjoint.y_shape, adjoint.weight_shape) == (
        problem.y_shape, problem.x_shape, problem.weight_shape)  # fmt: skip
    back = TransposedProblem.of_adjoint(adjoint)
    assert (back.x_shape, back.y_shape, back.adjoint) == (problem.x_shape, problem.y_shape, adjoint)


@given(every_problem(smallest=1))
def test_every_convolution_that_reads_its_input_is_the_adjoint_of_a_transposed_one(problem):
    try:
        transposed = TransposedProblem.of_adjoint(problem)
    except GeometryError:  # strides may step over the whole input, from padding to padding
        assert next(direct.products(problem), None) is None
        return
    assert (transposed.x_shape, transposed.y_shape) == (problem.y_shape, problem.x_shape)
    for axis, pads in enumerate(transposed.adjoint.padding):
        assert output_length(problem.input_size[axis], problem.kernel_size[axis], problem.stride[axis],
                             problem.dilation[axis], pads) == problem.output_size[axis]  # fmt: skip


@given(transposed_problems())
def test_the_descriptor_says_everything(problem):
    assert TransposedProblem.from_descriptor(problem.descriptor) == problem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            dict(output_padding=(2, 0)),
            "must be 0 or more and less than stride or dilation, got 2 on axis 0 with stride=2",
        ),
        (dict(output_padding=(0, -1)), "output_padding must be 0 or more and less than stride or dilation, got -1"),
        (dict(output_padding=(1,)), "output_padding must have one entry per axis of input_size"),
        (dict(padding=((6, 5), (0, 0))), "padding must leave an element of the 11 that the input reaches, got (6, 5)"),
        (dict(padding=((11, -2), (0, 0))), "padding must leave an element of the 11"),
        (dict(padding=((-2, 11), (0, 0))), "padding must leave an element of the 11"),
        (dict(groups=4), "out_channels must be divisible by groups, got out_channels=6, groups=4."),
        (dict(stride=(0, 1)), "stride must be 1 or more"),
        (dict(input_size=(0, 1)), "input_size must be 1 or more"),
    ],
)
def test_an_illegal_problem_is_refused_with_the_rule_and_the_numbers(change, message):
    with pytest.raises(GeometryError, match=re.escape(message)):
        TransposedProblem(**(LEGAL | change))


@pytest.mark.parametrize(
    ("x", "weight", "more", "message"),
    [
        ((1, 3, 5, 5), (4, 2, 3, 3), {}, "with as many axes each and the same C, got x.shape=(1, 3, 5, 5)"),
        ((1, 3, 5), (3, 2, 3, 3), {}, "with as many axes each"),
        ((1, 3, 5, 5), (3, 2, 3, 3), {"padding": "full"}, "padding must be numbers or one of valid, same"),
        ((1, 3, 5, 5), (3, 2, 3, 3), {"padding": "same", "stride": (1, 2, 3)}, "stride must have one entry per axis"),
        ((1, 3, 5, 5), (3, 2, 3, 3), {"groups": 2}, "in_channels must be divisible by groups"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(x, weight, more, message):
    with pytest.raises(GeometryError, match=re.escape(message)):
        TransposedProblem.from_shapes(x, weight, **more)


@pytest.mark.parametrize("start", ["", "t-"])
def test_a_descriptor_without_output_padding_is_refused(start):
    with pytest.raises(GeometryError, match="descriptor must look like t-n2c4"):
        TransposedProblem.from_descriptor(f"{start}n2c4i3x5-k6w3x2-s2x1-d1x1-p1+0x0+0-g2-o7x6")


# ONNX, ConvTranspose with auto_pad: kernel, stride, dilation, output_padding -> padding of same_upper, output_padding.
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "extra", "padding", "stated"),
    [(3, 1, 1, 0, (1, 1), 0), (4, 1, 1, 0, (1, 2), 0), (3, 2, 1, 0, (0, 1), 0), (3, 2, 1, 1, (1, 1), 1),
     (2, 2, 1, 0, (0, 0), 0), (1, 3, 1, 0, (0, 0), 2), (2, 3, 2, 0, (0, 0), 0), (3, 2, 3, 0, (2, 3), 0)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["same", "SAME_LOWER"])
def test_same_makes_the_output_stride_times_as_long(kernel, stride, dilation, extra, padding, stated, name):
    problem = TransposedProblem.from_shapes((1, 1, 5), (1, 1, kernel), stride, name, extra, 1, dilation)
    assert problem.padding == (padding[::-1] if name == "SAME_LOWER" else padding,)
    assert problem.output_padding == (stated,)
    assert problem.output_size == (5 * stride,)


@given(every_problem(smallest=1))
def test_same_of_the_transposed_is_the_adjoint_of_same(problem):
    """TensorFlow defines it so, for outputs that the stride divides."""
    from refconv import ConvProblem

    size = tuple(length * stride for length, stride in zip(problem.input_size, problem.stride, strict=True))
    shape = (problem.batch, problem.in_channels, *size)
    forth = ConvProblem.from_shapes(shape, problem.weight_shape, problem.stride, "same", problem.dilation,
                                    problem.groups)  # fmt: skip
    back = TransposedProblem.from_shapes(forth.y_shape, forth.weight_shape, forth.stride, "same",
                                         groups=forth.groups, dilation=forth.dilation)  # fmt: skip
    assert back.y_shape == forth.x_shape
    assert [pads[0] for pads in back.padding] == [pads[0] for pads in forth.padding]
