import numpy as np
import pytest
from problems import integer_tensors

from refconv import ConvProblem, ImplementationError, check, load_suite
from refconv.implementations import as_runner
from refconv.implementations.keywords import pick
from refconv.implementations.layers import is_layer
from refconv.implementations.protocol import Demand
from refconv.quantization import Quantization
from refconv.reference import im2col
from refconv.suite.embedded import smoke_folder

PROBLEM = ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2),
                      stride=(2, 1), padding=((1, 1), (0, 0)))  # fmt: skip


class Layer:
    """A layer as libraries have them, by im2col."""

    def __init__(self, weight, bias, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
        self.weight, self.bias = weight, bias
        self.geometry = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)

    def forward(self, x):
        self.x = x
        problem = ConvProblem.from_shapes(x.shape, self.weight.shape, **self.geometry)
        return im2col.forward(x, self.weight, self.bias, problem)

    def backward(self, grad_output):
        problem = ConvProblem.from_shapes(self.x.shape, self.weight.shape, **self.geometry)
        return (
            im2col.grad_input(grad_output, self.weight, problem),
            im2col.grad_weight(self.x, grad_output, problem),
            None if self.bias is None else im2col.grad_bias(grad_output, problem),
        )


@pytest.fixture(scope="module")
def smoke():
    return load_suite(smoke_folder())


def exact(layer, smoke):
    return check(layer, smoke, select=["*-float32-exact/*"])


def test_a_right_layer_passes_with_all_its_gradients(smoke):
    report = exact(Layer, smoke)
    assert report.passed
    assert report.executed == len(report.outcomes) > 20


@pytest.mark.parametrize("operation", ["forward", "grad_input", "grad_weight", "grad_bias"])
def test_a_layer_gets_its_weights_and_pytorchs_words(operation):
    tensors = integer_tensors(PROBLEM)
    arguments = {"forward": ("x", "weight", "bias"), "grad_input": ("grad_output", "weight"),
                 "grad_weight": ("x", "grad_output"), "grad_bias": ("grad_output",)}[operation]  # fmt: skip
    expected = getattr(im2col, operation)(*(tensors.get(name) for name in arguments), PROBLEM)
    np.testing.assert_array_equal(as_runner(Layer).run(operation, tensors, PROBLEM), expected)


@pytest.mark.parametrize("what", ["x", "weight"])
def test_what_layers_share_is_found(smoke, what):
    shared = {}

    class Sharing(Layer):
        def forward(self, x):
            y = super().forward(x)
            shared[what] = getattr(self, what)
            return y

        def backward(self, grad_output):
            setattr(self, what, shared[what])
            return super().backward(grad_output)

    wrong = {failure.operation for failure in exact(Sharing, smoke).failures}
    assert wrong == {{"x": "grad_weight", "weight": "grad_input"}[what]}


def test_the_gradient_of_the_bias_is_asked_of_a_layer_that_has_one():
    tensors = {name: tensor for name, tensor in integer_tensors(PROBLEM).items() if name != "bias"}
    expected = im2col.grad_bias(tensors["grad_output"], PROBLEM)
    np.testing.assert_array_equal(as_runner(Layer).run("grad_bias", tensors, PROBLEM), expected)


def test_a_layer_without_backward_or_without_a_keyword_does_not_offer_it():
    class Plain:
        def __init__(self, weight, bias):
            pass

        def forward(self, x):
            return x

    tensors = integer_tensors(PROBLEM)
    with pytest.raises(NotImplementedError, match="Plain has no backward"):
        as_runner(Plain).run("grad_input", tensors, PROBLEM)
    with pytest.raises(NotImplementedError, match="Plain takes no argument stride"):
        as_runner(Plain).run("forward", tensors, PROBLEM)


def test_backward_must_return_three_gradients():
    class Short(Layer):
        def backward(self, grad_output):
            return grad_output

    with pytest.raises(TypeError, match=r"Short.backward must return \(grad_input, grad_weight, grad_bias\)"):
        as_runner(Short).run("grad_input", integer_tensors(PROBLEM), PROBLEM)


class MakesItsWeight:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1): ...

    def forward(self, x): ...


class NoForward:
    def __init__(self, weight, bias=None): ...


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (MakesItsWeight, r"made with \(weight, bias, stride=...\), got MakesItsWeight\(in_channels, .* can set it\.$"),
        (NoForward, r"must have a method forward\(x\), got NoForward\(weight, bias=None\)\.$"),
    ],
)
def test_a_class_that_is_nearly_a_layer_is_told_what_it_lacks(layer, message):
    with pytest.raises(ImplementationError, match=message):
        as_runner(layer)


@pytest.mark.parametrize(("gradients", "got"), [((1, 2), "a tuple of 2"), (np.zeros(3), "ndarray")])
def test_what_backward_returns_instead_is_said(gradients, got):
    with pytest.raises(TypeError, match=rf"must return \(grad_input, grad_weight, grad_bias\), got {got}\."):
        pick(gradients, "grad_input", "Layer.backward")


class Protocol:
    def forward(self, x, weight, bias, problem): ...


class ProtocolWithOptions:
    def __init__(self, tile=4):
        self.tile = tile

    def forward(self, x, weight, bias, problem): ...


@pytest.mark.parametrize("other", [Protocol, ProtocolWithOptions, Layer(None, None), im2col, np.convolve, int])
def test_other_things_are_no_layers(other):
    assert not is_layer(other)


def test_a_layer_is_not_quantised():
    quantization = Quantization(1.0, 0, (1.0,), (0,), 1.0, 0, "int8")
    with pytest.raises(NotImplementedError, match="Layer is no quantised layer"):
        as_runner(Layer).run("forward", {}, PROBLEM, Demand(quantization=quantization))


def test_a_class_whose_arguments_are_unknown_is_no_layer():
    class Odd(Layer):
        __signature__ = "written in C"

    assert is_layer(Layer)
    assert not is_layer(Odd)
