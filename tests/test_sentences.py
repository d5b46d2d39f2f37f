"""What a problem says when it is refused: the whole sentence, with the name of the argument and its numbers."""

import inspect

import pytest

from refconv import ConvProblem, GeometryError, TensorError, TransposedProblem
from refconv.problem import LARGEST, OPERATIONS, OversizedProblem, read_problem

LEGAL = dict(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(7, 9), kernel_size=(3, 2))
PAIR = "must be a tuple with one integer per axis"
MATCHING = "got x.shape=(1, 3, 5, 6), weight.shape={}."
CONV_WORDS = "x must be (N, C, H, W) and weight (K, C/G, kH, kW), with as many axes each, "
TRANSPOSED_WORDS = "x must be (N, C, H, W) and weight (C, K/G, kH, kW), with as many axes each and the same C, "
OF_SHAPES = [
    (dict(x_shape=7), f"x.shape {PAIR}, got 7."),
    (dict(weight_shape="3x3"), f"weight.shape {PAIR}, got '3x3'."),
    (dict(x_shape=(1, 3, 5.0, 6)), "x.shape must be an integer, got 5.0."),
    (dict(weight_shape=(3, 3, 1, None)), "weight.shape must be an integer, got None."),
    (dict(stride="2"), f"stride {PAIR}, got '2'."),
    (dict(stride=(1, 2.5)), "stride must be an integer, got 2.5."),
    (dict(dilation=True), "dilation must be an integer, got True."),
    (dict(dilation=(1, True)), "dilation must be an integer, got True."),
    (dict(groups=None), "groups must be an integer, got None."),
    (dict(padding=(1, None)), "padding must be an integer, got None."),
    (dict(padding=None), "padding must be an integer, got None."),
    (dict(padding=(1, 2, 3)),
     "padding must have one entry per axis of input_size, got padding=((1, 1), (2, 2), (3, 3)), input_size=(5, 6)."),
    (dict(padding="same", dilation=(1, 2, 3)),
     "dilation must have one entry per axis of input_size, got dilation=(1, 2, 3), input_size=(5, 6)."),
    (dict(padding="same", stride=(1, 2, 3)),
     "stride must have one entry per axis of input_size, got stride=(1, 2, 3), input_size=(5, 6)."),
    (dict(padding="full"), "padding must be numbers or one of valid, same, same_upper, same_lower, got 'full'."),
]  # fmt: skip


def refusal(make, **arguments):
    """Return what is said."""
    with pytest.raises(GeometryError) as refused:
        make(**arguments)
    return str(refused.value)


@pytest.mark.parametrize("kind", [ConvProblem, TransposedProblem])
@pytest.mark.parametrize(("change", "sentence"), OF_SHAPES)
def test_a_call_is_refused_in_the_words_of_the_call(kind, change, sentence):
    arguments = dict(x_shape=(1, 3, 5, 6), weight_shape=(3, 3, 2, 2)) | change
    assert refusal(kind.from_shapes, **arguments) == sentence


@pytest.mark.parametrize("weight", [(3, 3, 2), (4, 3, 2), (3, 3), (3, 3, 2, 2, 2), ()])
def test_numbers_of_axes_that_differ_are_named(weight):
    shapes = dict(x_shape=(1, 3, 5, 6), weight_shape=weight)
    assert refusal(ConvProblem.from_shapes, **shapes) == CONV_WORDS + MATCHING.format(weight)
    assert refusal(TransposedProblem.from_shapes, **shapes) == TRANSPOSED_WORDS + MATCHING.format(weight)


def test_channels_that_differ_are_named():
    assert refusal(ConvProblem.from_shapes, x_shape=(1, 3, 5, 6), weight_shape=(4, 2, 3, 1), groups=2) == (
        "weight must hold C/G input channels, so x.shape[1] must equal weight.shape[1] * groups, "
        "got x.shape[1]=3, weight.shape[1]=2, groups=2."
    )
    weight = (4, 2, 3, 1)
    told = refusal(TransposedProblem.from_shapes, x_shape=(1, 3, 5, 6), weight_shape=weight)
    assert told == TRANSPOSED_WORDS + MATCHING.format(weight)


