import re
from pathlib import Path

import numpy as np
import pytest

from refconv import CatalogueError, assert_conv2d, check, conv2d, load_suite
from refconv.generate import generate
from refconv.implementations.references import Reference
from refconv.reference import direct, im2col, sparse
from refconv.suite.embedded import smoke_folder

ROOT = Path(__file__).parents[2]
GRADIENTS = ["grad_input", "grad_weight", "grad_bias"]


@pytest.fixture(scope="module")
def smoke():
    return load_suite(smoke_folder())


class Layer(Reference):
    """im2col, to be bent in one function."""

    def __init__(self):
        super().__init__(im2col)
        self.name = "bent"


@pytest.mark.parametrize("module", [direct, sparse, im2col], ids=lambda module: module.name)
def test_the_references_pass_the_embedded_suite(smoke, module):
    report = check(Reference(module), smoke)
    assert report.passed
    assert report.count()["PASS"] == len(report.outcomes) > 40


def failures(implementation, smoke, **options):
    report = check(implementation, smoke, **options)
    assert not report.passed
    return report.failures


def test_a_flipped_kernel_is_found_and_described(smoke):
    class Flipped(Layer):
        def forward(self, x, weight, bias, problem):
            return super().forward(x, weight[:, :, ::-1, ::-1], bias, problem)

    found = {failure.case_id: failure for failure in failures(Flipped(), smoke)}
    first = found["worked-example-float32-iota/x3x3-w2x2"]
    assert (first.operation, first.status) == ("forward", "FAIL")
    assert "WorkedExample" in first.flags
    assert (first.first.index, first.first.expected, first.first.got) == (
        (0, 0, 0, 0),
        37,
        1 * 4 + 2 * 3 + 4 * 2 + 5 * 1,
    )
    assert first.message == "4 of 4 elements are wrong, first y[0, 0, 0, 0]: expected 37, got 23"


def test_swapped_strides_are_found(smoke):
    class Swapped(Layer):
        def forward(self, x, weight, bias, problem):
            y = np.zeros(problem.y_shape, x.dtype)
            taps = (problem.kernel_size, problem.dilation, problem.padding)
            (kH, kW), (dH, dW), ((top, bottom), (left, right)) = taps
            padded = np.pad(x, ((0, 0), (0, 0), (top, bottom + 40), (left, right + 40)))
            for oh, ow in np.ndindex(*problem.output_size):
                row, column = oh * problem.stride[1], ow * problem.stride[0]
                patch = padded[:, :, row : row + kH * dH : dH, column : column + kW * dW : dW]
                y[:, :, oh, ow] = np.einsum("nchw,kchw->nk", patch, weight)
            return y if bias is None else y + bias[:, None, None]

    report = check(Swapped(), smoke, ["*-float32-exact/*"], ["forward"])
    bad = {failure.case_id for failure in report.failures if failure.status == "FAIL"}
    assert "asymmetric-float32-exact/s21-d12-p1021" in bad
    assert "arithmetic-guide-float32-exact/dilation" not in bad


def test_lost_overlaps_in_grad_input_are_found(smoke):
    class Lost(Layer):
        def grad_input(self, grad_output, weight, problem):
            gradient = np.zeros(problem.x_shape, grad_output.dtype)
            for at_y, at_x, at_weight in direct.products(problem):
                gradient[at_x] = grad_output[at_y] * weight[at_weight]
            return gradient

    found = failures(Lost(), smoke)
    assert {failure.operation for failure in found} == {"grad_input"}
    assert all(failure.first is not None for failure in found)


def test_real_valued_cases_are_judged_by_their_intervals(smoke):
    class Narrowed(Layer):
        def forward(self, x, weight, bias, problem):
            if x.dtype == np.float32:
                x = (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
            return super().forward(x, weight, bias, problem)

    found = failures(Narrowed(), smoke)
    real = next(failure for failure in found if failure.case_id.startswith("full-reduction-float32-zero-mean"))
    assert real.rule == "standard:float32, n <= 13"
    assert real.worst.error > 1
    assert "(anything from " in real.message


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (ValueError("no"), "REJECTED", "raised ValueError AT on a legal problem: no"),
        (AssertionError(), "REJECTED", "raised AssertionError AT on a legal problem"),
        (Exception("dims"), "REJECTED", "raised Exception AT on a legal problem: dims"),
        (IndexError("out"), "ERROR", "broke down with IndexError AT: out"),
        (ZeroDivisionError("by"), "ERROR", "broke down with ZeroDivisionError AT: by"),
        (NotImplementedError("later"), "UNSUPPORTED", "later"),
    ],
)
def test_exceptions_become_outcomes(smoke, error, status, word):
    class Raising(Layer):
        def forward(self, x, weight, bias, problem):
            raise error

    outcome = check(Raising(), smoke, ["worked-example-*"], ["forward"]).outcomes[0]
    message = re.sub(r"at test_check\.py:\d+", "AT", outcome.message)
    assert (outcome.status, message) == (status, word)


class UserError(IndexError):
    pass


def test_a_users_own_exception_is_a_refusal(smoke):
    class Raising(Layer):
        def forward(self, x, weight, bias, problem):
            raise UserError("mine")

    assert check(Raising(), smoke, ["worked-example-*"], ["forward"]).outcomes[0].status == "REJECTED"


