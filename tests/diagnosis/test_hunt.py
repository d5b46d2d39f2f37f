import functools
import json
import sys
from dataclasses import replace
from importlib import import_module
from itertools import islice
from random import Random

import numpy as np
import pytest
from flawed import (
    IgnoresStrides,
    KeepsItsBuffer,
    KeepsItsWeights,
    RefusesWideKernels,
    SupportsNothing,
    WritesToItsInput,
    conv2d,
)
from smallest import smallest_known, tiny_problems

from refconv import ConvProblem
from refconv.diagnosis import all_defects, hunt
from refconv.diagnosis.defects import triggered_defects
from refconv.diagnosis.hunt import Attempt, replay, reproducer, trial
from refconv.diagnosis.hunt.attempt import LAYOUTS, laid_out
from refconv.diagnosis.hunt.seams import seam_attempts
from refconv.diagnosis.hunt.source import Source
from refconv.diagnosis.layer import Layer
from refconv.errors import CatalogueError, ImplementationError
from refconv.implementations import CallError, as_runner, load_implementation
from refconv.implementations.callables import FunctionRunner
from refconv.judge import Verdict
from refconv.reference import im2col

pytest.importorskip("hypothesis")

hunting, polishing, searching, trying, writing = (
    import_module(f"refconv.diagnosis.hunt.{name}") for name in ("hunt", "polish", "search", "trial", "reproducer")
)
TINY = "n1c1i1x2-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x2"
WIDE = Attempt(ConvProblem.from_descriptor("n1c1i1x8-k2w1x7-s1x1-d1x1-p0+0x0+0-g1-o1x2"))

SAMPLE = (
    "kernel-transposed", "channel-tail-dropped", "output-channel-tail-skipped", "group-offset-of-outputs",
    "windows-aligned-to-end", "bias-of-first-image", "grad-input-last-tap-wins", "gradients-accumulated",
)  # fmt: skip
SECONDS = 20


def caught_in(implementation, **options):
    found = hunt(implementation, seconds=SECONDS, dtypes=["float32"], **options)
    assert found.caught is not None, found
    return found


class WrongOnce:
    """Right, but in one of its calls."""

    name, calls = "wrong-once", 0

    def forward(self, x, weight, bias, problem):
        self.calls += 1
        return im2col.forward(x, weight, bias, problem) + (self.calls == 9)


@pytest.fixture
def by_chance(monkeypatch):
    """Leave out the seams, where nearly everything is found, and let rounds be short."""
    module = import_module("refconv.diagnosis.hunt.search")
    monkeypatch.setattr(module, "SWEEP", 0)
    monkeypatch.setattr(module, "EXAMPLES", 25)


@pytest.mark.usefixtures("by_chance")
def test_chance_finds_what_the_seams_do_not_show():
    found = caught_in(all_defects()["kernel-transposed"])
    assert found.caught.operation == "forward"
    assert found.caught.attempt.problem.kernel_size == (2, 2)  # the smallest that is not its own transpose


@pytest.mark.usefixtures("by_chance")
def test_a_failure_that_does_not_come_again_is_kept():
    assert caught_in(WrongOnce(), operations=["forward"]).executed >= 9


@pytest.mark.usefixtures("by_chance")
def test_round_after_round_finds_nothing_in_what_is_right():
    found = hunt(im2col, seconds=3, dtypes=["float32"], operations=["forward"])
    assert found.caught is None
    assert found.executed > 25


@functools.cache
def caught_defect(slug):
    return caught_in(all_defects()[slug])


@functools.cache
def caught_layer(layer):
    return caught_in(layer, operations=["forward"])


@functools.cache
def tiny():
    return tiny_problems()