@pytest.mark.parametrize(
    ("kind", "change", "sentence"),
    [
        (TransposedProblem, dict(output_padding=(0, "1")), "output_padding must be an integer, got '1'."),
        (TransposedProblem, dict(output_padding=1), f"output_padding {PAIR}, got 1."),
        (TransposedProblem, dict(output_padding=(0,)),
         "output_padding must have one entry per axis of input_size, got output_padding=(0,), input_size=(7, 9)."),
        (TransposedProblem, dict(output_padding=(0, 4), stride=(1, 2), dilation=(2, 3)),
         "output_padding must be 0 or more and less than stride or dilation, got 4 on axis 1 "
         "with stride=2, dilation=3."),
        (TransposedProblem, dict(padding=((0, 0), (7, 4)), output_padding=(0, 1), stride=(1, 2), input_size=(7, 4)),
         "padding must leave an element of the 8 that the input reaches, got (7, 4) and output_padding=1 on axis 1."),
        (ConvProblem, dict(stride=2), f"stride {PAIR}, got 2."),
        (ConvProblem, dict(dilation=(1.5, 1)), "dilation must be an integer, got 1.5."),
        (ConvProblem, dict(in_channels="4"), "in_channels must be an integer, got '4'."),
        (ConvProblem, dict(out_channels=None), "out_channels must be an integer, got None."),
        (ConvProblem, dict(kernel_size=3), f"kernel_size {PAIR}, got 3."),
        (ConvProblem, dict(padding=3), "padding must be ((top, bottom), (left, right)), got 3."),
        (ConvProblem, dict(padding=((1, 2), 3)), f"padding {PAIR}, got 3."),
        (ConvProblem, dict(padding=((1, 2), (3, 0.5))), "padding must be an integer, got 0.5."),
        (ConvProblem, dict(padding=((1, 2), (3,))),
         "padding must be ((top, bottom), (left, right)), got ((1, 2), (3,))."),
        (ConvProblem, dict(input_size=()), "input_size must name at least one axis, got ()."),
        (ConvProblem, dict(out_channels=-2), "out_channels must be 0 or more, got out_channels=-2."),
        (ConvProblem, dict(padding=((0, 0), (-9, 20))),
         "padding may be negative, which crops, but must leave an element of the input at either end, "
         "got (-9, 20) on axis 1 of 9 elements."),
        (ConvProblem, dict(padding=((1, 2), (0, 0)), dilation=(5, 1)),
         "the dilated kernel must fit into the padded input, got on axis 0 a reach of 11 (kernel_size=3, dilation=5) "
         "in 10 elements (input_size=7, padding=(1, 2))."),
        (OversizedProblem, {}, "an OversizedProblem must have a kernel that exceeds the padded input, got "
         "n2c4i7x9-k6w3x2-s1x1-d1x1-p0+0x0+0-g2-o5x8."),
    ],
)  # fmt: skip
def test_a_layer_is_refused_with_its_numbers(kind, change, sentence):
    assert refusal(kind, **(LEGAL | change)) == sentence


@pytest.mark.parametrize(
    ("change", "name", "shape"),
    [
        (dict(batch=2**58), "x", (2**58, 4, 7, 9)),
        (dict(out_channels=2**61), "weight", (2**61, 2, 3, 2)),
        (dict(batch=2**53, out_channels=2**8), "y", (2**53, 2**8, 5, 8)),
        (dict(batch=0, in_channels=2 * LARGEST), "x", (0, 2 * LARGEST, 7, 9)),
    ],
)
def test_tensors_beyond_what_can_be_addressed_are_named(change, name, shape):
    expected = f"{name} must hold at most 2**63 - 1 elements, got shape {shape}."
    assert refusal(ConvProblem, **(LEGAL | change)) == expected