@pytest.mark.parametrize(
    ("result", "status", "word"),
    [
        (None, "ERROR", "y must be an array of numbers, got NoneType"),
        ("text", "ERROR", "y must be an array of numbers, got str"),
        ([[1, 2], [3]], "ERROR", "y must be an array of numbers, got list"),
        (np.zeros((1, 1, 2, 3), np.float32), "FAIL", "y must have shape (1, 1, 2, 2), got (1, 1, 2, 3)"),
        (
            np.array([[[[37, 47], [67, 77]]]], np.float64),
            "FAIL",
            "the values are right, but y must be float32, got float64",
        ),
        (
            np.full((1, 1, 2, 2), np.nan, np.float32),
            "FAIL",
            "4 of 4 elements are wrong, first y[0, 0, 0, 0]: expected 37, got nan",
        ),
        (
            np.array([[[[37, 47], [67, 78]]]], np.float32),
            "FAIL",
            "1 of 4 elements are wrong, first y[0, 0, 1, 1]: expected 77, got 78",
        ),
        (np.array([[[[37, 47], [67, 77]]]], np.float32), "PASS", ""),
    ],
)
def test_results_become_outcomes(smoke, result, status, word):
    class Returning(Layer):
        def forward(self, x, weight, bias, problem):
            return result

    outcome = check(Returning(), smoke, ["worked-example-*"], ["forward"], thorough=False).outcomes[0]
    assert (outcome.status, outcome.message) == (status, word)


def test_a_call_that_changes_its_input_fails(smoke):
    class Changing(Layer):
        def grad_weight(self, x, grad_output, problem):
            result = super().grad_weight(x, grad_output, problem)
            x *= 2
            return result

    outcome = check(Changing(), smoke, ["worked-example-*"], ["grad_weight"]).outcomes[0]
    assert (outcome.status, outcome.message) == ("FAIL", "the result is right, but the call changed its input x")


def test_supporting_nothing_is_no_success(smoke):
    class Nothing:
        name = "nothing"

        def forward(self, *_):
            raise NotImplementedError

    report = check(Nothing(), smoke)
    assert not report.passed
    assert report.executed == report.executed_cases == 0
    assert report.count()["UNSUPPORTED"] == len(report.outcomes)
    assert "0 of" in report.summary()


def test_selections(smoke):
    report = check(Reference(im2col), smoke, ["batch-*"], ["grad_bias"])
    assert {outcome.operation for outcome in report.outcomes} == {"grad_bias"}
    with pytest.raises(CatalogueError, match="no case of suite 'smoke' matches nothing"):
        check(Reference(im2col), smoke, ["nothing"])
    with pytest.raises(CatalogueError, match=r"an operation must be one of forward, .* got backward"):
        check(Reference(im2col), smoke, operations=["backward"])


def test_assert_conv2d_names_the_first_failures(smoke):
    with pytest.raises(AssertionError, match=r"\nworked-example-float32-iota/x3x3-w2x2 forward: 4 of 4 elements"):
        assert_conv2d(lambda x, weight, bias=None: x[:, :1, :-1, :-1], select=["worked-example-*"])


def test_assert_conv2d_says_nothing_of_what_is_right():
    assert assert_conv2d(conv2d, select=["worked-example-*"]) is None


def test_assert_conv2d_names_the_bug(smoke):
    def flipped(x, weight, bias=None):
        return conv2d(x, weight[:, :, ::-1, ::-1], bias)

    with pytest.raises(AssertionError, match=r"\nkernel-flipped \(.* failures\): The kernel is flipped") as caught:
        assert_conv2d(flipped)
    assert str(caught.value).endswith("\nMore on them: refconv.diagnose(implementation)")  # no shell knows a local name


def test_assert_conv2d_names_the_command_where_it_was_given_an_address(smoke):
    faulty = f"{ROOT / 'refconv' / 'example' / 'faulty_conv2d.py'}:conv2d"
    with pytest.raises(AssertionError) as caught:
        assert_conv2d(faulty, select=["asymmetric-*"], operations=["forward"])
    assert str(caught.value).endswith(f"\nMore on them: refconv diagnose {faulty}")


def test_one_step_beyond_what_is_allowed_fails_whichever_tensor_it_is_in(smoke):
    """Every tensor of every case is looked at, to its last element."""
    for case in smoke:
        for name, expected in case.expected.items():
            if expected.tensor.size == 0:
                continue
            wrong = np.array(expected.tensor)
            highest = (expected.tensor if expected.hi is None else expected.hi).flat[-1]
            integer = wrong.dtype.kind == "i"
            wrong.flat[-1] = highest + 1 if integer else np.nextafter(highest, wrong.dtype.type(np.inf))

            class Answering:
                name = "answering"

            operation = {"y": "forward"}.get(name, name)
            setattr(Answering, operation, staticmethod(lambda *_, wrong=wrong: wrong))
            outcome = check(Answering(), smoke, [case.id], [operation]).outcomes[0]
            assert (outcome.status, outcome.verdict.wrong) == ("FAIL", 1), (case.id, name)


def test_special_values_make_no_noise(tmp_path):
    """NumPy warns of inf - inf; here that would be an error, and on a user's screen it would bury the report."""
    generate(tmp_path / "suite", "core", ["special-places-float32-exact/inf-minus-inf"])
    report = check(direct, load_suite(tmp_path / "suite"))  # the bare module, which silences nothing
    assert report.passed, [outcome.message for outcome in report.failures]
