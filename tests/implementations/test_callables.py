import numpy as np
import pytest
from problems import integer_tensors

from refconv import ConvProblem, ImplementationError
from refconv.implementations import as_runner
from refconv.reference import im2col

SYMMETRIC = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2),
                        stride=(2, 1), padding=((1, 1), (0, 0)))  # fmt: skip
UNEVEN = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2),
                     padding=((1, 0), (0, 2)))  # fmt: skip
PLAIN = ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(5, 6), kernel_size=(3, 2))


class Recorder:
    """A function that remembers what it was called with."""

    def __call__(self, x, weight, bias=None, stride=None, padding=None, dilation=None, groups=None):
        self.seen = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
        return x


def test_a_function_gets_pytorchs_words():
    recorder = Recorder()
    as_runner(recorder).run("forward", integer_tensors(SYMMETRIC), SYMMETRIC)
    assert recorder.seen == dict(stride=(2, 1), padding=(1, 0), dilation=(1, 1), groups=1)


def test_what_cannot_be_hashed_is_asked_as_well():
    class Equal(Recorder):
        def __eq__(self, other):
            return True

    equal = Equal()
    as_runner(equal).run("forward", integer_tensors(SYMMETRIC), SYMMETRIC)
    assert equal.seen["stride"] == (2, 1)


def test_uneven_padding_is_handed_over_in_pairs():
    recorder = Recorder()
    as_runner(recorder).run("forward", integer_tensors(UNEVEN), UNEVEN)
    assert recorder.seen["padding"] == ((1, 0), (0, 2))


def test_a_function_without_a_keyword_supports_its_neutral_value_alone():
    runner = as_runner(lambda x, weight, bias: x, name="plain")
    runner.run("forward", integer_tensors(PLAIN), PLAIN)
    with pytest.raises(NotImplementedError, match="takes no argument stride"):
        runner.run("forward", integer_tensors(SYMMETRIC), SYMMETRIC)
    with pytest.raises(NotImplementedError, match="takes no argument padding"):
        runner.run("forward", integer_tensors(UNEVEN), UNEVEN)


WAYS = {
    "third": lambda x, weight, b=None, stride=1: ("given", b),
    "by name": lambda x, weight, stride=1, bias=None: ("given", bias),
    "among keywords": lambda x, weight, **others: ("given", others["bias"]),
    "by name alone": lambda x, weight, *, bias: ("given", bias),
    "any": lambda *tensors, **others: ("given", tensors[2]),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_bias_is_given_as_the_function_takes_it(way):
    tensors = integer_tensors(PLAIN)
    told, bias = as_runner(WAYS[way], name="f").run("forward", tensors, PLAIN)
    assert (told, bias is tensors["bias"]) == ("given", True)


def test_a_function_without_a_bias_supports_layers_without_one_alone():
    runner, tensors = as_runner(lambda x, weight, stride=1, padding=0: stride, name="plain"), integer_tensors(SYMMETRIC)
    with pytest.raises(NotImplementedError, match="takes no argument bias"):
        runner.run("forward", tensors, SYMMETRIC)
    assert runner.run("forward", tensors | {"bias": None}, SYMMETRIC) == SYMMETRIC.stride


def test_gradients_come_from_the_function_beside_it():
    def backward(grad_output, x, weight, stride, padding, dilation, groups):
        assert groups == 1
        return im2col.grad_input(grad_output, weight, UNEVEN), None, grad_output.sum(axis=(0, 2, 3))

    runner, tensors = as_runner(lambda x, weight, bias: x, backward=backward, name="f"), integer_tensors(UNEVEN)
    expected = im2col.grad_input(tensors["grad_output"], tensors["weight"], UNEVEN)
    np.testing.assert_array_equal(runner.run("grad_input", tensors, UNEVEN), expected)
    with pytest.raises(NotImplementedError, match="f_backward returns no grad_weight"):
        runner.run("grad_weight", tensors, UNEVEN)


def test_a_backward_function_that_returns_something_else_is_told_so():
    runner = as_runner(lambda x, weight, bias: x, backward=lambda g, x, w: g, name="f")
    with pytest.raises(TypeError, match=r"f_backward must return \(grad_input, grad_weight, grad_bias\)"):
        runner.run("grad_input", integer_tensors(PLAIN), PLAIN)


def test_without_a_backward_function_gradients_are_unsupported():
    with pytest.raises(NotImplementedError, match="no there_backward beside there"):
        as_runner(lambda x, weight, bias: x, name="there").run("grad_bias", integer_tensors(PLAIN), PLAIN)


def test_an_object_may_offer_some_of_the_functions():
    class Forward:
        name = "forward-only"
        forward = staticmethod(im2col.forward)

    runner, tensors = as_runner(Forward), integer_tensors(UNEVEN)  # a class is instantiated
    assert runner.name == "forward-only"
    assert runner.run("forward", tensors, UNEVEN).shape == UNEVEN.y_shape
    with pytest.raises(NotImplementedError, match="forward-only has no function grad_input"):
        runner.run("grad_input", tensors, UNEVEN)


def test_something_else_is_refused():
    with pytest.raises(ImplementationError, match="an implementation must be a function"):
        as_runner(42)


def test_a_wrapped_implementation_is_not_wrapped_again():
    runner = as_runner(im2col)
    assert as_runner(runner) is runner


def test_a_class_written_in_c_is_made_without_arguments():
    with pytest.raises(ImplementationError, match=r"must be a function conv2d\(.*, got \{\}\."):
        as_runner(dict)  # of whose arguments Python knows nothing