@pytest.mark.parametrize("slug", SAMPLE[::3])  # all of them by scripts/hunt_power.py
def test_no_problem_of_less_than_half_the_size_fails(slug):
    caught = caught_defect(slug).caught
    smaller = [problem for problem in tiny() if 2 * Attempt(problem).size < caught.attempt.size]
    circumstances = [(caught.attempt.bias, caught.attempt.again)]
    assert smallest_known(all_defects()[slug], smaller, [caught.operation], circumstances) is None
    assert caught.attempt.size <= 12


@pytest.mark.parametrize("slug", SAMPLE)
def test_the_printed_reproducer_fails(slug):
    with pytest.raises(AssertionError):
        exec(caught_defect(slug).reproducer, {})


@pytest.mark.parametrize("layer", [WritesToItsInput, KeepsItsBuffer, KeepsItsWeights, IgnoresStrides])
def test_what_is_promised_beside_the_values_is_hunted_and_reproduced(layer):
    with pytest.raises(AssertionError):
        exec(caught_layer(layer).reproducer, {})


def test_only_the_needed_circumstances_stay():
    assert caught_layer(WritesToItsInput).caught.kind == "changed"
    assert caught_layer(KeepsItsBuffer).caught.kind == "kept"
    assert caught_layer(KeepsItsWeights).caught.attempt.again
    attempt = caught_layer(IgnoresStrides).caught.attempt
    assert (attempt.layout != "contiguous", attempt.again, attempt.bias) == (True, False, False)


def test_a_trigger_among_many_channels_is_found_and_shrunk():
    found = caught_in(conv2d)
    assert found.caught.attempt.problem.descriptor == "n1c17i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1"


@pytest.mark.parametrize("slug", ["nchwc-input-tail-misread", "bias-tail-lost", "odd-row-lost", "batch-tail-skipped"])
def test_a_trigger_of_several_numbers_is_found_and_shrunk(slug):  # all of them by scripts/hunt_power.py --triggered
    defect = triggered_defects()[slug]
    attempt = caught_in(defect, operations=defect.operations[:1]).caught.attempt
    assert attempt.size <= 2 * Attempt(ConvProblem.from_descriptor(defect.example)).size


SEAMS = {
    "depthwise": lambda p: p.groups == p.in_channels > 1,
    "groups": lambda p: 1 < p.groups < p.in_channels,
    "tail of channels": lambda p: p.in_channels > 8 and p.in_channels % 8 and p.out_channels % 8 == 0,
    "wide": lambda p: p.out_channels > 64,
    "patches": lambda p: p.stride == p.kernel_size != (1, 1),
    "size kept": lambda p: p.input_size == p.output_size and p.kernel_size == (3, 3),
    "whole image": lambda p: p.output_size == (1, 1) and max(p.kernel_size) > 1,
    "asymmetric": lambda p: p.padding[0][0] != p.padding[0][1],
    "dilated": lambda p: max(p.dilation) > 1 == min(p.dilation),
    "no image": lambda p: p.batch == 0,
    "many images": lambda p: p.batch > 16,
}


def test_the_seams_of_kernels_are_drawn_again_and_again():
    def drawn():
        return list(islice(seam_attempts(Random(5), ["float32"], [("float32", "exact")]), 1500))

    attempts = drawn()
    counted = {name: sum(map(bool, (holds(item.problem) for item in attempts))) for name, holds in SEAMS.items()}
    assert min(counted.values()) >= 10, counted
    assert attempts == drawn()


def test_the_reproducer_of_a_function_needs_numpy_alone():
    text = caught_in(conv2d).reproducer
    assert "refconv" not in text
    with pytest.raises(AssertionError, match="Mismatched elements"):
        exec(text, {})


def test_refusing_a_legal_problem_is_a_find():
    found = caught_in(RefusesWideKernels)
    assert found.caught.kind == "raised"
    assert found.caught.attempt.problem.kernel_size == (1, 7)
    assert "on a legal problem: too wide" in str(found)


