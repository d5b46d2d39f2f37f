import numpy as np
import pytest

from refconv import exact
from refconv.formats import get_format
from refconv.judge import Evidence
from refconv.problem import OPERATIONS, ConvProblem, TransposedProblem
from refconv.reference import im2col
from refconv.reference.choice import suited

FIELDS = dict(batch=2, in_channels=4, out_channels=6, groups=2, input_size=(5, 7), kernel_size=(3, 2), stride=(2, 1),
              dilation=(1, 2), padding=((1, 0), (2, 1)))  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("problem", [ConvProblem(**FIELDS), TransposedProblem(**FIELDS)], ids=str)
def test_terms_are_counted_as_the_exact_engine_counts_them(problem, bias, operation):
    names = ("x", "weight", "grad_output", *(["bias"] if bias else []))
    tensors = {name: np.zeros(problem.shape_of(name)) for name in names}
    counted = Evidence(operation, tensors, problem, get_format("float64")).terms
    assert counted.dtype == np.int64
    assert np.array_equal(counted, exact.count_terms(operation, tensors, problem, suited(im2col, problem)))


def test_what_is_known_is_not_computed():
    golden = np.float32([[[[7]]]])
    evidence = Evidence("forward", {}, ConvProblem(**FIELDS), get_format("float32"), golden=golden)
    assert evidence.truth is golden


def test_the_magnitude_is_not_below_the_sum():
    """1 + 2**-60 is no float64; the next one above is taken."""
    problem = ConvProblem(batch=1, in_channels=2, out_channels=1, input_size=(1,), kernel_size=(1,))
    tensors = {"x": np.array([[[-1.0], [2.0**-60]]]), "weight": np.ones((1, 2, 1))}
    evidence = Evidence("forward", tensors, problem, get_format("float64"))
    assert evidence.magnitude.item() == 1 + 2.0**-52