def test_the_largest_tensor_that_can_be_addressed_is_legal():
    plain = dict(in_channels=1, out_channels=1, input_size=(1,), kernel_size=(1,))
    assert ConvProblem(batch=LARGEST, **plain).x_shape == (2**63 - 1, 1, 1)
    assert ConvProblem(batch=0, **(plain | dict(input_size=(LARGEST,)))).output_size == (LARGEST,)
    assert "2**63 - 1" in refusal(ConvProblem, batch=LARGEST + 1, **plain)
    assert "2**63 - 1" in refusal(ConvProblem, batch=0, **(plain | dict(input_size=(LARGEST + 1,))))


def test_a_tensor_of_another_shape_is_told_the_right_one():
    problem = ConvProblem(**LEGAL)
    with pytest.raises(TensorError) as refused:
        problem.check_tensor("weight", iter((6, 4, 3, 2)))
    assert str(refused.value) == f"weight must have shape (6, 2, 3, 2) for {problem}, got (6, 4, 3, 2)."
    problem.check_tensor("weight", [6, 2, 3, 2])


def test_every_tensor_has_its_shape_by_name():
    problem = ConvProblem(**LEGAL)
    x, weight, bias, y = (2, 4, 7, 9), (6, 2, 3, 2), (6,), (2, 6, 5, 8)
    shapes = {"x": x, "grad_input": x, "weight": weight, "grad_weight": weight, "bias": bias, "grad_bias": bias,
              "y": y, "grad_output": y, "forward": y}  # fmt: skip
    assert {name: problem.shape_of(name) for name in shapes} == shapes


@pytest.mark.parametrize("axes", range(1, 6))
def test_the_layout_names_the_axes(axes):
    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2,) * axes, kernel_size=(1,) * axes)
    assert problem.layout == [None, "NCW", "NCHW", "NCDHW", "NC4", "NC5"][axes]
    assert len(problem.output_size) == axes


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(ConvProblem, dict(stride=1, padding=0, dilation=1, groups=1)),
     (TransposedProblem, dict(stride=1, padding=0, output_padding=0, groups=1, dilation=1))],
)  # fmt: skip
def test_what_is_not_said_is_what_pytorch_takes_in_pytorchs_order(kind, expected):
    found = {name: argument.default for name, argument in inspect.signature(kind.from_shapes).parameters.items()}
    assert list(found.items())[2:] == list(expected.items())


@pytest.mark.parametrize("kind", [ConvProblem, TransposedProblem])
def test_a_field_that_is_not_said_is_a_dense_layer(kind):
    problem = kind(batch=1, in_channels=2, out_channels=3, input_size=(4, 5), kernel_size=(2, 3))
    assert problem.as_dict() == {
        "batch": 1, "in_channels": 2, "out_channels": 3, "input_size": [4, 5], "kernel_size": [2, 3],
        "stride": [1, 1], "dilation": [1, 1], "padding": [[0, 0], [0, 0]], "groups": 1,
    } | ({"output_padding": [0, 0]} if kind is TransposedProblem else {})  # fmt: skip
    assert type(read_problem(str(problem))) is kind


def test_the_products_of_a_transposed_result_are_those_of_its_adjoint():
    problem = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(4, 7),
                                kernel_size=(3, 2), stride=(2, 1))  # fmt: skip
    found = [problem.reduction_length(operation) for operation in OPERATIONS]
    # Two channels of two by two taps; three channels of three by two; 2 x 4 x 7 inputs; 2 x 9 x 8 outputs.
    assert found == [2 * 2 * 2, 3 * 3 * 2, 2 * 4 * 7, 2 * 9 * 8]


@pytest.mark.parametrize("name", ["valid", "VALID"])
def test_a_valid_transposed_convolution_cuts_nothing_off_and_keeps_what_is_added(name):
    shapes = dict(x_shape=(1, 2, 4, 5), weight_shape=(2, 3, 3, 2), stride=(2, 3), output_padding=(1, 2))
    assert TransposedProblem.from_shapes(**shapes, padding=name) == TransposedProblem.from_shapes(**shapes, padding=0)