def test_two_runs_find_the_same():
    first, second = (caught_in(all_defects()["kernel-size-hard-coded"]) for _ in range(2))
    assert (first.caught.attempt, first.reproducer) == (second.caught.attempt, second.reproducer)
    assert first.executed == second.executed


def test_nothing_is_found_in_a_right_layer():
    found = hunt(im2col, seconds=3, dtypes=["float32", "float64"])
    assert found.caught is None, found.reproducer
    assert found.executed > 20


@pytest.mark.oracle
def test_nothing_is_found_in_torch():
    found = hunt(load_implementation("torch"), seconds=3)
    assert found.caught is None, found.reproducer
    assert found.executed > 20


def test_what_is_not_supported_does_not_count():
    found = hunt(SupportsNothing, seconds=1)
    assert (found.executed, found.caught) == (0, None)
    assert found.unsupported > 0
    assert "nothing was executed" in str(found)


def test_a_claimed_class_is_what_is_judged_by():
    class Bfloat16Inputs:
        def forward(self, x, weight, bias, problem):
            from algorithms import narrowed

            return im2col.forward(narrowed(x, 8), narrowed(weight, 8), bias, problem)

    assert caught_in(Bfloat16Inputs, operations=["forward"]).caught
    claimed = hunt(Bfloat16Inputs, seconds=2, operations=["forward"], dtypes=["float32"], judged_by="reduced:bf16")
    assert claimed.caught is None


class HalfSteps(Layer):
    """Rounds every partial sum of grad_input to float16, as col2im of PyTorch does."""

    least = 0

    def grad_input(self, grad_output, weight, problem):
        total = np.zeros(problem.x_shape, np.float16)
        for tap in range(weight.shape[2]):
            one = np.zeros_like(weight)
            one[:, :, tap] = weight[:, :, tap]
            total += super().grad_input(grad_output, one, problem).astype(np.float16)
        return total + np.float16(self.least)


def test_gradients_of_half_precision_may_round_on_the_way_where_they_must():
    attempt = Attempt(ConvProblem.from_descriptor("n1c1i2x1-k1w4x1-s1x1-d1x2-p3+0x0+0-g1-o2x1"), dtype="float16")
    assert trial(as_runner(HalfSteps()), attempt, "grad_input") is None
    off = HalfSteps()
    off.least = 64
    assert trial(as_runner(off), attempt, "grad_input").kind == "wrong"


def test_a_saved_case_is_read_again(tmp_path):
    defect = all_defects()["kernel-flipped"]
    caught = caught_in(defect).caught
    path = tmp_path / "case.json"
    path.write_text(caught.attempt.as_json(caught.operation))
    assert Attempt.from_json(path.read_text()) == (caught.attempt, caught.operation)
    assert json.loads(path.read_text())["schema"] == "refconv.attempt.v1"
    assert replay(defect, path).caught.message == caught.message
    assert replay(im2col, path).caught is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": "refconv.attempt.v1", "operation": "forward"}',
        '{"schema": "refconv.attempt.v2", "operation": "forward", '
        '"problem": "n1c1i2x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o2x1"}',
        "[" * 100_000,
        "\udcff",
        '{"schema": "refconv.attempt.v1", "operation": "forward", '
        '"problem": "n1c1i2x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o2x1", '
        '"dtype": "float32", "fill": "exact", "bias": false, "layout": "spiral", "again": false}',
    ],
)
def test_a_file_that_is_no_saved_case_is_one_sentence(text, tmp_path):
    path = tmp_path / "case.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CatalogueError, match="a saved case must be JSON of schema"):
        replay(im2col, path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_hold_the_same_numbers(layout):
    tensor = np.arange(60.0).reshape(2, 3, 2, 5)
    assert np.array_equal(laid_out(tensor, layout), tensor)
    assert laid_out(tensor, layout).flags.c_contiguous == (layout == "contiguous")


def test_unknown_operations_are_refused():
    with pytest.raises(CatalogueError, match="operation must be one of"):
        hunt(im2col, seconds=1, operations=["backward"])


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "refconv.diagnosis.hunt.search", raising=False)
    monkeypatch.delitem(sys.modules, "refconv.diagnosis.hunt.draws", raising=False)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImplementationError, match=r"pip install 'refconv\[hunt\]'"):
        hunt(im2col, seconds=1)


