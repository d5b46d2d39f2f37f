"""One and three spatial axes through the adapters: whatever is handed over, the numbers are those of the loops."""

import numpy as np
import pytest
from problems import integer_tensors, run

import refconv
from refconv import ConvProblem, TransposedProblem
from refconv.implementations import as_runner
from refconv.implementations.references import direct, im2col, sparse
from refconv.problem import OPERATIONS

PROBLEMS = {
    "signal": ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(11,), kernel_size=(3,),
                          stride=(2,), dilation=(3,), padding=((1, 2),)),
    "symmetric signal": ConvProblem(batch=2, in_channels=2, out_channels=3, input_size=(9,), kernel_size=(4,),
                                    padding=((2, 2),)),
    "volume": ConvProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 6, 5),
                          kernel_size=(2, 3, 2), stride=(1, 2, 1), dilation=(1, 1, 2),
                          padding=((1, 0), (0, 2), (2, 1))),
    "symmetric volume": ConvProblem(batch=1, in_channels=2, out_channels=3, input_size=(3, 4, 5),
                                    kernel_size=(2, 3, 1), stride=(2, 1, 3), padding=((1, 1), (2, 2), (0, 0))),
}  # fmt: skip
each_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def function_of(problem):
    return getattr(refconv, f"conv{len(problem.input_size)}d")


def compare(implementation, problem):
    tensors = integer_tensors(problem)
    runner, truth = as_runner(implementation), run(direct(), tensors, problem)
    for operation in OPERATIONS:
        result = np.asarray(runner.run(operation, tensors, problem))
        np.testing.assert_array_equal(result, truth[operation], err_msg=operation)
        assert result.dtype == truth[operation].dtype


@each_problem
@pytest.mark.parametrize("make", [sparse, im2col, function_of], ids=["sparse", "im2col", "function"])
def test_references_and_functions_compute_signals_and_volumes(make, problem):
    compare(make(problem) if make is function_of else make(), problem)


@pytest.mark.oracle
@each_problem
@pytest.mark.parametrize("option", [None, "native", "channels_last"])
def test_pytorch_computes_signals_and_volumes(option, problem):
    from refconv.implementations.torch_engine import create

    compare(create(option), problem)


@pytest.mark.oracle
def test_pytorch_has_no_convolution_over_four_axes():
    from refconv.implementations.torch_engine import create

    problem = ConvProblem(batch=1, in_channels=1, out_channels=1, input_size=(2, 2, 2, 2), kernel_size=(1, 1, 1, 2))
    tensors = integer_tensors(problem)
    with pytest.raises(NotImplementedError, match="over 4 axes"):
        as_runner(create()).run("forward", tensors, problem)
    compare(im2col(), problem)


TRANSPOSED = TransposedProblem(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(3, 5), kernel_size=(3, 2),
                               stride=(2, 1), padding=((1, 1), (0, 0)), output_padding=(1, 0))  # fmt: skip


@pytest.mark.parametrize("make", [direct, sparse, im2col], ids=["direct", "sparse", "im2col"])
def test_references_compute_transposed_convolutions(make):
    compare(make(), TRANSPOSED)


def test_a_function_that_takes_output_padding_is_asked_for_transposed_convolutions_alone():
    compare(refconv.conv_transpose2d, TRANSPOSED)
    with pytest.raises(NotImplementedError, match="conv_transpose2d is no convolution: it takes an output_padding"):
        compare(refconv.conv_transpose2d, PROBLEMS["volume"])
    with pytest.raises(NotImplementedError, match="conv2d is no transposed convolution: it takes no output_padding"):
        compare(refconv.conv2d, TRANSPOSED)


def test_an_object_that_does_not_say_so_is_not_asked_for_transposed_convolutions():
    class Layer:
        name = "layer"

        def forward(self, x, weight, bias, problem):
            raise AssertionError("never called")

    with pytest.raises(NotImplementedError, match="layer does not say that it has transposed convolutions"):
        as_runner(Layer()).run("forward", integer_tensors(TRANSPOSED), TRANSPOSED)
