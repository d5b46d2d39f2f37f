"""What a right result does not show: each layer here is right on a fresh, contiguous call."""

import numpy as np
import pytest

from refconv import check, load_suite
from refconv.implementations import Call
from refconv.implementations.arrangement import ARRANGEMENTS, arranged, memory_of
from refconv.implementations.references import Reference
from refconv.reference import im2col
from refconv.suite.embedded import smoke_folder

SELECT = ["grouped-float32-exact", "asymmetric-float32-exact", "leftover-float32-exact"]


@pytest.fixture(scope="module")
def smoke():
    return load_suite(smoke_folder())


class Layer(Reference):
    def __init__(self):
        super().__init__(im2col)
        self.name = "bent"


class ReusesItsOutput(Layer):
    buffers = None

    def forward(self, x, weight, bias, problem):
        y = super().forward(x, weight, bias, problem)
        self.buffers = self.buffers or {}
        kept = self.buffers.setdefault((y.shape, y.dtype), y)
        kept[...] = y
        return kept


class KeepsPackedWeights(Layer):
    packed = None

    def forward(self, x, weight, bias, problem):
        self.packed = self.packed or {}
        return super().forward(x, self.packed.setdefault(id(weight), weight.copy()), bias, problem)


class KeepsColumnsOfTheLastForward(Layer):
    def forward(self, x, weight, bias, problem):
        self.x = x.copy()
        return super().forward(x, weight, bias, problem)

    def grad_weight(self, x, grad_output, problem):
        return super().grad_weight(self.x if self.x.shape == x.shape else x * 0, grad_output, problem)


class AddsGradientsUp(Layer):
    gradient = None

    def grad_weight(self, x, grad_output, problem):
        fresh = super().grad_weight(x, grad_output, problem)
        if self.gradient is None or self.gradient.shape != fresh.shape:
            self.gradient = np.zeros_like(fresh)
        self.gradient = self.gradient + fresh
        return self.gradient


class ReadsMemoryInItsOwnOrder(Layer):
    def forward(self, x, weight, bias, problem):
        return super().forward(x.ravel("K").reshape(x.shape), weight, bias, problem)


class IgnoresStridesOfWeights(Layer):
    def forward(self, x, weight, bias, problem):
        start = np.lib.stride_tricks.as_strided(weight, (weight.size,), (weight.itemsize,))
        return super().forward(x, start.reshape(weight.shape), bias, problem)


class ReadsUnwrittenMemory(Layer):
    def grad_input(self, grad_output, weight, problem):
        fresh = np.empty(problem.x_shape, grad_output.dtype)
        right = super().grad_input(grad_output, weight, problem)
        np.copyto(fresh, right, where=right != 0)  # zeros are thought to be there already
        return fresh


class WritesIntoTheGaps(Layer):
    def forward(self, x, weight, bias, problem):
        y = super().forward(x, weight, bias, problem)
        if not x.flags.c_contiguous and isinstance(x.base, np.ndarray):
            x.base.reshape(-1)[:1] = 0
        return y


class RefusesStrides(Layer):
    def forward(self, x, weight, bias, problem):
        if not (x.flags.c_contiguous and weight.flags.c_contiguous):
            raise ValueError("contiguous tensors, please")
        return super().forward(x, weight, bias, problem)


@pytest.mark.parametrize(
    ("layer", "operation", "status", "words"),
    [
        (ReusesItsOutput, "forward", "FAIL", "the next call changed it"),
        (KeepsPackedWeights, "forward", "FAIL", "elements are wrong"),
        (KeepsColumnsOfTheLastForward, "grad_weight", "FAIL", "elements are wrong"),
        (AddsGradientsUp, "grad_weight", "FAIL", "not with the same inputs a second time"),
        (ReadsMemoryInItsOwnOrder, "forward", "FAIL", "not with"),
        (IgnoresStridesOfWeights, "forward", "FAIL", "not with"),
        (ReadsUnwrittenMemory, "grad_input", "FAIL", "elements are wrong"),
        (WritesIntoTheGaps, "forward", "FAIL", "changed its input x"),
        (RefusesStrides, "forward", "REJECTED", "it raised ValueError at test_side_checks.py:"),
    ],
)
def test_a_layer_with_a_bad_memory_is_found_out(smoke, layer, operation, status, words):
    report = check(layer(), smoke)
    assert {failure.operation for failure in report.failures} == {operation}
    assert any(failure.status == status and words in failure.message for failure in report.failures)


@pytest.mark.parametrize("layer", [ReusesItsOutput, ReadsMemoryInItsOwnOrder, RefusesStrides])
def test_without_thoroughness_they_pass(smoke, layer):
    assert check(layer(), smoke, ["*-exact/*"], ["forward"], thorough=False).passed


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3,), (0, 3, 4, 5), (1, 1, 1, 1)])
def test_an_arranged_tensor_holds_the_same_numbers(arrangement, shape):
    tensor = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    got = arranged(tensor, arrangement)
    assert got.dtype == tensor.dtype
    assert np.array_equal(got, tensor)
    assert not np.shares_memory(got, tensor)
    assert got.flags.writeable


@pytest.mark.parametrize("arrangement", [name for name in ARRANGEMENTS if name != "packed"])
def test_the_other_arrangements_are_not_contiguous(arrangement):
    assert not arranged(np.ones((2, 3, 4, 5), np.float32), arrangement).flags.c_contiguous


def test_the_memory_of_a_view_includes_its_gaps():
    view = arranged(np.zeros((2, 3), np.float32), "strided")
    before = memory_of(view)
    view.base.reshape(-1)[0] = 7
    assert memory_of(view) != before


def test_tensors_in_place_keep_their_buffers():
    from refconv.implementations import InProcess, as_runner
    from refconv.problem import ConvProblem

    seen = []

    class Watching(Layer):
        def forward(self, x, weight, bias, problem):
            seen.append((x, float(x.flat[0])))
            return super().forward(x, weight, bias, problem)

    problem = ConvProblem.from_descriptor("n1c1i2x3-k1w1x2-s1x1-d1x1-p0+0x0+0-g1-o2x2")
    tensors = {"x": np.ones(problem.x_shape), "weight": np.ones(problem.weight_shape), "bias": None}
    tensors.pop("bias")
    with InProcess(as_runner(Watching())) as session:
        session.call(Call("a/b", "forward", tensors, problem))
        session.call(Call("a/b", "forward", tensors | {"x": -tensors["x"]}, problem, in_place=True))
    assert seen[0][0] is seen[1][0]
    assert [value for _, value in seen] == [1.0, -1.0]