def test_what_else_is_missing_is_not_taken_for_hypothesis(monkeypatch):
    monkeypatch.delitem(sys.modules, "refconv.diagnosis.hunt.search", raising=False)
    monkeypatch.setitem(sys.modules, "refconv.diagnosis.hunt.draws", None)
    with pytest.raises(ModuleNotFoundError, match="draws"):
        hunt(im2col, seconds=1)


def test_a_replayed_case_that_is_not_supported_executes_nothing(tmp_path):
    path = tmp_path / "case.json"
    path.write_text(Attempt(ConvProblem.from_descriptor(TINY)).as_json("forward"))
    found = replay(SupportsNothing, path)
    assert (found.caught, found.executed, found.unsupported, found.reproducer) == (None, 0, 1, "")
    assert "nothing was executed" in str(found)


def test_a_new_implementation_that_supports_nothing_does_not_fail():
    caught = trial(as_runner(RefusesWideKernels()), WIDE, "forward")
    assert hunting._fails(as_runner(RefusesWideKernels()), caught, None)
    assert not hunting._fails(as_runner(SupportsNothing()), caught, None)


def test_an_attempt_too_large_for_its_fill_is_left_out():
    def fails(channels):
        problem = ConvProblem(batch=1, in_channels=channels, out_channels=1, input_size=(1, 1), kernel_size=(1, 1))
        search = searching.Search(lambda: as_runner(im2col), ["forward"], ["float16"], None, float("inf"))
        return search.fails(Attempt(problem, "float16")), search.executed

    assert fails(4097) == (False, 1)
    assert fails(32770) == (False, 0)  # there is no room for so many products in float16


@pytest.mark.parametrize("where", ["polish", "descended"])
def test_a_plainer_format_and_fill_is_chosen_where_it_fails_too(where):
    kinds = [("float32", "exact"), ("float64", "exact"), ("float32", "zero-mean"), ("float16", "zero-mean")]
    start = Attempt(ConvProblem.from_descriptor(TINY), "float16", "zero-mean")
    found = getattr(polishing, where)(start, lambda attempt: attempt.fill == "zero-mean", kinds)
    assert (found.dtype, found.fill) == ("float32", "zero-mean")


@pytest.mark.parametrize("hole", [69, 127, 258, 513, 992, 999])
def test_a_failure_among_many_channels_is_found_near_powers_of_two_and_both_ends(hole):
    start = Attempt(ConvProblem.from_descriptor("n1c1000i1x1-k1w1x1-s1x1-d1x1-p0+0x0+0-g1-o1x1"))
    best = polishing.polish(start, lambda attempt: attempt.problem.in_channels in (hole, 1000), [("float32", "exact")])
    assert best.problem.in_channels == hole


class Answers:
    """Answers with whatever it is given."""

    def __init__(self, answer):
        self.answer = answer

    def forward(self, x, weight, bias, problem):
        return self.answer(im2col.forward(x, weight, bias, problem))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda y: "text", "y must be an array of numbers, got str"),
        (lambda y: y.astype(object), "y must be an array of numbers, got ndarray"),
        (lambda y: y[0], "y must have shape (1, 1, 1, 2), got (1, 1, 2)"),
        (lambda y: y.astype(np.float64), "the values are right, but y must be float32, got float64"),
        (lambda y: y.astype(np.int64), "the values are right, but y must be float32, got int64"),
    ],
)
def test_what_is_no_right_array_is_told(answer, message):
    attempt = Attempt(ConvProblem.from_descriptor(TINY))
    assert trial(as_runner(Answers(answer)), attempt, "forward").message == message


def test_what_another_process_says_of_its_failure_is_passed_on():
    class Elsewhere:
        name = "elsewhere"

        def run(self, operation, tensors, problem):
            raise CallError("the process ended by SIGSEGV", "CRASH")

    assert trial(Elsewhere(), WIDE, "forward").message == "the process ended by SIGSEGV"


def test_errors_that_are_allowed_one_by_one_may_be_too_many_together():
    verdict = Verdict(4, 0, None, None, 0.0, 1.0, violation="the errors add up to 9, more than 8")
    assert trying._described(verdict, "y") == "every element is allowed, but the errors add up to 9, more than 8"


def test_the_gradient_of_a_function_is_reproduced_with_all_its_arguments():
    def wrong_backward(grad_output, x, weight, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
        return None, np.zeros_like(weight), None

    runner = as_runner(conv2d, backward=wrong_backward)
    text = reproducer(trial(runner, WIDE, "grad_weight"), Source(("from mine import conv2d",), "conv2d"), runner)
    assert "from mine import conv2d, conv2d_backward\n" in text
    text = text.replace("from mine import", "#")
    exec(text, {"conv2d_backward": lambda g, x, weight, **how: (0, im2col.grad_weight(x, g, WIDE.problem), 0)})
    with pytest.raises(AssertionError, match="Mismatched elements"):
        exec(text, {"conv2d_backward": wrong_backward})


def test_of_a_function_without_a_signature_all_keywords_are_written():
    def taken(function):
        return writing._parameters(FunctionRunner(function, None, "mine"), forward=True)

    assert taken(min)("dilation")  # of whose parameters Python knows nothing
    assert [name for name in ("stride", "dilation") if taken(lambda x, stride: x)(name)] == ["stride"]


def test_empty_tensors_are_written_out():
    problem = replace(WIDE.problem, batch=0)
    runner = as_runner(Answers(lambda y: y.astype(np.float64)))
    text = reproducer(trial(runner, Attempt(problem), "forward"), Source((), "layer"), runner)
    assert "x = np.zeros((0, 1, 1, 8), np.float32)" in text
    with pytest.raises(AssertionError, match="float64"):
        exec(text, {"layer": runner})
    exec(text, {"layer": as_runner(im2col)})


def test_large_problems_are_reproduced_by_their_description():
    class LosesTheLastImage:
        def forward(self, x, weight, bias, problem):
            y = im2col.forward(x, weight, bias, problem)
            y[16:] = 0
            return y

    problem = ConvProblem(batch=17, in_channels=3, out_channels=4, input_size=(6, 5), kernel_size=(2, 3))
    runner, attempt = as_runner(LosesTheLastImage), Attempt(problem, fill="zero-mean")
    text = reproducer(trial(runner, attempt, "forward"), Source((), "layer"), runner)
    with pytest.raises(AssertionError, match="elements are wrong"):
        exec(text, {"layer": LosesTheLastImage})
    exec(text, {"layer": im2col})


@pytest.mark.parametrize(("dtype", "fill"), [("bfloat16", "zero-mean"), ("float64", "cancelling"), ("int8", "exact")])
def test_every_format_and_fill_can_be_written_out(dtype, fill):
    problem = ConvProblem(batch=1, in_channels=3, out_channels=2, input_size=(3, 4), kernel_size=(2, 2))

    class Doubled:
        def forward(self, x, weight, bias, problem):
            y = load_implementation("im2col").run("forward", {"x": x, "weight": weight, "bias": bias}, problem)
            return y + y

    runner, attempt = as_runner(Doubled), Attempt(problem, dtype, fill, bias=True, layout="reversed")
    text = reproducer(trial(runner, attempt, "forward"), Source((), "layer"), runner)
    with pytest.raises(AssertionError):
        exec(text, {"layer": Doubled})
    exec(text, {"layer": load_implementation("im2col")})
